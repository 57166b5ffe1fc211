//! How a window's hidden states become one vector, as the files of `sentence-transformers` say it.

use std::path::{Component, Path};

use burn::tensor::Tensor;
use gating_kernels::Pick;
use serde::Deserialize;

use crate::attention::Windows;
#[cfg(feature = "hub")]
use crate::files::optional_json;
use crate::{Error, ModelFiles};

const MODULES: &str = "modules.json";
/// The class of the modules that pool.
const POOLING: &str = "Pooling";
/// What each module's folder says of it.
const CONFIG: &str = "config.json";

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
        for module in modules {
            match module.name() {
                // Every window is normalized, and nothing is dropped out in evaluation mode.
                "Transformer" | "Normalize" | "Dropout" => {}
                POOLING => pooling = Self::read_config(files, &module.path)?,
                _ => return Err(Error::Module { found: module.kind }),
            }
        }
        Ok(pooling)
    }

    fn read_config(files: &ModelFiles, module: &str) -> Result<Self, Error> {
        let file = config_file(module)?;
        let config: Option<PoolingConfig> = files.optional(&file)?;
        let missing = || Error::NoFile { folder: files.folder().to_owned(), file };
        config.ok_or_else(missing)?.pooling()
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

/// The files that the pooling modules of a folder have. None where what names them cannot be used, which
/// is told when the model is loaded.
#[cfg(feature = "hub")]
pub(crate) fn config_files(folder: &Path) -> Vec<String> {
    let modules: Vec<Module> =
        optional_json(&folder.join(MODULES)).ok().flatten().unwrap_or_default();
    let pooling = modules.iter().filter(|module| module.name() == POOLING);
    pooling.filter_map(|module| config_file(&module.path).ok()).collect()
}

/// The file of a module, which lies in the model's folder.
fn config_file(module: &str) -> Result<String, Error> {
    let is_normal = |component| matches!(component, Component::Normal(_));
    if !Path::new(module).components().all(is_normal) {
        return Err(Error::ModulePath { found: module.to_owned() });
    }
    let module = module.trim_end_matches('/');
    Ok(if module.is_empty() { CONFIG.to_owned() } else { format!("{module}/{CONFIG}") })
}

/// One step of `modules.json`.
#[derive(Deserialize)]
struct Module {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    path: String,
}

impl Module {
    /// The name of its class, which lies elsewhere in newer versions.
    fn name(&self) -> &str {
        self.kind.rsplit('.').next().unwrap_or_default()
    }
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
