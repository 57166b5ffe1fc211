//! The normalized mean over a message as its embedding.

use burn::tensor::{Device, FloatDType, Tensor};
use gating_core::{Embedding, EncodeError, Encoder, Gate};

use crate::attention::Windows;
use crate::model::Model;
use crate::pooling::Pooling;
use crate::{Error, ModelFiles};

/// A gating model on sentence embeddings, made for BERT-like networks.
///
/// Ported from `SentenceEmbedGatingModel` of `prompting.validators.gating`
/// (opentensor/text-prompting, 2023).
pub type SentenceEmbedGatingModel = Gate<SentenceEncoder>;

/// Takes the mean hidden state of each window of a message, normalized to length 1, and then the
/// plain mean over the windows, which is not normalized again.
///
/// Where the folder has a `modules.json` of `sentence-transformers`, its pooling takes the place of
/// the mean: the first token (`cls`), the last one (`lasttoken`), the largest of every number
/// (`max`) or the mean. Each window is normalized whether the file lists that or not, as in the
/// reference, which never looks at it.
#[derive(Debug)]
pub struct SentenceEncoder {
    model: Model,
    pooling: Pooling,
}

impl SentenceEncoder {
    /// Loads the network and the tokenizer of a model folder.
    ///
    /// The id begins with `sentence:`, and with `sentence-` and its mode for any other pooling than
    /// the mean.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, the network is of an unknown kind, its weights are not those
    /// that `config.json` calls for, or `modules.json` asks for more than a pooling that is known.
    pub fn load(files: &ModelFiles, device: &Device) -> Result<Self, Error> {
        Self::load_in(files, device, FloatDType::F32)
    }

    /// The same, computed in other numbers: f16 or bf16 where the device has them. The id stays,
    /// since what was learned in one goes on in another.
    ///
    /// # Errors
    ///
    /// Also when the device does not compute in these numbers; the CPU does in f32 alone.
    pub fn load_in(files: &ModelFiles, device: &Device, dtype: FloatDType) -> Result<Self, Error> {
        let pooling = Pooling::read(files)?;
        let name = match pooling {
            Pooling::Mean => "sentence".to_owned(),
            other => format!("sentence-{}", other.name()),
        };
        Ok(Self { model: Model::load(&name, files, device, dtype)?, pooling })
    }

    fn pool(&self, states: Tensor<2>, windows: &Windows) -> Tensor<2> {
        normalized(self.pooling.pool(states, windows))
    }
}

impl Encoder for SentenceEncoder {
    fn id(&self) -> &str {
        self.model.id()
    }

    fn hidden_size(&self) -> usize {
        self.model.hidden_size()
    }

    fn device(&self) -> &Device {
        self.model.device()
    }

    fn encode_batch(&self, messages: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
        let (mut windows, mut counts) = (Vec::new(), Vec::with_capacity(messages.len()));
        for message in messages {
            let own = self.model.windows(message).map_err(EncodeError::new)?;
            counts.push(own.len());
            windows.extend(own);
        }
        let pool = |states, windows: &Windows| self.pool(states, windows);
        let vectors = self.model.pool(&windows, self.pooling.pick(), pool);
        let vectors = vectors.map_err(EncodeError::new)?;
        let means = self.model.run(|| {
            let mut vectors = vectors.into_iter();
            let mean = |count| mean_of(vectors.by_ref().take(count).collect());
            counts.into_iter().map(mean).map(Embedding::new).collect()
        });
        means.map_err(EncodeError::new)
    }
}

/// Each vector divided by its length, `eps 1e-12`.
fn normalized(vectors: Tensor<2>) -> Tensor<2> {
    let lengths = vectors.clone().square().sum_dim(1).sqrt().clamp_min(1e-12);
    vectors / lengths
}

/// The plain mean of the vectors of one message's windows.
fn mean_of(mut vectors: Vec<Tensor<1>>) -> Tensor<1> {
    match vectors.len() {
        1 => vectors.swap_remove(0),
        _ => Tensor::stack::<2>(vectors, 0).mean_dim(0).squeeze_dim(0),
    }
}
