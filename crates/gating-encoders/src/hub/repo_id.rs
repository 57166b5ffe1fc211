//! The name of a repository, and of a revision of it.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use crate::HubError;

/// The name of a model repository: `org/name`, or `name` for some old ones.
///
/// It holds nothing that could lead a path or an address elsewhere.
///
/// # Example
///
/// ```
/// use gating_encoders::RepoId;
///
/// assert!("sentence-transformers/all-MiniLM-L6-v2".parse::<RepoId>().is_ok());
/// assert!("../../etc".parse::<RepoId>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoId(String);

impl RepoId {
    /// The repository that a folder of the cache belongs to.
    pub(crate) fn from_folder(folder: &str) -> Option<Self> {
        folder.strip_prefix("models--")?.replacen("--", "/", 1).parse().ok()
    }

    /// Its folder in the cache.
    pub(crate) fn folder(&self) -> String {
        format!("models--{}", self.0.replace('/', "--"))
    }
}

impl FromStr for RepoId {
    type Err = HubError;

    /// Takes what the hub takes as a name (`huggingface_hub`, `utils/_validators.py`, 2025).
    fn from_str(text: &str) -> Result<Self, HubError> {
        let fits = text.split('/').count() <= 2
            && text.split('/').all(|part| is_name(part) && part.len() <= 96)
            && !text.contains("--")
            && !text.ends_with(".git");
        if !fits {
            return Err(HubError::RepoId { found: text.to_owned() });
        }
        Ok(Self(text.to_owned()))
    }
}

impl Display for RepoId {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whether a text can be the name of one file on any system.
pub(crate) fn is_name(text: &str) -> bool {
    let edge = |character: char| matches!(character, '.' | '-');
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        && !text.starts_with(edge)
        && !text.ends_with(edge)
        && !text.contains("..")
}

/// Whether a text is the full name of a commit.
pub(crate) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Refuses what cannot name a branch, a tag or a commit (`git check-ref-format`), or would be
/// another path than it seems.
pub(crate) fn check_revision(text: &str) -> Result<(), HubError> {
    let fits = text.split('/').all(|part| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && !part.contains("..")
            && !part.contains(|character: char| {
                character.is_control() || " ~^:?*[\\\"<>|".contains(character)
            })
    });
    fits.then_some(()).ok_or_else(|| HubError::Revision { found: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_repo(text: &str, folder: Option<&str>) {
        let repo = text.parse::<RepoId>().ok();
        assert_eq!(repo.as_ref().map(RepoId::folder).as_deref(), folder, "{text}");
        if let Some(folder) = folder {
            assert_eq!(RepoId::from_folder(folder), repo, "{text}");
        }
    }

    #[test]
    fn repositories_stay_in_their_folder() {
        check_repo("org/name", Some("models--org--name"));
        check_repo("gpt2", Some("models--gpt2"));
        check_repo("BAAI/bge-small_en.v1.5", Some("models--BAAI--bge-small_en.v1.5"));
        for text in ["", "/", "../x", "a/..", "a/b/c", "/etc", "a/", "a//b", "a\\b", "C:x"] {
            check_repo(text, None);
        }
        for text in ["a--b", "a/.b", "a/b-", "a/b..c", "a/b.git", "a/b c", "a/ä", "a?b"] {
            check_repo(text, None);
        }
        check_repo(&"a".repeat(97), None);
    }

    fn check_is_revision(text: &str, expected: bool) {
        assert_eq!(check_revision(text).is_ok(), expected, "{text}");
    }

    #[test]
    fn revisions_stay_in_their_folder() {
        for text in ["main", "v1.0", "refs/pr/1", "feature/a-b_c", "grün"] {
            check_is_revision(text, true);
        }
        for text in ["", "..", "../main", "a/../b", "/a", "a/", "a//b", ".a", "a\\b", "C:", "a b"] {
            check_is_revision(text, false);
        }
    }
}
