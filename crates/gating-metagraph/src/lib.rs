//! Who is who in a network of workers: uids, hotkeys, metagraphs and their differences.
//!
#![doc = include_str!("../README.md")]

mod availability;
mod axon;
mod base58;
mod block_hash;
#[cfg(feature = "chain")]
pub mod chain;
mod change;
mod coldkey;
mod counted;
mod diff;
mod error;
mod format;
mod history;
mod hotkey;
mod identity;
mod json;
mod metagraph;
mod neuron;
mod plan;
mod rao;
mod read;
mod replace;
pub mod runtime;
mod snapshot;
mod ss58;
mod subnet;
mod text;
mod uid;

pub use availability::{Availability, AvailabilityRules, Missing, Reason, Verdict};
pub use axon::Axon;
pub use block_hash::{BlockHash, ParseBlockHashError};
pub use change::Change;
pub use coldkey::Coldkey;
pub use diff::{MetagraphDiff, Move};
pub use error::Error;
pub use format::Format;
pub use history::History;
pub use hotkey::Hotkey;
pub use identity::{Identity, ParseIdentityError};
pub use metagraph::Metagraph;
pub use neuron::{Neuron, Stake};
pub use plan::{PlannedRow, ResyncPlan, RowSource};
pub use rao::Rao;
pub use replace::replace_file;
pub use ss58::ParseKeyError;
pub use subnet::Subnet;
pub use uid::Uid;
