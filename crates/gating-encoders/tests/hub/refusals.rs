//! Answers that are no file.

use std::fs;

use gating_encoders::{HubConfig, HubError, RepoId};

use crate::fixture::{COMMIT, Fixture, WEIGHTS, always, client, weights};
use crate::server::{Answer, Request};

/// Answers a question about the configuration with a status, and maybe the hub's own code.
fn refused(status: u16, code: &'static str) -> HubError {
    let answer = move |_| Answer::new(status).with("x-error-code", code).with("retry-after", "0");
    Fixture::with_hub(always("HEAD", "main/config.json", answer)).pull().expect_err("a refusal")
}

fn check(status: u16, code: &'static str, expected: &str) {
    assert_eq!(refused(status, code).to_string(), expected);
}

#[test]
fn refusals_say_what_is_missing() {
    let denied = "`org/name` does not exist, or the hub wants another token for it";
    let gated = "access to `org/name` is gated or forbidden, and the token does not open it";
    check(401, "", denied);
    check(401, "RepoNotFound", denied);
    check(401, "GatedRepo", gated);
    check(403, "GatedRepo", gated);
    check(403, "", gated);
    check(404, "RepoNotFound", "the hub has no repository `org/name`");
    check(404, "RevisionNotFound", "`org/name` has no revision `main`");
    check(404, "EntryNotFound", "`org/name` has no file `config.json` at revision `main`");
    check(404, "", "`org/name` has no file `config.json` at revision `main`");
}

#[test]
fn other_statuses_are_told() {
    assert!(matches!(refused(418, ""), HubError::Status { status: 418, .. }));
    assert!(matches!(refused(500, ""), HubError::Status { status: 500, .. }));
    assert!(matches!(refused(429, ""), HubError::TooManyRequests { .. }));
}

#[test]
fn a_busy_hub_is_asked_six_times() {
    let fixture = Fixture::with_hub(|_, _| Answer::new(429).with("retry-after", "0"));
    assert!(matches!(fixture.pull(), Err(HubError::TooManyRequests { .. })));
    assert_eq!(fixture.hub.served().len(), 6);
}

#[test]
fn a_file_that_an_encoder_needs_must_be_there() {
    let fixture = Fixture::with_hub(always("HEAD", WEIGHTS, |_| Answer::new(404)));
    match fixture.pull() {
        Err(HubError::FileNotFound { repo, revision, file }) => {
            assert_eq!(
                (repo, revision.as_str(), file.as_str()),
                (fixture.repo.clone(), COMMIT, WEIGHTS)
            );
        }
        found => panic!("{found:?}"),
    }
}

#[test]
fn the_weights_come_last() {
    for file in ["modules.json", "1_Pooling/config.json", "tokenizer.json"] {
        let fixture = Fixture::with_hub(always("HEAD", file, |_| Answer::new(500)));
        assert!(matches!(fixture.pull(), Err(HubError::Status { .. })), "{file}");
        assert!(fixture.hub.served_for("HEAD", WEIGHTS).is_empty(), "{file}");
    }
}

#[test]
fn a_hub_out_of_reach_is_told_apart() {
    let fixture = Fixture::new();
    // Nobody listens there: the port belongs to a service that died out.
    let endpoint = "http://127.0.0.1:1".to_owned();
    let hub = client(HubConfig { endpoint, ..fixture.config() });
    match hub.pull(&fixture.repo, "main", &mut |_| {}) {
        Err(HubError::Unreachable { url, .. }) => {
            assert!(url.starts_with("http://127.0.0.1:1/"), "{url}")
        }
        found => panic!("{found:?}"),
    }
}

/// Sends to a host that nobody can reach.
fn nowhere(answer: Answer) -> Answer {
    answer.with("location", "http://127.0.0.1:1/weights")
}

#[test]
fn a_host_of_the_weights_out_of_reach_is_told_apart() {
    let fixture = Fixture::with_hub(always("GET", WEIGHTS, nowhere));
    fs::create_dir_all(fixture.path("blobs")).expect("a folder is made");
    for (before, left_behind) in [0, 500_000].into_iter().enumerate() {
        fs::write(fixture.partial_weights(), &weights()[..left_behind]).expect("a file is written");
        match fixture.pull() {
            Err(HubError::Unreachable { url, .. }) => assert!(url.ends_with(WEIGHTS), "{url}"),
            found => panic!("{found:?}"),
        }
        assert_eq!(fixture.hub.served_for("GET", WEIGHTS).len(), before + 1);
    }
}

#[test]
fn a_host_that_sent_something_is_asked_again() {
    let cut = always("GET", "", |answer| answer.cut_after(300_000));
    let again = |request: &Request, answer| match request.from {
        Some(_) => nowhere(answer),
        None => answer,
    };
    let fixture = Fixture::with(again, cut);
    match fixture.pull() {
        Err(HubError::Cut { file, done, .. }) => {
            assert_eq!((file.as_str(), done), (WEIGHTS, 300_000))
        }
        found => panic!("{found:?}"),
    }
    assert_eq!(fixture.hub.served_for("GET", WEIGHTS).len(), 6);
}

fn check_header(name: &'static str, value: &'static str) {
    let change = always("HEAD", "main/config.json", move |answer| answer.with(name, value));
    let fixture = Fixture::with_hub(change);
    match fixture.pull() {
        Err(HubError::Header { name: found, .. }) => assert_eq!(found, name, "{value}"),
        found => panic!("{name} {value} {found:?}"),
    }
    assert!(!fixture.path("").exists(), "{name} {value}");
}

#[test]
fn no_answer_leads_out_of_the_cache() {
    for value in ["", "main", "../../../../x", "/x"] {
        check_header("x-repo-commit", value);
    }
    for value in ["\"\"", "\"../x\"", "\"/x\"", "\"..\"", "\"a\\b\"", "\"C:x\""] {
        check_header("etag", value);
        check_header("x-linked-etag", value);
    }
}

#[test]
fn no_name_leads_out_of_the_cache() {
    assert!(matches!("../x".parse::<RepoId>(), Err(HubError::RepoId { found }) if found == "../x"));
    let fixture = Fixture::new();
    let pulled = fixture.client().pull(&fixture.repo, "../x", &mut |_| {});
    assert!(matches!(pulled, Err(HubError::Revision { found }) if found == "../x"));
    assert_eq!(fixture.client().cached(&fixture.repo, "../x"), None);
    assert!(fixture.hub.served().is_empty());
}
