//! An encoder without a network, and small networks of uids.

use burn::tensor::Device;
use gating_core::{Embedding, EncodeError, Encoder, Gate, GateConfig};
use gating_metagraph::{Hotkey, Metagraph, Neuron, Uid};

/// Takes the embedding from the message itself: numbers with spaces between.
#[derive(Debug)]
pub(crate) struct Numbers {
    device: Device,
    hidden_size: usize,
    id: &'static str,
}

impl Numbers {
    pub(crate) fn new(hidden_size: usize) -> Self {
        Self { device: Device::flex(), hidden_size, id: "numbers" }
    }

    pub(crate) fn with_id(self, id: &'static str) -> Self {
        Self { id, ..self }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("expected {expected} numbers, found `{found}`")]
struct NotNumbers {
    expected: usize,
    found: String,
}

impl Encoder for Numbers {
    fn id(&self) -> &str {
        self.id
    }

    fn hidden_size(&self) -> usize {
        self.hidden_size
    }

    fn device(&self) -> &Device {
        &self.device
    }

    fn encode_batch(&self, messages: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
        let wrong =
            |message: &str| NotNumbers { expected: self.hidden_size, found: message.to_owned() };
        let encode = |message: &&str| {
            let numbers: Result<Vec<f32>, _> = message.split(' ').map(str::parse).collect();
            let numbers = numbers.ok().filter(|numbers| numbers.len() == self.hidden_size);
            let numbers = numbers.ok_or_else(|| EncodeError::new(wrong(message)))?;
            Ok(Embedding::from_slice(&numbers, &self.device))
        };
        messages.iter().map(encode).collect()
    }
}

/// A gate of some uids over messages of three numbers.
pub(crate) fn gate(num_uids: usize) -> Gate<Numbers> {
    gate_with(GateConfig { num_uids, learning_rate: 0.5, seed: 3, ..GateConfig::default() })
}

pub(crate) fn gate_with(config: GateConfig) -> Gate<Numbers> {
    Gate::new(Numbers::new(3), config).expect("the settings are in range")
}

/// Subnet 1 at a block, its uids held by these keys.
pub(crate) fn metagraph<const N: usize>(block: u64, keys: [u8; N]) -> Metagraph {
    let neurons = keys.map(|key| Neuron::new(Hotkey::new([key; 32])));
    Metagraph::new(1, block, neurons.to_vec()).expect("the keys differ")
}

pub(crate) fn uids<const N: usize>(numbers: [u16; N]) -> Vec<Uid> {
    numbers.map(Uid::new).to_vec()
}
