//! The last token of a message as its embedding.

use burn::tensor::{Device, FloatDType};
use gating_core::{Embedding, EncodeError, Encoder, Gate};
use gating_kernels::Pick;

use crate::model::Model;
use crate::{Error, ModelFiles};

/// A gating model on the last token of a message, made for GPT-like networks.
///
/// Ported from `GatingModel` of `prompting.validators.gating` (opentensor/text-prompting, 2023).
pub type GatingModel = Gate<LastTokenEncoder>;

/// Takes the hidden state of the last position of a message's first window. Later windows are not
/// used.
#[derive(Debug)]
pub struct LastTokenEncoder(Model);

impl LastTokenEncoder {
    /// Loads the network and the tokenizer of a model folder.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, the network is of an unknown kind, or its weights are not those
    /// that `config.json` calls for.
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
        Model::load("last-token", files, device, dtype).map(Self)
    }
}

impl Encoder for LastTokenEncoder {
    fn id(&self) -> &str {
        self.0.id()
    }

    fn hidden_size(&self) -> usize {
        self.0.hidden_size()
    }

    fn device(&self) -> &Device {
        self.0.device()
    }

    fn encode_batch(&self, messages: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
        let first = |message: &&str| Ok(self.0.windows(message)?.swap_remove(0));
        let windows: Result<Vec<_>, Error> = messages.iter().map(first).collect();
        let windows = windows.map_err(EncodeError::new)?;
        let vectors = self.0.pool(&windows, Pick::Last, |states, _| states);
        Ok(vectors.map_err(EncodeError::new)?.into_iter().map(Embedding::new).collect())
    }
}
