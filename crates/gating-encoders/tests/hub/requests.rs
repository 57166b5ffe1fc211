//! What is asked of whom, and how often.

use std::fs;

use gating_encoders::HubError;

use crate::fixture::{COMMIT, Fixture, WEIGHTS, always, first, weights};
use crate::server::{Answer, Server};

#[test]
fn the_token_goes_to_the_hub_alone() {
    let fixture = Fixture::new();
    fixture.pull().expect("a download");
    for served in fixture.hub.served() {
        assert_eq!(served.request.authorization.as_deref(), Some("Bearer secret"), "{served:?}");
    }
    let [served] = &fixture.elsewhere.served()[..] else { panic!("expected one request") };
    assert_eq!(served.request.authorization, None);
}

#[test]
fn after_the_first_file_everything_is_asked_for_by_commit() {
    let fixture = Fixture::new();
    fixture.pull().expect("a download");
    let served = fixture.hub.served();
    assert_eq!(served[0].request.path, "/org/name/resolve/main/config.json");
    for served in &served[1..] {
        assert!(served.request.path.contains(COMMIT), "{served:?}");
    }
}

#[test]
fn a_file_of_another_commit_is_refused() {
    let other = "f".repeat(40);
    let change = {
        let other = other.clone();
        always("HEAD", "tokenizer.json", move |answer| answer.with("x-repo-commit", other.clone()))
    };
    match Fixture::with_hub(change).pull() {
        Err(HubError::OtherCommit { expected, found, .. }) => {
            assert_eq!((expected.as_str(), found), (COMMIT, other));
        }
        found => panic!("{found:?}"),
    }
}

#[test]
fn a_renamed_repository_is_followed() {
    // The hub has the files under `org/name`, and redirects there by a path without a host.
    let fixture = Fixture::with_hub(|request, answer| {
        match request.path.strip_prefix("/old/name/resolve/") {
            Some(rest) => Answer::new(307).with("location", format!("/org/name/resolve/{rest}")),
            None => answer,
        }
    });
    let old = "old/name".parse().expect("a repository");
    let folder = fixture.client().pull(&old, "main", &mut |_| {}).expect("a download");
    assert!(folder.ends_with(format!("models--old--name/snapshots/{COMMIT}")), "{folder:?}");
    assert_eq!(fs::read(folder.join(WEIGHTS)).expect("a file"), weights());
    for served in fixture.hub.served() {
        assert_eq!(served.request.authorization.as_deref(), Some("Bearer secret"), "{served:?}");
    }
}

#[test]
fn a_repository_that_moves_for_ever_is_given_up() {
    let moved =
        always("HEAD", "config.json", |_| Answer::new(307).with("location", "/config.json"));
    let fixture = Fixture::with_hub(moved);
    assert!(matches!(fixture.pull(), Err(HubError::Header { name: "x-repo-commit", .. })));
    assert_eq!(fixture.hub.served().len(), 11);
}

#[test]
fn a_proxy_is_asked_for_the_way() {
    let fixture = Fixture::new();
    let proxy = Server::start(|_| Answer::new(502));
    let client = fixture.client().with_proxy(&proxy.url()).expect("a proxy");
    let pulled = client.pull(&fixture.repo, "main", &mut |_| {});
    assert!(matches!(pulled, Err(HubError::Unreachable { .. })), "{pulled:?}");
    assert_eq!(proxy.served_for("CONNECT", &fixture.hub.address.to_string()).len(), 1);
    assert!(fixture.hub.served().is_empty());
    assert!(matches!(fixture.client().with_proxy(""), Err(HubError::Proxy { .. })));
}

#[test]
fn a_hub_that_is_busy_is_asked_again() {
    let busy = |status| first(2, "HEAD", "config.json", move |_| Answer::new(status));
    for status in [429, 500, 503] {
        Fixture::with_hub(busy(status)).pull().expect("a download");
    }
    let wait = first(2, "GET", "tokenizer.json", |_| Answer::new(429).with("retry-after", "0"));
    Fixture::with_hub(wait).pull().expect("a download");
}
