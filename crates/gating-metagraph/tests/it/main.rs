//! The public behavior of `gating-metagraph`, on documents, files, answers and recorded networks.

#[cfg(feature = "chain")]
mod chain;
mod documents;
#[cfg(feature = "chain")]
mod follower;
#[cfg(feature = "chain")]
mod node;
mod properties;
mod recorded;
mod runtime;
mod samples;
mod saved;
