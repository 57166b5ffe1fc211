//! The questions to a hub over HTTP, and how patiently they are asked.

use std::io::Read;
use std::thread;
use std::time::Duration;

use ureq::http::Response;
use ureq::typestate::WithoutBody;
use ureq::{Agent, Body, Proxy, RequestBuilder};

use crate::hub::remote::{Asked, RemoteFile, header};
use crate::{HubConfig, HubError};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take, and the next bytes of one.
const STALL: Duration = Duration::from_secs(30);
/// How long a pause may be, whatever the hub asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How many more attempts follow a failure.
const MAX_RETRIES: u32 = 5;
/// How often a repository may have moved.
const MAX_MOVES: u32 = 10;

/// Asks a hub.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) config: HubConfig,
    /// The pause after the first failure.
    pub(crate) pause: Duration,
    agent: Agent,
}

impl Client {
    pub(crate) fn new(config: HubConfig) -> Self {
        Self { config, pause: Duration::from_millis(500), agent: agent(None) }
    }

    pub(crate) fn set_proxy(&mut self, proxy: &str) -> Result<(), HubError> {
        let proxy = Proxy::new(proxy).map_err(|source| HubError::Proxy { source })?;
        self.agent = agent(Some(proxy));
        Ok(())
    }

    /// Asks what a file is.
    pub(crate) fn head<'a>(&self, asked: Asked<'a>) -> Result<RemoteFile<'a>, HubError> {
        let mut failures = 0;
        loop {
            let error = match self.try_head(asked) {
                Ok(remote) => return Ok(remote),
                Err(error) => error,
            };
            failures += 1;
            self.pause_after(failures, error)?;
        }
    }

    fn try_head<'a>(&self, asked: Asked<'a>) -> Result<RemoteFile<'a>, HubError> {
        let mut url = asked.url(&self.config.endpoint);
        let mut moves = 0..MAX_MOVES;
        loop {
            let request = self.agent.head(&url).config().max_redirects(0).build();
            let answer = match self.call(request) {
                Ok(answer) => answer,
                Err(source) => return Err(HubError::Unreachable { url, source }),
            };
            match (answer.status().as_u16(), path_elsewhere(&answer)) {
                (300..400, Some(path)) if moves.next().is_some() => {
                    url = format!("{}{path}", origin(&url));
                }
                (200..400, _) => return RemoteFile::new(asked, url, &answer),
                _ => return Err(asked.refusal(&url, &answer)),
            }
        }
    }

    /// Opens the content of a file at a byte, or at its start if the hub cannot; returns with it
    /// where it was opened. The content may be on another host than the hub, which may be out of
    /// reach while the hub is not.
    pub(crate) fn get(
        &self,
        remote: &RemoteFile<'_>,
        from: u64,
    ) -> Result<(u64, impl Read + use<>), HubError> {
        let mut request = self.agent.get(&remote.url);
        if from > 0 {
            request = request.header("range", format!("bytes={from}-"));
        }
        let unreachable = |source| HubError::Unreachable { url: remote.url.clone(), source };
        let answer = self.call(request).map_err(unreachable)?;
        let range = header(answer.headers(), "content-range").unwrap_or_default();
        let start = match answer.status().as_u16() {
            200 => 0,
            206 if range.starts_with(&format!("bytes {from}-")) => from,
            416 if from > 0 => return self.get(remote, 0),
            _ => return Err(remote.asked.refusal(&remote.url, &answer)),
        };
        Ok((start, answer.into_body().into_reader()))
    }

    fn call(&self, request: RequestBuilder<WithoutBody>) -> Result<Response<Body>, ureq::Error> {
        match &self.config.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")).call(),
            None => request.call(),
        }
    }

    /// Waits after some failures in a row, or gives the last one back where another attempt would
    /// be one too many or of no use.
    pub(crate) fn pause_after(&self, failures: u32, error: HubError) -> Result<(), HubError> {
        let retry_after = match &error {
            HubError::Cut { .. } | HubError::Length { .. } => None,
            HubError::TooManyRequests { retry_after, .. }
            | HubError::Status { status: 500..600, retry_after, .. } => *retry_after,
            _ => return Err(error),
        };
        if failures > MAX_RETRIES {
            return Err(error);
        }
        thread::sleep(pause(self.pause, failures, retry_after));
        Ok(())
    }
}

/// Follows redirects as ureq does by default: without the token, so that only the endpoint's own
/// host sees it.
fn agent(proxy: Option<Proxy>) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .proxy(proxy)
        .user_agent(concat!("gating/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .timeout_resolve(Some(CONNECT))
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(STALL))
        .timeout_per_read(Some(STALL))
        .timeout_per_write(Some(STALL))
        .build()
        .into()
}

/// The path on the same host that an answer sends to, as it does when a repository was renamed.
fn path_elsewhere(answer: &Response<Body>) -> Option<&str> {
    header(answer.headers(), "location")
        .filter(|location| location.starts_with('/') && !location.starts_with("//"))
}

/// The part of an address before its path.
fn origin(url: &str) -> &str {
    url.match_indices('/').nth(2).map_or(url, |(path, _)| &url[..path])
}

/// How long to wait after some failures in a row.
fn pause(first: Duration, failures: u32, retry_after: Option<Duration>) -> Duration {
    let growing = || first.saturating_mul(1 << (failures - 1));
    retry_after.unwrap_or_else(growing).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_pause(failures: u32, retry_after: Option<u64>, expected: u64) {
        let retry_after = retry_after.map(Duration::from_millis);
        let found = pause(Duration::from_millis(500), failures, retry_after);
        assert_eq!(found, Duration::from_millis(expected), "{failures} {retry_after:?}");
    }

    #[test]
    fn pauses_grow_or_are_what_the_hub_asks_for() {
        check_pause(1, None, 500);
        check_pause(2, None, 1_000);
        check_pause(5, None, 8_000);
        check_pause(1, Some(0), 0);
        check_pause(5, Some(3_000), 3_000);
        check_pause(1, Some(3_600_000), 30_000);
    }

    #[test]
    fn an_origin_has_no_path() {
        assert_eq!(origin("https://hub:443/hf/org"), "https://hub:443");
        assert_eq!(origin("https://hub"), "https://hub");
    }
}
