//! Downloads from a hub on the loopback interface: no test sleeps, or asks anyone else.
#![cfg(feature = "hub")]

mod cache;
mod fixture;
mod older;
mod refusals;
mod requests;
mod resume;
mod server;
mod snapshot;
#[cfg(unix)]
mod verify;
