//! The command `gating` as its users run it: arguments in, output and exit code out.

mod bad_input;
mod config;
mod demo;
mod device;
mod faults;
mod fixture;
mod interchange;
mod interrupt;
mod learn;
mod metagraph;
mod model;
#[expect(dead_code, reason = "the tests of the client itself use more of it")]
#[path = "../../../gating-metagraph/tests/it/node.rs"]
mod node;
mod replay;
mod verify;
mod watch;
