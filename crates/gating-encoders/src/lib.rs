//! Frozen pretrained transformers that turn messages into embeddings for a gating model.
//!
//! A folder with `config.json`, `tokenizer.json`, `tokenizer_config.json` and weights of any format
//! is opened as [`ModelFiles`]; `config.json` says which network it is. [`LastTokenEncoder`] takes
//! the last token of a message's first window, [`SentenceEncoder`] the normalized mean of every
//! window; either takes any network. Joined with a head they are the two models of
//! `prompting.validators.gating` (opentensor/text-prompting, 2023): [`GatingModel`] and
//! [`SentenceEmbedGatingModel`].
//!
//! `examples/gating-encoders` in the repository is a program with this crate alone: embeddings of
//! messages, and how near they are to each other.
//!
//! ```
//! # #[cfg(feature = "flex")] {
//! use burn::tensor::Device;
//! use gating_core::Encoder;
//! use gating_encoders::{ModelFiles, SentenceEncoder};
//!
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/tiny-bert");
//! let files = ModelFiles::open(folder)?;
//! let encoder = SentenceEncoder::load(&files, &Device::flex())?;
//! let embedding = encoder.encode("who can prove this?").map_err(Box::new)?;
//! assert_eq!(embedding.hidden_size(), 32);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attention;
mod contents;
#[cfg(feature = "flex")]
mod cpu;
mod error;
mod files;
#[cfg(feature = "hub")]
mod hub;
mod last_token;
mod layers;
mod model;
mod network;
#[cfg(all(test, feature = "flex"))]
mod paths;
mod place;
mod pooling;
mod sentence;
mod tokenization;
mod transformer;
mod weights;

pub use error::Error;
pub use files::ModelFiles;
#[cfg(feature = "hub")]
pub use hub::{CachedModel, Hub, HubConfig, HubError, Progress, RepoId, verify_snapshot};
pub use last_token::{GatingModel, LastTokenEncoder};
pub use network::NetworkKind;
pub use sentence::{SentenceEmbedGatingModel, SentenceEncoder};

/// What an encoder is asked and what it gives, so that nobody has to name `gating-core` for it.
pub use gating_core::{Embedding, EncodeError, Encoder};

/// Compiles the examples of the README and of the book.
#[cfg(all(doctest, feature = "flex"))]
#[doc = include_str!("../../../README.md")]
#[doc = include_str!("../../../docs/devices.md")]
#[doc = include_str!("../../../docs/extending.md")]
#[doc = include_str!("../../../docs/migrating.md")]
struct Pages;
