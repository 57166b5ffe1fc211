//! A gating model: one linear layer that scores every uid for a message and learns online.
//!
//! An [`Encoder`] turns a message into an [`Embedding`]; the [`Head`] gives every uid a score;
//! the rewards that the asked uids earned move the head, so that messages go to those who answer
//! them best. [`Gate`] joins the three. When a uid changes hands, [`BaseGatingModel::resync`]
//! makes its row new and leaves every other row as it was, to the bit.
//!
//! The behavior is that of `prompting.validators.gating` (opentensor/text-prompting, 2023).
//!
//! `examples/gating-core` in the repository is a program with this crate alone: it learns with an
//! encoder of its own, and goes on from a checkpoint.
//!
//! ```
//! use burn::tensor::Device;
//! use gating_core::{BaseGatingModel, Embedding, EncodeError, Encoder, Gate, GateConfig, Rewards};
//! use gating_metagraph::Uid;
//!
//! /// Knows two kinds of messages: questions and all others.
//! struct Questions(Device);
//!
//! impl Encoder for Questions {
//!     fn id(&self) -> &str {
//!         "questions"
//!     }
//!     fn hidden_size(&self) -> usize {
//!         2
//!     }
//!     fn device(&self) -> &Device {
//!         &self.0
//!     }
//!     fn encode_batch(&self, messages: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
//!         let kind = |message: &&str| f32::from(u8::from(message.ends_with('?')));
//!         let embed = |kind: f32| Embedding::from_slice(&[kind, 1.0 - kind], &self.0);
//!         Ok(messages.iter().map(kind).map(embed).collect())
//!     }
//! }
//!
//! # #[cfg(feature = "flex")] {
//! let config = GateConfig { num_uids: 8, learning_rate: 1.0, ..GateConfig::default() };
//! let gate = Gate::new(Questions(Device::flex()), config)?;
//! for _ in 0..50 {
//!     let scores = gate.forward("who answers?")?;
//!     let rewards = Rewards::new(vec![Uid::new(3), Uid::new(5)], vec![0.1, 0.9])?;
//!     gate.backward(&scores, &rewards)?;
//! }
//! let scores = gate.forward("who knows?")?;
//! assert!(scores.values()[5] > scores.values()[3]);
//! # }
//! # Ok::<(), gating_core::Error>(())
//! ```

mod cache;
mod checkpoint;
mod choice;
mod config;
mod device_head;
mod encoder;
mod error;
mod gate;
mod head;
mod interchange;
mod learner;
mod loss;
mod model;
mod optimizer;
mod published;
mod resync;
mod rewards;
mod rows;
mod scores;
mod scoring;

pub use cache::{CacheCounts, CachedEncoder};
pub use checkpoint::{Checkpoint, CheckpointFolder, CheckpointStatus};
pub use choice::UidSampler;
pub use config::GateConfig;
pub use encoder::{Embedding, EncodeError, Encoder};
pub use error::{CheckpointError, Error, HeadFileError};
pub use gate::Gate;
pub use head::{Head, HeadConfig};
pub use interchange::HeadFormat;
pub use loss::{Loss, softmax_mse};
pub use model::BaseGatingModel;
pub use optimizer::GradientMode;
pub use resync::Resync;
pub use rewards::Rewards;
pub use scores::Scores;

/// Whom scores and rewards are about, so that nobody has to name `gating-metagraph` for it.
pub use gating_metagraph::Uid;
