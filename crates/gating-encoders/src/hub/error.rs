//! What can go wrong with a download.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::RepoId;

/// What can go wrong with a download.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// A text that cannot name a repository.
    #[error("expected a repository such as `org/name`, found `{found}`")]
    RepoId {
        /// The text.
        found: String,
    },
    /// A text that cannot name a revision.
    #[error("expected a branch, tag or commit, found `{found}`")]
    Revision {
        /// The text.
        found: String,
    },
    /// An address that is none of a proxy. It may hold a password, and is not shown for that.
    #[error("expected a proxy such as `http://proxy:3128`")]
    Proxy {
        /// What is wrong with it.
        source: ureq::Error,
    },
    /// The network is not to be used, and the cache lacks something.
    #[error("`{repo}` at `{revision}` is not in the cache, and the network is not to be used")]
    Offline {
        /// The repository.
        repo: RepoId,
        /// The revision.
        revision: String,
    },
    /// No answer from the hub, or not a byte from the host that has its files: what is in the cache
    /// may do.
    #[error("cannot reach {url}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// Why there is no answer.
        source: ureq::Error,
    },
    /// 401: the hub wants to know who asks.
    #[error("`{repo}` does not exist, or the hub wants another token for it")]
    Unauthorized {
        /// The repository.
        repo: RepoId,
    },
    /// 403: who asks has no access.
    #[error("access to `{repo}` is gated or forbidden, and the token does not open it")]
    Forbidden {
        /// The repository.
        repo: RepoId,
    },
    /// 404: the hub has no such repository.
    #[error("the hub has no repository `{repo}`")]
    RepoNotFound {
        /// The repository.
        repo: RepoId,
    },
    /// 404: the repository has no such revision.
    #[error("`{repo}` has no revision `{revision}`")]
    RevisionNotFound {
        /// The repository.
        repo: RepoId,
        /// The revision.
        revision: String,
    },
    /// 404: the revision has no such file.
    #[error("`{repo}` has no file `{file}` at revision `{revision}`")]
    FileNotFound {
        /// The repository.
        repo: RepoId,
        /// The revision.
        revision: String,
        /// The file.
        file: String,
    },
    /// 429, again and again: who asks has asked too much.
    #[error("too many requests for {url}")]
    TooManyRequests {
        /// What was asked for.
        url: String,
        /// How long the hub asks to wait.
        retry_after: Option<Duration>,
    },
    /// Another answer than a file, or that there is none.
    #[error("unexpected status {status} for {url}")]
    Status {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
        /// How long the hub asks to wait.
        retry_after: Option<Duration>,
    },
    /// An answer that no hub gives.
    #[error("expected header `{name}` to name one for {url}, found `{found}`")]
    Header {
        /// What was asked for.
        url: String,
        /// The header.
        name: &'static str,
        /// What it holds, if it is there.
        found: String,
    },
    /// A file of one commit was asked for, and one of another was offered.
    #[error("expected commit {expected} for {url}, found {found}")]
    OtherCommit {
        /// What was asked for.
        url: String,
        /// The commit that was asked for.
        expected: String,
        /// The commit that was offered.
        found: String,
    },
    /// The connection was cut again and again without a byte in between.
    #[error("the download of `{file}` was cut at byte {done}, again and again")]
    Cut {
        /// The file.
        file: String,
        /// How many bytes are here; the next download goes on from them.
        done: u64,
        /// What happened the last time.
        source: io::Error,
    },
    /// A file is longer or shorter than the hub said.
    #[error("expected {expected} bytes of `{file}`, found {found}")]
    Length {
        /// The file.
        file: String,
        /// How many bytes the hub said there are.
        expected: u64,
        /// How many came.
        found: u64,
    },
    /// A file is not what the hub said.
    #[error("expected checksum {expected} of `{file}`, found {found}")]
    Checksum {
        /// The file.
        file: String,
        /// The checksum that the hub gave.
        expected: String,
        /// The checksum of what came.
        found: String,
    },
    /// A file or folder of the cache cannot be read or written.
    #[error("cannot access the cache at {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl HubError {
    /// Tells which path of the cache an error of the system is about.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}
