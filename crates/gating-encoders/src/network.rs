//! The networks, told apart by `config.json`: what their settings and weights are called.

mod architecture;
mod bert;
mod distilbert;
mod gpt2;
mod gpt_neo;
mod mpnet;
mod roberta;

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::place::Place;
use crate::transformer::Transformer;
use crate::weights::{WeightFiles, Weights};
use crate::{Error, ModelFiles};
use bert::BertConfig;
use distilbert::DistilBertConfig;
use gpt_neo::GptNeoConfig;
use gpt2::Gpt2Config;
use mpnet::MpnetConfig;
use roberta::RobertaConfig;

/// The networks that are known here.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum NetworkKind {
    /// BERT and its descendants of the same layout, such as MiniLM.
    Bert,
    /// CamemBERT: RoBERTa by another name.
    Camembert,
    /// DistilBERT.
    DistilBert,
    /// GPT-2 of any size, and DistilGPT2.
    Gpt2,
    /// GPT-Neo of any size.
    GptNeo,
    /// MPNet.
    Mpnet,
    /// RoBERTa of any size, and DistilRoBERTa.
    Roberta,
    /// XLM-RoBERTa: RoBERTa by another name.
    XlmRoberta,
}

impl NetworkKind {
    /// The networks by the `model_type` of their `config.json`.
    const NAMES: [(Self, &str); 8] = [
        (Self::Bert, "bert"),
        (Self::Camembert, "camembert"),
        (Self::DistilBert, "distilbert"),
        (Self::Gpt2, "gpt2"),
        (Self::GptNeo, "gpt_neo"),
        (Self::Mpnet, "mpnet"),
        (Self::Roberta, "roberta"),
        (Self::XlmRoberta, "xlm-roberta"),
    ];

    /// Whether a position sees only those before it, so that the last one has seen them all.
    #[must_use]
    pub const fn is_causal(self) -> bool {
        matches!(self, Self::Gpt2 | Self::GptNeo)
    }

    /// Every name, for people.
    pub(crate) fn names() -> String {
        let names = Self::NAMES.map(|(_, name)| format!("`{name}`"));
        let [first @ .., last] = names;
        format!("{} or {last}", first.join(", "))
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
pub(crate) struct NetworkConfig {
    #[serde(skip)]
    kind: NetworkKind,
    #[serde(flatten)]
    settings: Settings,
}

/// By the keys that they have.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "model_type", rename_all = "snake_case")]
enum Settings {
    Bert(BertConfig),
    DistilBert(DistilBertConfig),
    Gpt2(Gpt2Config),
    GptNeo(GptNeoConfig),
    Mpnet(MpnetConfig),
    Roberta(RobertaConfig),
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
        let kind = files.kind()?;
        let settings = match kind {
            NetworkKind::Bert => Settings::Bert(files.config()?),
            NetworkKind::DistilBert => Settings::DistilBert(files.config()?),
            NetworkKind::Gpt2 => Settings::Gpt2(files.config()?),
            NetworkKind::GptNeo => Settings::GptNeo(files.config()?),
            NetworkKind::Mpnet => Settings::Mpnet(files.config()?),
            NetworkKind::Camembert | NetworkKind::Roberta | NetworkKind::XlmRoberta => {
                Settings::Roberta(files.config()?)
            }
        };
        Ok(Self { kind, settings })
    }

    pub(crate) fn kind(&self) -> NetworkKind {
        self.kind
    }

    pub(crate) fn limits(&self) -> Limits {
        match &self.settings {
            Settings::Bert(config) => config.limits(),
            Settings::DistilBert(config) => config.limits(),
            Settings::Gpt2(config) => config.limits(),
            Settings::GptNeo(config) => config.limits(),
            Settings::Mpnet(config) => config.limits(),
            Settings::Roberta(config) => config.limits(),
        }
    }

    /// Makes the network from its weights.
    pub(crate) fn load(&self, files: &WeightFiles, place: &Place) -> Result<Transformer, Error> {
        let weights = |prefix| Weights::new(files, prefix, place);
        match &self.settings {
            Settings::Bert(config) => config.load(weights("bert.")),
            Settings::DistilBert(config) => config.load(weights("distilbert.")),
            Settings::Gpt2(config) => config.load(weights("transformer.")),
            Settings::GptNeo(config) => config.load(weights("transformer.")),
            Settings::Mpnet(config) => config.load(weights("mpnet.")),
            Settings::Roberta(config) => config.load(weights("roberta.")),
        }
    }
}
