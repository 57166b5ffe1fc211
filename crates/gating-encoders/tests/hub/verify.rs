//! Files of the cache against their checksums.

use std::fs;

use gating_encoders::{HubError, verify_snapshot};

use crate::fixture::{FILES, Fixture, WEIGHTS, WEIGHTS_ETAG, weights};

#[test]
fn what_was_downloaded_is_what_the_hub_gave() {
    let fixture = Fixture::new();
    let folder = fixture.pull().expect("a download");
    assert_eq!(verify_snapshot(&folder).expect("nothing is wrong"), FILES.len() + 1);
    fs::write(folder.join("notes.txt"), "mine").expect("a file is written");
    assert_eq!(verify_snapshot(&folder).expect("it has no checksum"), FILES.len() + 1);
}

/// A bit that changed on the disk: the length is the same, and no download would mend it.
#[test]
fn what_changed_since_is_named() {
    let fixture = Fixture::new();
    let folder = fixture.pull().expect("a download");
    let mut damaged = weights();
    damaged[WEIGHTS.len()] ^= 1;
    fs::write(fixture.weights(), damaged).expect("a file is written");
    match verify_snapshot(&folder) {
        Err(HubError::Checksum { file, expected, found }) => {
            assert!(file.ends_with(WEIGHTS_ETAG), "{file}");
            assert_eq!(expected, WEIGHTS_ETAG);
            assert_ne!(found, WEIGHTS_ETAG);
        }
        found => panic!("{found:?}"),
    }
    // As the error asks for.
    fs::remove_file(fixture.weights()).expect("it is there");
    assert!(matches!(verify_snapshot(&folder), Err(HubError::Io { .. })));
    fixture.pull().expect("a download");
    assert_eq!(verify_snapshot(&folder).expect("it is mended"), FILES.len() + 1);
}

#[test]
fn small_files_are_compared_too() {
    let fixture = Fixture::new();
    let folder = fixture.pull().expect("a download");
    fs::write(folder.join("1_Pooling/config.json"), "{}").expect("a file is written");
    assert!(matches!(verify_snapshot(&folder), Err(HubError::Checksum { .. })));
}
