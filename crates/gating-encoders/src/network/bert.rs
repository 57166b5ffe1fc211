//! BERT (Devlin et al., 2018), as `transformers` computes it in evaluation mode.

use burn::module::Module;
use burn::nn::activation::Activation;
use burn::nn::{Embedding, LayerNorm, Linear};
use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use serde::{Deserialize, Serialize};

use super::{Batch, Limits, check_heads, join_heads, split_heads};
use crate::Error;
use crate::layers::{activation, embedding, layer_norm, linear};
use crate::weights::Weights;

/// What `config.json` says of a BERT network.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct BertConfig {
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    hidden_act: String,
    max_position_embeddings: usize,
    type_vocab_size: usize,
    layer_norm_eps: f64,
    /// Only one is known here.
    #[serde(skip_serializing)]
    position_embedding_type: Option<String>,
}

#[derive(Debug, Module)]
pub(crate) struct Bert {
    word_embeddings: Embedding,
    position_embeddings: Embedding,
    token_type_embeddings: Embedding,
    layer_norm: LayerNorm,
    layers: Vec<Layer>,
}

#[derive(Debug, Module)]
struct Layer {
    attention: Attention,
    attention_norm: LayerNorm,
    intermediate: Linear,
    activation: Activation,
    output: Linear,
    output_norm: LayerNorm,
}

#[derive(Debug, Module)]
struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: usize,
}

impl BertConfig {
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            hidden_size: self.hidden_size,
            vocab_size: self.vocab_size,
            max_positions: self.max_position_embeddings,
        }
    }

    pub(crate) fn load(&self, weights: Weights) -> Result<Bert, Error> {
        self.check()?;
        let (w, hidden, epsilon) = (&weights, self.hidden_size, self.layer_norm_eps);
        let table = |name, count| embedding(w, &format!("embeddings.{name}"), [count, hidden]);
        let bert = Bert {
            word_embeddings: table("word_embeddings", self.vocab_size)?,
            position_embeddings: table("position_embeddings", self.max_position_embeddings)?,
            token_type_embeddings: table("token_type_embeddings", self.type_vocab_size)?,
            layer_norm: layer_norm(w, "embeddings.LayerNorm", hidden, epsilon)?,
            layers: (0..self.num_hidden_layers)
                .map(|index| self.layer(w, &format!("encoder.layer.{index}")))
                .collect::<Result<_, _>>()?,
        };
        weights.finish(|name| {
            // The pooler and the heads of pre-training come after the last hidden state.
            ["pooler.", "cls."].iter().any(|unused| name.starts_with(unused))
                || name == "embeddings.position_ids"
        })?;
        Ok(bert)
    }

    fn check(&self) -> Result<(), Error> {
        check_heads(
            ("hidden_size", self.hidden_size),
            ("num_attention_heads", self.num_attention_heads),
        )?;
        match self.position_embedding_type.as_deref() {
            None | Some("absolute") => Ok(()),
            Some(found) => Err(Error::Config {
                key: "position_embedding_type",
                expected: "absolute".to_owned(),
                found: found.to_owned(),
            }),
        }
    }

    fn layer(&self, weights: &Weights, name: &str) -> Result<Layer, Error> {
        let (hidden, inner) = (self.hidden_size, self.intermediate_size);
        let linear = |child, shape| linear(weights, &format!("{name}.{child}"), shape);
        let norm = |child| {
            layer_norm(weights, &format!("{name}.{child}.LayerNorm"), hidden, self.layer_norm_eps)
        };
        Ok(Layer {
            attention: Attention {
                query: linear("attention.self.query", [hidden, hidden])?,
                key: linear("attention.self.key", [hidden, hidden])?,
                value: linear("attention.self.value", [hidden, hidden])?,
                output: linear("attention.output.dense", [hidden, hidden])?,
                heads: self.num_attention_heads,
            },
            attention_norm: norm("attention.output")?,
            intermediate: linear("intermediate.dense", [hidden, inner])?,
            activation: activation("hidden_act", &self.hidden_act, weights.device())?,
            output: linear("output.dense", [inner, hidden])?,
            output_norm: norm("output")?,
        })
    }
}

impl Bert {
    pub(crate) fn forward(&self, batch: Batch) -> Tensor<3> {
        let padding = batch.padding_bias();
        let token_types = batch.positions().zeros_like();
        let states = self.word_embeddings.forward(batch.ids.clone())
            + self.token_type_embeddings.forward(token_types)
            + self.position_embeddings.forward(batch.positions());
        let states = self.layer_norm.forward(states);
        self.layers.iter().fold(states, |states, layer| layer.forward(states, padding.clone()))
    }
}

impl Layer {
    fn forward(&self, states: Tensor<3>, padding: Option<Tensor<4>>) -> Tensor<3> {
        let attended = self.attention.forward(states.clone(), padding);
        let states = self.attention_norm.forward(states + attended);
        let inner = self.activation.forward(self.intermediate.forward(states.clone()));
        self.output_norm.forward(states + self.output.forward(inner))
    }
}

impl Attention {
    fn forward(&self, states: Tensor<3>, padding: Option<Tensor<4>>) -> Tensor<3> {
        let heads = |linear: &Linear| split_heads(linear.forward(states.clone()), self.heads);
        let (query, key, value) = (heads(&self.query), heads(&self.key), heads(&self.value));
        let scale = (query.dims()[3] as f64).sqrt().recip();
        let scores = query.matmul(key.transpose()) * scale;
        let scores = match padding {
            Some(padding) => scores + padding,
            None => scores,
        };
        self.output.forward(join_heads(softmax(scores, 3).matmul(value)))
    }
}
