//! A repository on a hub that behaves as huggingface.co does, and a cache to download it to.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gating_encoders::{Hub, HubConfig, HubError, Progress, RepoId};
use tempfile::TempDir;

use crate::server::{Answer, Request, Server};

/// The commit that `main` stands for.
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// The small files with their etags, which are what `git hash-object` says.
pub(crate) const FILES: [(&str, &str, &str); 5] = [
    ("modules.json", "[]", "0637a088a01e8ddab3bf3fa98dbe804cbde1a0dc"),
    (
        "1_Pooling/config.json",
        r#"{"pooling_mode_mean_tokens":true}"#,
        "15449a48bab4cd8012015a9f0e9e47143fe1babc",
    ),
    ("config.json", r#"{"model_type":"bert"}"#, "3967ff7fee9d40eb77abadd6a292230496ca9f24"),
    ("tokenizer.json", r#"{"version":"1.0"}"#, "22ec89ab90889036bc14d5b1bb6109974ef95582"),
    ("tokenizer_config.json", "{}", "9e26dfeeb6e641a33dae4961196235bdb965b21b"),
];

/// The large file.
pub(crate) const WEIGHTS: &str = "model.safetensors";
/// Its etag, which is what `sha256sum` says.
pub(crate) const WEIGHTS_ETAG: &str =
    "f101963580e7deb59f09073f328223c0f1311e93fddc2b4b1c6b6037590dd5a1";
/// Its length.
pub(crate) const WEIGHTS_LENGTH: usize = 700_000;

pub(crate) fn weights() -> Vec<u8> {
    (0..WEIGHTS_LENGTH).map(|index| (index % 251) as u8).collect()
}

/// A hub, a server elsewhere that has the large file, and a cache.
pub(crate) struct Fixture {
    pub(crate) hub: Server,
    pub(crate) elsewhere: Server,
    pub(crate) repo: RepoId,
    cache: TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with_hub(|_, answer| answer)
    }

    /// A hub whose answers are changed.
    pub(crate) fn with_hub(
        change: impl Fn(&Request, Answer) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::with(change, |_, answer| answer)
    }

    /// A server elsewhere whose answers are changed.
    pub(crate) fn with_elsewhere(
        change: impl Fn(&Request, Answer) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::with(|_, answer| answer, change)
    }

    /// Two servers whose answers are changed.
    pub(crate) fn with(
        change_hub: impl Fn(&Request, Answer) -> Answer + Send + Sync + 'static,
        change_elsewhere: impl Fn(&Request, Answer) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let elsewhere =
            Server::start(move |request| change_elsewhere(request, content(request, &weights())));
        let large = format!("{}/{WEIGHTS_ETAG}?signature=1", elsewhere.url());
        let hub = Server::start(move |request| change_hub(request, resolve(request, &large)));
        let repo = "org/name".parse().expect("a repository");
        Self { hub, elsewhere, repo, cache: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn config(&self) -> HubConfig {
        HubConfig {
            endpoint: self.hub.url(),
            cache: self.cache.path().to_owned(),
            token: Some("secret".to_owned()),
            offline: false,
        }
    }

    pub(crate) fn client(&self) -> Hub {
        client(self.config())
    }

    /// Downloads `main`.
    pub(crate) fn pull(&self) -> Result<PathBuf, HubError> {
        self.client().pull(&self.repo, "main", &mut |_| {})
    }

    /// Downloads `main`, and returns what was reported of a file.
    pub(crate) fn pull_and_watch(&self, file: &str) -> (Result<PathBuf, HubError>, Vec<Progress>) {
        let mut reports = Vec::new();
        let pulled = self.client().pull(&self.repo, "main", &mut |report| reports.push(report));
        reports.retain(|report| report.file == file);
        (pulled, reports)
    }

    /// A path in the folder of the repository.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.cache.path().join("models--org--name").join(path)
    }

    /// Where the large file belongs.
    pub(crate) fn weights(&self) -> PathBuf {
        self.path("blobs").join(WEIGHTS_ETAG)
    }

    /// Where the large file is while it is not whole.
    pub(crate) fn partial_weights(&self) -> PathBuf {
        self.weights().with_extension("incomplete")
    }
}

/// A hub that never sleeps between attempts.
pub(crate) fn client(config: HubConfig) -> Hub {
    Hub::new(config).with_pause(Duration::ZERO)
}

/// Changes the first answers to the requests for a file.
pub(crate) fn first(
    times: usize,
    method: &'static str,
    file: &'static str,
    change: impl Fn(Answer) -> Answer + Send + Sync + 'static,
) -> impl Fn(&Request, Answer) -> Answer + Send + Sync + 'static {
    let count = AtomicUsize::new(0);
    move |request, answer| {
        let fits = request.method == method && request.path.ends_with(file);
        if fits && count.fetch_add(1, Ordering::SeqCst) < times { change(answer) } else { answer }
    }
}

/// Changes all answers to the requests for a file.
pub(crate) fn always(
    method: &'static str,
    file: &'static str,
    change: impl Fn(Answer) -> Answer + Send + Sync + 'static,
) -> impl Fn(&Request, Answer) -> Answer + Send + Sync + 'static {
    first(usize::MAX, method, file, change)
}

/// Answers for the hub itself.
fn resolve(request: &Request, large: &str) -> Answer {
    let missing = |code| Answer::new(404).with("x-error-code", code);
    let Some(path) = request.path.strip_prefix("/org/name/resolve/") else {
        return missing("RepoNotFound");
    };
    let Some((revision, file)) = path.split_once('/') else {
        return missing("RevisionNotFound");
    };
    if !["main", "refs%2Fpr%2F1", COMMIT].contains(&revision) {
        return missing("RevisionNotFound");
    }
    if file == WEIGHTS {
        return Answer::new(302)
            .with("x-repo-commit", COMMIT)
            .with("x-linked-etag", format!("\"{WEIGHTS_ETAG}\""))
            .with("x-linked-size", WEIGHTS_LENGTH.to_string())
            .with("location", large)
            .with_body(b"it is elsewhere");
    }
    match FILES.iter().find(|(name, ..)| *name == file) {
        Some((_, text, etag)) => content(request, text.as_bytes())
            .with("x-repo-commit", COMMIT)
            .with("etag", format!("W/\"{etag}\"")),
        None => missing("EntryNotFound"),
    }
}

/// Answers with a file, or the range of it that was asked for.
fn content(request: &Request, bytes: &[u8]) -> Answer {
    match request.from {
        None => Answer::new(200).with_body(bytes),
        Some(from) if from >= bytes.len() => Answer::new(416),
        Some(from) => Answer::new(206)
            .with("content-range", format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len()))
            .with_body(&bytes[from..]),
    }
}
