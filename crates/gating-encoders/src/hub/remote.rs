//! One file of a repository, and what the hub says about it.

use std::time::Duration;

use ureq::Body;
use ureq::http::{HeaderMap, Response};

use crate::hub::repo_id::{is_commit, is_name};
use crate::{HubError, RepoId};

/// One file of one revision of a repository.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) repo: &'a RepoId,
    pub(crate) revision: &'a str,
    pub(crate) file: &'a str,
}

impl Asked<'_> {
    /// Its address on a hub.
    pub(crate) fn url(&self, endpoint: &str) -> String {
        let Self { repo, revision, file } = self;
        let endpoint = endpoint.trim_end_matches('/');
        format!("{endpoint}/{repo}/resolve/{}/{file}", percent_encode(revision))
    }

    /// What an answer means that is no file. The hub tells in a header of its own what it lacks.
    pub(crate) fn refusal(&self, url: &str, answer: &Response<Body>) -> HubError {
        let (repo, url) = (self.repo.clone(), url.to_owned());
        let (revision, file) = (self.revision.to_owned(), self.file.to_owned());
        let retry_after = header(answer.headers(), "retry-after")
            .and_then(|seconds| Some(Duration::from_secs(seconds.parse().ok()?)));
        match (answer.status().as_u16(), header(answer.headers(), "x-error-code")) {
            (401, Some("GatedRepo")) | (403, _) => HubError::Forbidden { repo },
            (401, _) => HubError::Unauthorized { repo },
            (404, Some("RepoNotFound")) => HubError::RepoNotFound { repo },
            (404, Some("RevisionNotFound")) => HubError::RevisionNotFound { repo, revision },
            (404, _) => HubError::FileNotFound { repo, revision, file },
            (429, _) => HubError::TooManyRequests { url, retry_after },
            (status, _) => HubError::Status { url, status, retry_after },
        }
    }
}

/// What the hub says about a file.
#[derive(Debug)]
pub(crate) struct RemoteFile<'a> {
    pub(crate) asked: Asked<'a>,
    /// Where it is, on the hub's own host.
    pub(crate) url: String,
    pub(crate) commit: String,
    pub(crate) etag: String,
    pub(crate) size: Option<u64>,
}

impl<'a> RemoteFile<'a> {
    /// Takes the headers of an answer, and nothing in them that could lead a path elsewhere.
    pub(crate) fn new(
        asked: Asked<'a>,
        url: String,
        answer: &Response<Body>,
    ) -> Result<Self, HubError> {
        let headers = answer.headers();
        // An answer that points to the file has an etag and a length of its own.
        let linked = headers.contains_key("x-linked-etag");
        let (etag, length) =
            if linked { ("x-linked-etag", "x-linked-size") } else { ("etag", "content-length") };
        Ok(Self {
            asked,
            commit: checked_header(headers, &url, "x-repo-commit", is_commit)?,
            etag: checked_header(headers, &url, etag, is_name)?,
            size: header(headers, length)
                .filter(|_| linked || answer.status().is_success())
                .and_then(|size| size.parse().ok()),
            url,
        })
    }
}

/// The value of a header that must be there, without the quotes of an etag.
fn checked_header(
    headers: &HeaderMap,
    url: &str,
    name: &'static str,
    fits: fn(&str) -> bool,
) -> Result<String, HubError> {
    let found = header(headers, name).unwrap_or_default();
    let found = found.trim_start_matches("W/").trim_matches('"').to_owned();
    if !fits(&found) {
        return Err(HubError::Header { url: url.to_owned(), name, found });
    }
    Ok(found)
}

/// The value of a header, if it is there and text.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn percent_encode(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_url(endpoint: &str, revision: &str, expected: &str) {
        let repo = "org/name".parse().expect("a repository");
        let asked = Asked { repo: &repo, revision, file: "1_Pooling/config.json" };
        assert_eq!(asked.url(endpoint), expected);
    }

    #[test]
    fn addresses_are_those_of_the_hub() {
        check_url("https://hub", "main", "https://hub/org/name/resolve/main/1_Pooling/config.json");
        check_url(
            "http://localhost:80/hf/",
            "refs/pr/1",
            "http://localhost:80/hf/org/name/resolve/refs%2Fpr%2F1/1_Pooling/config.json",
        );
    }
}
