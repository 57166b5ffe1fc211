//! What is found in the cache without asking.

use std::fs;

use gating_encoders::{CachedModel, Hub, HubConfig, HubError};

use crate::fixture::{COMMIT, FILES, Fixture, WEIGHTS, WEIGHTS_LENGTH, client};

fn offline(fixture: &Fixture) -> Hub {
    client(HubConfig { offline: true, ..fixture.config() })
}

#[test]
fn offline_the_cache_is_all_there_is() {
    let fixture = Fixture::new();
    let folder = fixture.pull().expect("a download");
    let asked = fixture.hub.served().len();
    for revision in ["main", COMMIT] {
        let pulled = offline(&fixture).pull(&fixture.repo, revision, &mut |_| {});
        assert_eq!(pulled.expect("a download"), folder, "{revision}");
    }
    match offline(&fixture).pull(&fixture.repo, "other", &mut |_| {}) {
        Err(HubError::Offline { repo, revision }) => {
            assert_eq!((repo, revision.as_str()), (fixture.repo.clone(), "other"));
        }
        found => panic!("{found:?}"),
    }
    assert_eq!(fixture.hub.served().len(), asked);
}

#[test]
fn a_snapshot_is_cached_when_nothing_it_needs_is_missing() {
    let fixture = Fixture::new();
    let cached = |revision| fixture.client().cached(&fixture.repo, revision);
    assert_eq!(cached("main"), None);
    let folder = fixture.pull().expect("a download");
    assert_eq!(cached("main"), Some(folder.clone()));
    assert_eq!(cached(COMMIT), Some(folder.clone()));
    fs::remove_file(folder.join("modules.json")).expect("it is there");
    assert_eq!(cached("main"), Some(folder.clone()));
    // A link to nowhere is no file.
    fs::remove_file(fixture.weights()).expect("it is there");
    assert_eq!(cached("main"), None);
    fixture.pull().expect("a download");
    assert_eq!(cached("main"), Some(folder));
}

#[test]
fn a_damaged_reference_is_none() {
    let fixture = Fixture::new();
    fixture.pull().expect("a download");
    for text in ["", "main", "../../x"] {
        fs::write(fixture.path("refs/main"), text).expect("a file is written");
        assert_eq!(fixture.client().cached(&fixture.repo, "main"), None, "{text}");
    }
    fixture.pull().expect("a download");
    assert_eq!(fs::read_to_string(fixture.path("refs/main")).expect("a file"), COMMIT);
}

#[test]
fn models_are_listed_with_their_size() {
    let fixture = Fixture::new();
    assert_eq!(fixture.client().list(), []);
    let folder = fixture.pull().expect("a download");
    // Neither a model without weights nor what else lies around is listed.
    for path in ["../models--a--b/snapshots/c/config.json", "../models--../x", "../version.txt"] {
        let path = fixture.path(path);
        fs::create_dir_all(path.parent().expect("a folder above")).expect("a folder is made");
        fs::write(path, "{}").expect("a file is written");
    }
    let small = FILES.iter().map(|(_, text, _)| text.len()).sum::<usize>();
    let model = CachedModel {
        repo: fixture.repo.clone(),
        revision: COMMIT.to_owned(),
        folder: folder.clone(),
        bytes: (small + WEIGHTS_LENGTH) as u64,
    };
    assert!(folder.join(WEIGHTS).exists());
    assert_eq!(fixture.client().list(), [model]);
}
