//! What keeping embeddings was good for, as it is told.

use std::fmt;

use gating_core::CacheCounts;
use serde::Serialize;

use crate::output::counted;

/// The counts of the cache of embeddings.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct CacheReport {
    hits: u64,
    misses: u64,
    embeddings: usize,
    bytes: usize,
}

impl From<CacheCounts> for CacheReport {
    fn from(CacheCounts { hits, misses, embeddings, bytes }: CacheCounts) -> Self {
        Self { hits, misses, embeddings, bytes }
    }
}

impl fmt::Display for CacheReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hits, misses, embeddings, bytes } = self;
        let messages = counted(hits + misses, "message");
        let megabytes = *bytes as f64 / 1e6;
        write!(f, "{hits} of {messages} were there already; {embeddings} kept, {megabytes:.1} MB")
    }
}
