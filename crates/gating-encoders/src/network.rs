//! Windows of token ids in, hidden states out: the networks, told apart by `config.json`.

mod bert;
mod gpt_neo;

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use serde::Serialize;

use crate::weights::Weights;
use crate::{Error, ModelFiles};
use bert::{Bert, BertConfig};
use gpt_neo::{GptNeo, GptNeoConfig};

/// The networks that are known here.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum NetworkKind {
    /// BERT and its descendants of the same layout, such as MiniLM.
    Bert,
    /// GPT-Neo of any size.
    GptNeo,
}

impl NetworkKind {
    /// The networks by the `model_type` of their `config.json`.
    const NAMES: [(Self, &str); 2] = [(Self::Bert, "bert"), (Self::GptNeo, "gpt_neo")];

    /// Whether a position sees only those before it, so that the last one has seen them all.
    #[must_use]
    pub const fn is_causal(self) -> bool {
        matches!(self, Self::GptNeo)
    }

    /// Every name, for people.
    pub(crate) fn names() -> String {
        Self::NAMES.map(|(_, name)| format!("`{name}`")).join(" or ")
    }
}

impl fmt::Display for NetworkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(kind, _)| kind == self);
        f.pad(name.expect("every network has a name").1)
    }
}

impl FromStr for NetworkKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let kind = Self::NAMES.iter().find(|(_, name)| *name == text).map(|(kind, _)| *kind);
        kind.ok_or_else(|| Error::ModelType { found: text.to_owned() })
    }
}

/// What `config.json` says of a network, as far as it decides the embeddings.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "model_type", rename_all = "snake_case")]
pub(crate) enum NetworkConfig {
    Bert(BertConfig),
    GptNeo(GptNeoConfig),
}

/// A network with its weights on a device.
#[derive(Debug, Module)]
pub(crate) enum Network {
    Bert(Bert),
    GptNeo(GptNeo),
}

/// What has to be known of a network to feed it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) hidden_size: usize,
    pub(crate) vocab_size: usize,
    pub(crate) max_positions: usize,
}

impl NetworkConfig {
    pub(crate) fn read(files: &ModelFiles) -> Result<Self, Error> {
        match files.kind()? {
            NetworkKind::Bert => files.config().map(Self::Bert),
            NetworkKind::GptNeo => files.config().map(Self::GptNeo),
        }
    }

    pub(crate) fn kind(&self) -> NetworkKind {
        match self {
            Self::Bert(_) => NetworkKind::Bert,
            Self::GptNeo(_) => NetworkKind::GptNeo,
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        match self {
            Self::Bert(config) => config.limits(),
            Self::GptNeo(config) => config.limits(),
        }
    }

    /// Makes the network from the bytes of its weights file.
    pub(crate) fn load(
        &self,
        path: &Path,
        bytes: &[u8],
        device: &Device,
    ) -> Result<Network, Error> {
        let open = |prefix| Weights::open(path, bytes, prefix, device);
        match self {
            Self::Bert(config) => config.load(open("bert.")?).map(Network::Bert),
            Self::GptNeo(config) => config.load(open("transformer.")?).map(Network::GptNeo),
        }
    }
}

impl Network {
    /// The hidden states of every position after the last layer.
    ///
    /// # Shapes
    ///
    /// - windows: each of 1 to `max_positions` token ids
    /// - output: `[windows, longest window, hidden_size]`; what lies past the end of a window means
    ///   nothing, and no other position has seen it
    pub(crate) fn forward(&self, windows: &[&[u32]], device: &Device) -> Tensor<3> {
        let batch = Batch::new(windows, device);
        match self {
            Self::Bert(network) => network.forward(batch),
            Self::GptNeo(network) => network.forward(batch),
        }
    }
}

/// Windows of token ids, padded on the right to the longest.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    /// `[windows, length]`
    pub(crate) ids: Tensor<2, Int>,
    /// How many tokens each window has.
    pub(crate) lengths: Vec<usize>,
}

impl Batch {
    fn new(windows: &[&[u32]], device: &Device) -> Self {
        let lengths: Vec<usize> = windows.iter().map(|window| window.len()).collect();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let mut ids = vec![0i32; windows.len() * longest];
        for (row, window) in ids.chunks_mut(longest.max(1)).zip(windows) {
            for (id, &token) in row.iter_mut().zip(*window) {
                *id = token as i32;
            }
        }
        let ids = TensorData::new(ids, [windows.len(), longest]);
        Self { ids: Tensor::from_data(ids, device), lengths }
    }

    /// The length of the longest window.
    pub(crate) fn length(&self) -> usize {
        self.ids.dims()[1]
    }

    /// The positions 0 to `length - 1`: `[1, length]`.
    pub(crate) fn positions(&self) -> Tensor<2, Int> {
        Tensor::<1, Int>::arange(0..self.length() as i64, &self.ids.device()).unsqueeze()
    }

    /// What to add to attention scores so that nothing past the end of a window is seen; none where
    /// all windows are of one length: `[windows, 1, 1, length]`.
    pub(crate) fn padding_bias(&self) -> Option<Tensor<4>> {
        let length = self.length();
        if self.lengths.iter().all(|&real| real == length) {
            return None;
        }
        let bias = |&real: &usize| (0..length).map(move |at| if at < real { 0.0 } else { MASKED });
        let bias: Vec<f32> = self.lengths.iter().flat_map(bias).collect();
        let bias = TensorData::new(bias, [self.lengths.len(), 1, 1, length]);
        Some(Tensor::from_data(bias, &self.ids.device()))
    }
}

/// Added to an attention score, it leaves a weight of exactly 0 after the softmax.
pub(crate) const MASKED: f32 = -1e9;

/// Refuses a count of zero in `config.json`, and one that does not divide into heads.
pub(crate) fn check_heads(
    hidden: (&'static str, usize),
    heads: (&'static str, usize),
) -> Result<(), Error> {
    let wrong = |(key, found): (&'static str, usize), expected: String| {
        Err(Error::Config { key, expected, found: found.to_string() })
    };
    if heads.1 == 0 {
        return wrong(heads, "1 or more".to_owned());
    }
    if hidden.1 == 0 || !hidden.1.is_multiple_of(heads.1) {
        return wrong(hidden, format!("a multiple of the {} heads", heads.1));
    }
    Ok(())
}

/// Splits the last dimension into heads: `[batch, length, hidden] -> [batch, heads, length, size]`.
pub(crate) fn split_heads(states: Tensor<3>, heads: usize) -> Tensor<4> {
    let [batch, length, hidden] = states.dims();
    states.reshape([batch, length, heads, hidden / heads]).swap_dims(1, 2)
}

/// Joins the heads again: `[batch, heads, length, size] -> [batch, length, hidden]`.
pub(crate) fn join_heads(states: Tensor<4>) -> Tensor<3> {
    let [batch, heads, length, size] = states.dims();
    states.swap_dims(1, 2).reshape([batch, length, heads * size])
}
