//! A network with its tokenizer: messages in, one pooled vector a window out.

use burn::tensor::{Device, Tensor};

use crate::contents::Contents;
use crate::network::{Limits, Network};
use crate::tokenization::Tokenization;
use crate::{Error, ModelFiles};

/// The most tokens, padding included, that go through the network at once. It bounds the memory,
/// which attention needs most of.
const MAX_BATCH_TOKENS: usize = 4096;

/// A frozen network with its tokenizer.
#[derive(Debug)]
pub(crate) struct Model {
    id: String,
    network: Network,
    limits: Limits,
    tokenization: Tokenization,
    device: Device,
}

impl Model {
    /// Loads a model folder; `pooling` becomes part of the id.
    pub(crate) fn load(pooling: &str, files: &ModelFiles, device: &Device) -> Result<Self, Error> {
        let contents = Contents::read(files)?;
        Ok(Self {
            id: format!("{pooling}:{}:{}", contents.config.kind(), contents.fingerprint()),
            network: contents.network(device)?,
            limits: contents.config.limits(),
            tokenization: contents.tokenization()?,
            device: device.clone(),
        })
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn hidden_size(&self) -> usize {
        self.limits.hidden_size
    }

    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// The windows of a message, each token known to the network.
    pub(crate) fn windows(&self, message: &str) -> Result<Vec<Vec<u32>>, Error> {
        let windows = self.tokenization.windows(message)?;
        let vocab_size = self.limits.vocab_size;
        match windows.iter().flatten().find(|&&id| id as usize >= vocab_size) {
            Some(&found) => Err(Error::TokenId { found, vocab_size }),
            None => Ok(windows),
        }
    }

    /// Runs windows through the network, those of like length together, and pools each.
    ///
    /// # Shapes
    ///
    /// - `pool`: hidden states `[windows, longest, hidden_size]` and the length of each window in,
    ///   `[windows, hidden_size]` out
    /// - output: `[hidden_size]` for each window, in their order
    pub(crate) fn pool(
        &self,
        windows: &[Vec<u32>],
        pool: impl Fn(Tensor<3>, &[usize]) -> Tensor<2>,
    ) -> Vec<Tensor<1>> {
        let mut order: Vec<usize> = (0..windows.len()).collect();
        order.sort_by_key(|&index| windows[index].len());
        let mut pooled = vec![None; windows.len()];
        while let Some(&longest) = order.last() {
            let size = (MAX_BATCH_TOKENS / windows[longest].len()).clamp(1, order.len());
            let batch = order.split_off(order.len() - size);
            let ids: Vec<&[u32]> = batch.iter().map(|&index| windows[index].as_slice()).collect();
            let lengths: Vec<usize> = ids.iter().map(|ids| ids.len()).collect();
            let vectors = pool(self.network.forward(&ids, &self.device), &lengths);
            for (vector, index) in vectors.iter_dim(0).zip(batch) {
                pooled[index] = Some(vector.squeeze_dim::<1>(0));
            }
        }
        pooled.into_iter().map(|vector| vector.expect("every window was in one batch")).collect()
    }
}
