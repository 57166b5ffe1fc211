//! Downloads of pretrained encoders from a model hub, into the cache that all its tools share.

mod cache;
mod checksum;
mod client;
mod config;
mod download;
mod error;
mod remote;
mod repo_id;
mod verify;

use std::path::PathBuf;
use std::time::Duration;

pub use cache::CachedModel;
pub use config::HubConfig;
pub use error::HubError;
pub use repo_id::RepoId;
pub use verify::verify_snapshot;

use crate::{pooling, tokenization, weights};
use cache::RepoCache;
use client::Client;
use remote::Asked;
use repo_id::{check_revision, is_commit};

/// What tells more about an encoder, where there is any. It is downloaded first.
const OPTIONAL: [&str; 6] = [
    "modules.json",
    "sentence_bert_config.json",
    "special_tokens_map.json",
    "1_Pooling/config.json",
    "tokenizer_config.json",
    "added_tokens.json",
];

/// What every encoder has, besides a tokenizer and weights.
const CONFIG: &str = "config.json";

/// How far the download of a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The file, as the repository names it.
    pub file: String,
    /// How many of its bytes are here, those of earlier attempts included.
    pub done: u64,
    /// How many there will be, if the hub tells.
    pub total: Option<u64>,
}

/// A model hub and the cache of what was downloaded from it.
///
/// The cache is laid out as the Python library `huggingface_hub` does it, so that each finds what
/// the other downloaded. A proxy is used only where [`Hub::with_proxy`] names one.
#[derive(Debug)]
pub struct Hub {
    client: Client,
}

impl Hub {
    /// A hub to ask; nothing is asked or written yet.
    #[must_use]
    pub fn new(config: HubConfig) -> Self {
        Self { client: Client::new(config) }
    }

    /// Goes through a proxy, such as `http://user:password@proxy:3128`.
    ///
    /// # Errors
    ///
    /// When the address is none of a proxy.
    pub fn with_proxy(mut self, proxy: &str) -> Result<Self, HubError> {
        self.client.set_proxy(proxy)?;
        Ok(self)
    }

    /// Sets the pause before the first of several attempts in a row: half a second, doubled for
    /// each that follows, if the hub asks for no other. A mirror close by can be asked again
    /// sooner, and one that many share later.
    #[must_use]
    pub fn with_pause(mut self, pause: Duration) -> Self {
        self.client.pause = pause;
        self
    }

    /// Downloads what is missing of an encoder, and returns its folder.
    ///
    /// A complete snapshot of a full commit never changes: it is returned without the network, as
    /// is that of any revision when offline. Files that are in the snapshot make no progress.
    ///
    /// # Errors
    ///
    /// When the revision is none, the hub is out of reach or refuses, a file does not arrive whole
    /// or the cache cannot be written to. What arrived of a file is kept for the next attempt,
    /// unless it is wrong.
    pub fn pull(
        &self,
        repo: &RepoId,
        revision: &str,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<PathBuf, HubError> {
        check_revision(revision)?;
        match self.cached(repo, revision) {
            Some(folder) if self.config().offline || is_commit(revision) => Ok(folder),
            None if self.config().offline => {
                Err(HubError::Offline { repo: repo.clone(), revision: revision.to_owned() })
            }
            _ => self.download(repo, revision, progress),
        }
    }

    /// The folder of an encoder that is in the cache with all it needs. Asks nobody.
    #[must_use]
    pub fn cached(&self, repo: &RepoId, revision: &str) -> Option<PathBuf> {
        check_revision(revision).ok()?;
        let cache = self.cache(repo);
        let commit = cache.commit(revision)?;
        let has = |file: &&str| cache.has(&commit, file);
        let folder = cache.snapshot(&commit);
        let has_tokenizer = tokenization::ANY.iter().any(|files| files.iter().all(has));
        let has_weights = weights::NAMES.iter().any(|file| {
            let shards = || weights::shards(&folder.join(file)).unwrap_or_default();
            has(file) && shards().iter().all(|shard| has(&shard.as_str()))
        });
        (has(&CONFIG) && has_tokenizer && has_weights).then_some(folder)
    }

    /// The models in the cache that have a configuration and weights, whoever downloaded them,
    /// ordered by repository and commit.
    #[must_use]
    pub fn list(&self) -> Vec<CachedModel> {
        cache::list(&self.config().cache)
    }

    fn config(&self) -> &HubConfig {
        &self.client.config
    }

    fn cache(&self, repo: &RepoId) -> RepoCache {
        RepoCache::new(&self.config().cache, repo)
    }

    fn download(
        &self,
        repo: &RepoId,
        revision: &str,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<PathBuf, HubError> {
        // Files are asked for by commit, so that a push meanwhile does not mix two snapshots.
        let commit = self.commit(repo, revision)?;
        let mut download_file =
            |file: &str| self.download_file(Asked { repo, revision: &commit, file }, progress);
        for file in OPTIONAL {
            match download_file(file) {
                Err(HubError::FileNotFound { .. }) => {}
                downloaded => downloaded?,
            }
        }
        let folder = self.cache(repo).snapshot(&commit);
        for file in pooling::config_files(&folder) {
            match download_file(&file) {
                Err(HubError::FileNotFound { .. }) => {}
                downloaded => downloaded?,
            }
        }
        download_file(CONFIG)?;
        download_any(&tokenization::ANY, &mut download_file)?;
        // The weights come last of all, so that a snapshot with weights lacks nothing that was to
        // be had, however a download ended.
        let name = download_any(&weights::NAMES.map(|name| [name]), &mut download_file)?;
        // What is wrong with an index is said when the model is loaded.
        for shard in weights::shards(&folder.join(name)).unwrap_or_default() {
            download_file(&shard)?;
        }
        let cache = self.cache(repo);
        cache.write_ref(revision, &commit)?;
        Ok(cache.snapshot(&commit))
    }

    /// The commit that a revision stands for now.
    fn commit(&self, repo: &RepoId, revision: &str) -> Result<String, HubError> {
        if is_commit(revision) {
            return Ok(revision.to_owned());
        }
        Ok(self.client.head(Asked { repo, revision, file: CONFIG })?.commit)
    }

    fn download_file(
        &self,
        asked: Asked<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), HubError> {
        let Asked { repo, revision: commit, file } = asked;
        let cache = self.cache(repo);
        if cache.has(commit, file) {
            return Ok(());
        }
        let remote = self.client.head(asked)?;
        if remote.commit != commit {
            let expected = commit.to_owned();
            return Err(HubError::OtherCommit { url: remote.url, expected, found: remote.commit });
        }
        let _lock = cache.lock(&remote.etag)?;
        download::download(&self.client, &remote, &cache.blob(&remote.etag), progress)?;
        cache.link(commit, file, &remote.etag)
    }
}

/// Downloads the first files of several choices that are there, and returns the first of them.
/// Where none are, the first file of all is what is missing.
fn download_any<'a>(
    choices: &[impl AsRef<[&'a str]>],
    download_file: &mut dyn FnMut(&str) -> Result<(), HubError>,
) -> Result<&'a str, HubError> {
    let mut missing = None;
    for files in choices {
        match files.as_ref().iter().try_for_each(|file| download_file(file)) {
            Ok(()) => return Ok(files.as_ref()[0]),
            Err(error @ HubError::FileNotFound { .. }) => missing = missing.or(Some(error)),
            Err(error) => return Err(error),
        }
    }
    Err(missing.expect("there is a choice"))
}
