//! How a window's hidden states become one vector, as the files of `sentence-transformers` say it.

use std::path::{Component, Path};

use burn::tensor::Tensor;
use gating_kernels::Pick;
use serde::Deserialize;

use crate::attention::Windows;
use crate::{Error, ModelFiles};

const MODULES: &str = "modules.json";

/// How a window's hidden states become one vector.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Pooling {
    /// The state of the first token, which many tokenizers set there for this.
    First,
    /// The state of the last token.
    Last,
    /// The largest of every number.
    Max,
    /// The mean, as the reference takes it from every network.
    #[default]
    Mean,
}

/// The modes that are known here by the names that they have, and the key that says whether one is
/// taken in files of older versions.
///
/// A sum divided by the root of the length is a mean by another length, which normalizing takes
/// away.
const MODES: [(&str, &str, Pooling); 5] = [
    ("cls", "pooling_mode_cls_token", Pooling::First),
    ("lasttoken", "pooling_mode_lasttoken", Pooling::Last),
    ("max", "pooling_mode_max_tokens", Pooling::Max),
    ("mean", "pooling_mode_mean_tokens", Pooling::Mean),
    ("mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens", Pooling::Mean),
];

impl Pooling {
    /// What `modules.json` and the file of its pooling module say; the mean where they say nothing.
    pub(crate) fn read(files: &ModelFiles) -> Result<Self, Error> {
        let modules: Vec<Module> = files.optional(MODULES)?.unwrap_or_default();
        let mut pooling = Self::default();
        for Module { kind, path } in modules {
            match kind.rsplit('.').next().unwrap_or_default() {
                // Every window is normalized, and nothing is dropped out in evaluation mode.
                "Transformer" | "Normalize" | "Dropout" => {}
                "Pooling" => pooling = Self::read_config(files, &path)?,
                _ => return Err(Error::Module { found: kind }),
            }
        }
        Ok(pooling)
    }

    fn read_config(files: &ModelFiles, folder: &str) -> Result<Self, Error> {
        let is_normal = |component| matches!(component, Component::Normal(_));
        if !Path::new(folder).components().all(is_normal) {
            return Err(Error::ModulePath { found: folder.to_owned() });
        }
        let path = Path::new(folder).join("config.json");
        let file = path.to_str().expect("it was made of texts");
        files.json::<PoolingConfig>(file)?.pooling()
    }

    /// The mode, for the id of an encoder.
    pub(crate) fn name(self) -> &'static str {
        let mode = MODES.iter().find(|(_, _, pooling)| *pooling == self);
        mode.expect("every pooling has a name").0
    }

    /// Every mode, for people.
    pub(crate) fn names() -> String {
        MODES.map(|(name, _, _)| name).join(", ")
    }

    /// The states that it takes.
    pub(crate) fn pick(self) -> Pick {
        match self {
            Self::First => Pick::First,
            Self::Last => Pick::Last,
            Self::Max | Self::Mean => Pick::All,
        }
    }

    /// A vector for each window.
    ///
    /// # Shapes
    ///
    /// - states: `[picked, hidden]`
    /// - output: `[windows, hidden]`
    pub(crate) fn pool(self, states: Tensor<2>, windows: &Windows) -> Tensor<2> {
        match self {
            Self::First | Self::Last => states,
            Self::Max => windows.max(&states),
            Self::Mean => windows.mean(&states),
        }
    }
}

/// One step of `modules.json`.
#[derive(Deserialize)]
struct Module {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    path: String,
}

/// Newer versions name the modes; older ones have a key for each.
#[derive(Deserialize)]
struct PoolingConfig {
    pooling_mode: Option<Modes>,
    #[serde(flatten)]
    others: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Modes {
    One(String),
    Several(Vec<String>),
}

impl PoolingConfig {
    fn pooling(self) -> Result<Pooling, Error> {
        let modes = match self.pooling_mode {
            Some(Modes::One(mode)) => vec![mode],
            Some(Modes::Several(modes)) => modes,
            None => {
                let taken = |(key, value): &(String, serde_json::Value)| {
                    key.starts_with("pooling_mode_") && *value == true
                };
                self.others.into_iter().filter(taken).map(|(key, _)| key).collect()
            }
        };
        let known = |mode: &str| MODES.iter().find(|(name, key, _)| [*name, *key].contains(&mode));
        let pooling = match modes.as_slice() {
            [] => Some(Pooling::default()),
            [mode] => known(mode).map(|(_, _, pooling)| *pooling),
            _ => None,
        };
        pooling.ok_or_else(|| Error::Pooling { found: modes.join(" and ") })
    }
}
