//! What a download leaves in the cache, and reports meanwhile.

use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use gating_encoders::Progress;

use crate::fixture::{COMMIT, FILES, Fixture, WEIGHTS, WEIGHTS_LENGTH, always, weights};

#[test]
fn a_snapshot_is_laid_out_as_other_tools_expect() {
    let fixture = Fixture::new();
    let folder = fixture.pull().expect("a download");
    assert_eq!(folder, fixture.path("snapshots").join(COMMIT));
    assert_eq!(fs::read_to_string(fixture.path("refs/main")).expect("a file"), COMMIT);
    assert_eq!(fs::read(folder.join(WEIGHTS)).expect("a file"), weights());
    assert_eq!(fs::read(fixture.weights()).expect("a file"), weights());
    for (file, text, etag) in FILES {
        assert_eq!(fs::read_to_string(folder.join(file)).expect("a file"), text, "{file}");
        assert_eq!(
            fs::read_to_string(fixture.path("blobs").join(etag)).expect("a file"),
            text,
            "{file}"
        );
    }
    assert!(!folder.join("special_tokens_map.json").exists());
    assert_eq!(fs::read_dir(fixture.path("blobs")).expect("a folder").count(), FILES.len() + 1);
}

#[cfg(unix)]
#[test]
fn files_are_links_that_can_be_moved_with_the_cache() {
    let fixture = Fixture::new();
    let folder = fixture.pull().expect("a download");
    let check = |file: &str, expected: &str| {
        assert_eq!(fs::read_link(folder.join(file)).expect("a link"), Path::new(expected));
    };
    check("config.json", "../../blobs/3967ff7fee9d40eb77abadd6a292230496ca9f24");
    check("1_Pooling/config.json", "../../../blobs/15449a48bab4cd8012015a9f0e9e47143fe1babc");
}

#[test]
fn nothing_is_downloaded_twice() {
    let fixture = Fixture::new();
    let first = fixture.pull().expect("a download");
    assert_eq!(fixture.pull().expect("a download"), first);
    for (file, ..) in FILES {
        assert_eq!(fixture.hub.served_for("GET", &format!("/{COMMIT}/{file}")).len(), 1, "{file}");
    }
    assert_eq!(fixture.elsewhere.served().len(), 1);
}

#[test]
fn a_lost_snapshot_is_linked_to_the_content_again() {
    let fixture = Fixture::new();
    let folder = fixture.pull().expect("a download");
    fs::remove_dir_all(&folder).expect("it is there");
    assert_eq!(fixture.pull().expect("a download"), folder);
    assert_eq!(fs::read(folder.join(WEIGHTS)).expect("a file"), weights());
    assert_eq!(fixture.elsewhere.served().len(), 1);
}

#[test]
fn progress_is_reported_at_start_and_end_and_in_between() {
    let (pulled, reports) = Fixture::new().pull_and_watch(WEIGHTS);
    pulled.expect("a download");
    let report =
        |done| Progress { file: WEIGHTS.to_owned(), done, total: Some(WEIGHTS_LENGTH as u64) };
    assert_eq!(reports.first(), Some(&report(0)));
    assert_eq!(reports.last(), Some(&report(WEIGHTS_LENGTH as u64)));
    assert!(reports.is_sorted_by_key(|report| report.done), "{reports:?}");
    // Start, two steps of 256 KiB, end.
    assert_eq!(reports.len(), 4, "{reports:?}");
}

#[test]
fn a_revision_may_have_folders() {
    let fixture = Fixture::new();
    let folder =
        fixture.client().pull(&fixture.repo, "refs/pr/1", &mut |_| {}).expect("a download");
    assert_eq!(fs::read_to_string(fixture.path("refs/refs/pr/1")).expect("a file"), COMMIT);
    assert_eq!(fixture.client().cached(&fixture.repo, "refs/pr/1"), Some(folder));
}

#[test]
fn a_commit_that_is_cached_asks_nobody() {
    let fixture = Fixture::new();
    let folder = fixture.client().pull(&fixture.repo, COMMIT, &mut |_| {}).expect("a download");
    assert!(!fixture.path("refs").exists());
    let asked = fixture.hub.served().len();
    assert_eq!(
        fixture.client().pull(&fixture.repo, COMMIT, &mut |_| {}).expect("a download"),
        folder
    );
    assert_eq!(fixture.hub.served().len(), asked);
}

#[test]
fn two_at_once_download_everything_once() {
    let fixture = Fixture::new();
    let both = Barrier::new(2);
    let pull = || {
        both.wait();
        fixture.pull().expect("a download")
    };
    thread::scope(|scope| {
        let threads = [scope.spawn(pull), scope.spawn(pull)];
        let folders = threads.map(|thread| thread.join().expect("a download"));
        assert_eq!(folders[0], folders[1]);
        assert_eq!(fs::read(folders[0].join(WEIGHTS)).expect("a file"), weights());
    });
    for (file, ..) in FILES {
        assert_eq!(fixture.hub.served_for("GET", &format!("/{COMMIT}/{file}")).len(), 1, "{file}");
    }
    assert_eq!(fixture.elsewhere.served().len(), 1);
}

#[test]
fn a_file_may_come_without_its_length() {
    let fixture =
        Fixture::with_hub(always("HEAD", WEIGHTS, |answer| answer.without("x-linked-size")));
    let (pulled, reports) = fixture.pull_and_watch(WEIGHTS);
    assert_eq!(fs::read(pulled.expect("a download").join(WEIGHTS)).expect("a file"), weights());
    assert_eq!(reports[0].total, None);
    assert_eq!(reports.last().and_then(|report| report.total), Some(WEIGHTS_LENGTH as u64));
}
