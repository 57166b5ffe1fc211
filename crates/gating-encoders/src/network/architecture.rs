//! The sizes of a network and the names of its weights: all that it takes to load it.

use gating_kernels::{Activation, Attention, Layout};

use crate::Error;
use crate::layers::{LayerNorm, Linear, LinearWeights};
use crate::transformer::{Embeddings, Layer, Norms, Numbering, Transformer};
use crate::weights::Weights;

/// The sizes of a network and the functions in it.
#[derive(Debug)]
pub(super) struct Architecture {
    pub(super) names: &'static Names,
    pub(super) vocab_size: usize,
    /// Rows of the table of positions.
    pub(super) positions: usize,
    /// Types that tokens may have; a network that knows none has 0.
    pub(super) types: usize,
    pub(super) numbering: Numbering,
    pub(super) hidden_size: usize,
    pub(super) inner_size: usize,
    pub(super) activation: Activation,
    pub(super) epsilon: f64,
}

/// What the weights of a network are called. Names of a layer's parts follow `layer.index.`.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) tokens: &'static str,
    pub(super) positions: &'static str,
    pub(super) types: &'static str,
    pub(super) embedding_norm: Option<&'static str>,
    pub(super) layer: &'static str,
    pub(super) norms: Norms,
    pub(super) projections: Projections,
    pub(super) output: &'static str,
    pub(super) attention_norm: &'static str,
    pub(super) inner: &'static str,
    pub(super) outer: &'static str,
    pub(super) inner_norm: &'static str,
    pub(super) final_norm: Option<&'static str>,
    /// How the weights of all linear layers lie.
    pub(super) layout: Layout,
    /// Whether weights of this name do not decide the last hidden state.
    pub(super) is_unused: fn(&str) -> bool,
}

/// How the layers for queries, keys and values are saved.
#[derive(Clone, Copy, Debug)]
pub(super) enum Projections {
    /// Side by side in one.
    Merged(&'static str),
    /// Each by itself.
    Separate([&'static str; 3]),
    /// Each by itself, and without a bias.
    WithoutBias([&'static str; 3]),
}

impl Architecture {
    /// Loads the network: a layer for each of the attentions. These are made when the embeddings
    /// are loaded, so that the sizes are known to be those of real tensors.
    pub(super) fn load<A: Iterator<Item = Attention>>(
        &self,
        weights: Weights,
        attentions: impl FnOnce(&Weights) -> Result<A, Error>,
    ) -> Result<Transformer, Error> {
        let embeddings = self.embeddings(&weights)?;
        let layer = |(index, attention)| self.layer(&weights, index, attention);
        let layers = attentions(&weights)?.enumerate().map(layer).collect::<Result<_, _>>()?;
        let final_norm = self.optional_norm(&weights, self.names.final_norm)?;
        weights.finish(self.names.is_unused)?;
        Ok(Transformer { embeddings, layers, final_norm })
    }

    /// Every token of a message is of the first type.
    fn embeddings(&self, weights: &Weights) -> Result<Embeddings, Error> {
        let names = self.names;
        let table =
            |name, count| weights.take(&format!("{name}.weight"), [count, self.hidden_size]);
        let mut positions = table(names.positions, self.positions)?;
        if self.types > 0 {
            let types = table(names.types, self.types)?;
            for position in positions.chunks_exact_mut(self.hidden_size) {
                position.iter_mut().zip(&types).for_each(|(value, first)| *value += first);
            }
        }
        Ok(Embeddings {
            tokens: table(names.tokens, self.vocab_size)?,
            positions,
            numbering: self.numbering,
            hidden: self.hidden_size,
            norm: self.optional_norm(weights, names.embedding_norm)?,
        })
    }

    fn layer(&self, weights: &Weights, index: usize, attention: Attention) -> Result<Layer, Error> {
        let (names, hidden, inner) = (self.names, self.hidden_size, self.inner_size);
        let within = |part: &str| format!("{}.{index}.{part}", names.layer);
        let linear = |part, shape| {
            let linear = LinearWeights::take(weights, &within(part), names.layout, shape)?;
            Ok::<_, Error>(linear.init(weights.place()))
        };
        let norm = |part| self.norm(weights, &within(part));
        Ok(Layer {
            norms: names.norms,
            attention,
            projections: self.projections(weights, within)?,
            output: linear(names.output, [hidden; 2])?,
            attention_norm: norm(names.attention_norm)?,
            inner: linear(names.inner, [hidden, inner])?,
            activation: self.activation,
            outer: linear(names.outer, [inner, hidden])?,
            inner_norm: norm(names.inner_norm)?,
        })
    }

    /// Queries, keys and values side by side.
    fn projections(
        &self,
        weights: &Weights,
        within: impl Fn(&str) -> String,
    ) -> Result<Linear, Error> {
        let (hidden, layout) = (self.hidden_size, self.names.layout);
        let separate = |parts: [&str; 3], take: fn(&Weights, &str, _, _) -> _| {
            let take = |part| take(weights, &within(part), layout, [hidden; 2]);
            let [queries, keys, values] = parts.map(take);
            Ok::<_, Error>(LinearWeights::side_by_side([queries?, keys?, values?]))
        };
        let joined = match self.names.projections {
            Projections::Merged(part) => LinearWeights::take(
                weights,
                &within(part),
                layout,
                [hidden, hidden.saturating_mul(3)],
            ),
            Projections::Separate(parts) => separate(parts, LinearWeights::take),
            Projections::WithoutBias(parts) => separate(parts, LinearWeights::take_without_bias),
        };
        Ok(joined?.init(weights.place()))
    }

    fn norm(&self, weights: &Weights, name: &str) -> Result<LayerNorm, Error> {
        LayerNorm::load(weights, name, self.hidden_size, self.epsilon, weights.place())
    }

    fn optional_norm(
        &self,
        weights: &Weights,
        name: Option<&str>,
    ) -> Result<Option<LayerNorm>, Error> {
        name.map(|name| self.norm(weights, name)).transpose()
    }
}

/// How many numbers a head of the network has.
pub(super) fn head_size(
    hidden: (&'static str, usize),
    heads: (&'static str, usize),
) -> Result<usize, Error> {
    one_or_more(heads)?;
    if hidden.1 == 0 || !hidden.1.is_multiple_of(heads.1) {
        let expected = format!("a multiple of the {} heads", heads.1);
        return Err(config_error(hidden.0, expected, hidden.1));
    }
    Ok(hidden.1 / heads.1)
}

/// Refuses a count of zero in `config.json`.
pub(super) fn one_or_more((key, found): (&'static str, usize)) -> Result<(), Error> {
    if found == 0 { Err(config_error(key, "1 or more", found)) } else { Ok(()) }
}

/// What attention scores are multiplied by, unless a network does it in its own way.
pub(super) fn usual_scale(head_size: usize) -> f32 {
    (head_size as f64).sqrt().recip() as f32
}

/// A value in `config.json` that cannot work.
pub(super) fn config_error(
    key: &'static str,
    expected: impl Into<String>,
    found: impl ToString,
) -> Error {
    Error::Config { key, expected: expected.into(), found: found.to_string() }
}
