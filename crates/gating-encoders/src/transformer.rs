//! The shape that all networks here share: embeddings, layers of attention and feed-forward parts,
//! and norms before or after each part.

use burn::tensor::Tensor;
use gating_kernels::{Activation, Attention, Pick};

use crate::attention::Windows;
use crate::layers::{LayerNorm, Linear};
use crate::place::Place;

/// A transformer with its weights on a device.
#[derive(Debug)]
pub(crate) struct Transformer {
    pub(crate) embeddings: Embeddings,
    pub(crate) layers: Vec<Layer>,
    pub(crate) final_norm: Option<LayerNorm>,
}

/// What a token is before the first layer. The tables stay on the host: only the rows that a
/// message needs go to the device.
#[derive(Debug)]
pub(crate) struct Embeddings {
    /// `[vocab_size, hidden]`
    pub(crate) tokens: Vec<f32>,
    /// `[max_positions, hidden]`
    pub(crate) positions: Vec<f32>,
    pub(crate) numbering: Numbering,
    pub(crate) hidden: usize,
    pub(crate) norm: Option<LayerNorm>,
}

/// Which row of the table of positions a token gets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Numbering {
    /// Its place in the window.
    FromZero,
    /// One more than that of the padding for the first token, and so on; a padding token has its
    /// own and is not counted.
    FromPadding(u32),
}

/// One layer.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) norms: Norms,
    pub(crate) attention: Attention,
    /// Queries, keys and values side by side.
    pub(crate) projections: Linear,
    pub(crate) output: Linear,
    pub(crate) attention_norm: LayerNorm,
    pub(crate) inner: Linear,
    pub(crate) activation: Activation,
    pub(crate) outer: Linear,
    pub(crate) inner_norm: LayerNorm,
}

/// Where a layer's two norms stand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Norms {
    /// Before attention and feed-forward part, as in GPT.
    Before,
    /// After each part and what goes past it, as in BERT.
    After,
}

impl Transformer {
    /// The most numbers that a token has at once.
    pub(crate) fn widest(&self) -> usize {
        let widths = self.layers.iter().flat_map(|layer| [&layer.projections, &layer.inner]);
        widths.map(Linear::outputs).max().unwrap_or(self.embeddings.hidden)
    }

    /// The hidden states after the last layer, of the picked positions of each window. The last
    /// layer computes no others.
    ///
    /// # Shapes
    ///
    /// - ids: for each window 1 to `max_positions` token ids
    /// - output: `[picked, hidden]`
    pub(crate) fn forward(&self, ids: &[&[u32]], windows: &Windows, pick: Pick) -> Tensor<2> {
        let states = self.embeddings.forward(ids, windows.place());
        let last = self.layers.len().saturating_sub(1);
        let layers = self.layers.iter().enumerate();
        let states = layers.fold(states, |states, (index, layer)| {
            let pick = if index == last { pick } else { Pick::All };
            layer.forward(states, windows, pick)
        });
        let states = if self.layers.is_empty() { windows.pick(states, pick) } else { states };
        match &self.final_norm {
            Some(norm) => norm.forward(states),
            None => states,
        }
    }
}

impl Embeddings {
    /// `[rows, hidden]`
    fn forward(&self, ids: &[&[u32]], place: &Place) -> Tensor<2> {
        let rows = ids.iter().map(|ids| ids.len()).sum();
        let mut states = Vec::with_capacity(rows * self.hidden);
        for window in ids {
            for (&id, position) in window.iter().zip(self.numbering.positions(window)) {
                let token = row(&self.tokens, id as usize, self.hidden);
                let position = row(&self.positions, position, self.hidden);
                states.extend(token.iter().zip(position).map(|(token, position)| token + position));
            }
        }
        let states = place.tensor(states, [rows, self.hidden]);
        match &self.norm {
            Some(norm) => norm.forward(states),
            None => states,
        }
    }
}

fn row(table: &[f32], index: usize, size: usize) -> &[f32] {
    &table[index * size..(index + 1) * size]
}

impl Numbering {
    /// The most tokens that a window may have for a table of so many positions.
    pub(crate) fn most(self, positions: usize) -> usize {
        match self {
            Self::FromZero => positions,
            Self::FromPadding(padding) => {
                positions.saturating_sub(padding as usize).saturating_sub(1)
            }
        }
    }

    /// The rows of the table of positions that the tokens of a window get.
    fn positions(self, window: &[u32]) -> impl Iterator<Item = usize> + '_ {
        let mut next = match self {
            Self::FromZero => 0,
            Self::FromPadding(padding) => padding as usize + 1,
        };
        window.iter().map(move |&id| match self {
            Self::FromPadding(padding) if id == padding => padding as usize,
            _ => {
                next += 1;
                next - 1
            }
        })
    }
}

impl Layer {
    fn forward(&self, states: Tensor<2>, windows: &Windows, pick: Pick) -> Tensor<2> {
        let projected = match self.norms {
            Norms::Before => self.projections.forward(self.attention_norm.forward(states.clone())),
            Norms::After => self.projections.forward(states.clone()),
        };
        let attended = windows.attend(&self.attention, projected, pick);
        let states = self.output.added(attended, windows.pick(states, pick));
        match self.norms {
            Norms::Before => {
                let normed = self.inner_norm.forward(states.clone());
                self.outer.added(self.inner.activated(normed, self.activation), states)
            }
            Norms::After => {
                let states = self.attention_norm.forward(states);
                let inner = self.inner.activated(states.clone(), self.activation);
                self.inner_norm.forward(self.outer.added(inner, states))
            }
        }
    }
}
