//! GPT-Neo (EleutherAI, 2021), as `transformers` computes it in evaluation mode.

use std::collections::BTreeMap;
use std::iter::repeat_n;

use burn::module::Module;
use burn::nn::activation::Activation;
use burn::nn::{Embedding, LayerNorm, Linear};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::{Batch, Limits, MASKED, check_heads, join_heads, split_heads};
use crate::Error;
use crate::layers::{activation, embedding, layer_norm, linear, linear_without_bias};
use crate::weights::Weights;

/// What `config.json` says of a GPT-Neo network.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct GptNeoConfig {
    vocab_size: usize,
    hidden_size: usize,
    num_layers: usize,
    num_heads: usize,
    /// Four times the hidden size where it is null. The weights tell it too.
    #[serde(skip_serializing)]
    intermediate_size: Option<usize>,
    /// Patterns of `global` and `local` layers, each with how often it is repeated.
    attention_types: Vec<(Vec<AttentionKind>, usize)>,
    window_size: usize,
    activation_function: String,
    max_position_embeddings: usize,
    layer_norm_epsilon: f64,
}

/// What a layer attends to.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum AttentionKind {
    /// Every position up to its own.
    Global,
    /// The last `window_size` positions up to its own.
    Local,
}

#[derive(Debug, Module)]
pub(crate) struct GptNeo {
    token_embeddings: Embedding,
    position_embeddings: Embedding,
    layers: Vec<Layer>,
    final_norm: LayerNorm,
}

#[derive(Debug, Module)]
struct Layer {
    attention_norm: LayerNorm,
    attention: Attention,
    inner_norm: LayerNorm,
    inner: Linear,
    activation: Activation,
    outer: Linear,
}

#[derive(Debug, Module)]
struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: usize,
    /// How many positions are seen, the own one included.
    reach: usize,
}

impl GptNeoConfig {
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            hidden_size: self.hidden_size,
            vocab_size: self.vocab_size,
            max_positions: self.max_position_embeddings,
        }
    }

    pub(crate) fn load(&self, weights: Weights) -> Result<GptNeo, Error> {
        check_heads(("hidden_size", self.hidden_size), ("num_heads", self.num_heads))?;
        let kinds = self.attention_kinds()?;
        let (w, hidden) = (&weights, self.hidden_size);
        let gpt_neo = GptNeo {
            token_embeddings: embedding(w, "wte", [self.vocab_size, hidden])?,
            position_embeddings: embedding(w, "wpe", [self.max_position_embeddings, hidden])?,
            layers: kinds
                .enumerate()
                .map(|(index, kind)| self.layer(w, &format!("h.{index}"), kind))
                .collect::<Result<_, _>>()?,
            final_norm: layer_norm(w, "ln_f", hidden, self.layer_norm_epsilon)?,
        };
        weights.finish(|name| {
            // Masks that older versions saved, and the output layer, which is the token table.
            name.ends_with(".attn.attention.bias")
                || name.ends_with(".attn.attention.masked_bias")
                || name == "lm_head.weight"
        })?;
        Ok(gpt_neo)
    }

    /// What each layer attends to, one after the other: a wrong count costs no memory.
    fn attention_kinds(&self) -> Result<impl Iterator<Item = AttentionKind>, Error> {
        let count = self.attention_types.iter().try_fold(0usize, |count, (pattern, times)| {
            count.checked_add(pattern.len().checked_mul(*times)?)
        });
        if count != Some(self.num_layers) {
            return Err(Error::Config {
                key: "attention_types",
                expected: format!("one for each of the {} layers", self.num_layers),
                found: count.map_or("far too many".to_owned(), |count| count.to_string()),
            });
        }
        if self.window_size == 0 {
            let (expected, found) = ("1 or more".to_owned(), "0".to_owned());
            return Err(Error::Config { key: "window_size", expected, found });
        }
        let repeated = |(pattern, times): &(Vec<AttentionKind>, usize)| {
            repeat_n(pattern.clone(), *times).flatten()
        };
        Ok(self.attention_types.iter().flat_map(repeated))
    }

    fn layer(&self, weights: &Weights, name: &str, kind: AttentionKind) -> Result<Layer, Error> {
        let hidden = self.hidden_size;
        let inner = self.intermediate_size.unwrap_or(4 * hidden);
        let attention = |child| {
            let name = format!("{name}.attn.attention.{child}");
            linear_without_bias(weights, &name, [hidden, hidden])
        };
        let norm = |child| {
            layer_norm(weights, &format!("{name}.{child}"), hidden, self.layer_norm_epsilon)
        };
        let function = &self.activation_function;
        Ok(Layer {
            attention_norm: norm("ln_1")?,
            attention: Attention {
                query: attention("q_proj")?,
                key: attention("k_proj")?,
                value: attention("v_proj")?,
                output: linear(weights, &format!("{name}.attn.attention.out_proj"), [hidden; 2])?,
                heads: self.num_heads,
                reach: match kind {
                    AttentionKind::Global => usize::MAX,
                    AttentionKind::Local => self.window_size,
                },
            },
            inner_norm: norm("ln_2")?,
            inner: linear(weights, &format!("{name}.mlp.c_fc"), [hidden, inner])?,
            activation: activation("activation_function", function, weights.device())?,
            outer: linear(weights, &format!("{name}.mlp.c_proj"), [inner, hidden])?,
        })
    }
}

impl GptNeo {
    /// No padding has to be masked: it lies to the right, where no position looks.
    pub(crate) fn forward(&self, batch: Batch) -> Tensor<3> {
        let states = self.token_embeddings.forward(batch.ids.clone())
            + self.position_embeddings.forward(batch.positions());
        let (length, device) = (batch.length(), states.device());
        let mut biases = BTreeMap::new();
        let states = self.layers.iter().fold(states, |states, layer| {
            let reach = layer.attention.reach.min(length);
            let bias = biases.entry(reach).or_insert_with(|| causal_bias(length, reach, &device));
            layer.forward(states, bias.clone())
        });
        self.final_norm.forward(states)
    }
}

impl Layer {
    fn forward(&self, states: Tensor<3>, bias: Tensor<4>) -> Tensor<3> {
        let attended = self.attention.forward(self.attention_norm.forward(states.clone()), bias);
        let states = states + attended;
        let inner = self.inner.forward(self.inner_norm.forward(states.clone()));
        states + self.outer.forward(self.activation.forward(inner))
    }
}

impl Attention {
    /// Attention scores are not scaled in GPT-Neo.
    fn forward(&self, states: Tensor<3>, bias: Tensor<4>) -> Tensor<3> {
        let heads = |linear: &Linear| split_heads(linear.forward(states.clone()), self.heads);
        let (query, key, value) = (heads(&self.query), heads(&self.key), heads(&self.value));
        let scores = query.matmul(key.transpose()) + bias;
        self.output.forward(join_heads(softmax(scores, 3).matmul(value)))
    }
}

/// What to add to attention scores so that a position sees only the last `reach` up to its own:
/// `[1, 1, length, length]`.
fn causal_bias(length: usize, reach: usize, device: &Device) -> Tensor<4> {
    let sees = |query: usize, key: usize| key <= query && query - key < reach;
    let bias: Vec<f32> = (0..length * length)
        .map(|at| if sees(at / length, at % length) { 0.0 } else { MASKED })
        .collect();
    Tensor::from_data(TensorData::new(bias, [1, 1, length, length]), device)
}
