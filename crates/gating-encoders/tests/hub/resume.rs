//! Downloads that are cut, or bring what they should not.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use gating_encoders::HubError;

use crate::fixture::{
    FILES, Fixture, WEIGHTS, WEIGHTS_ETAG, WEIGHTS_LENGTH, always, first, weights,
};
use crate::server::Answer;

/// The bytes that were sent of the weights, and the byte that each attempt began with.
fn attempts(fixture: &Fixture) -> (usize, Vec<Option<usize>>) {
    let served = fixture.elsewhere.served();
    let from = served.iter().map(|served| served.request.from).collect();
    (served.iter().map(|served| served.bytes).sum(), from)
}

fn check_weights(fixture: &Fixture) {
    assert_eq!(fs::read(fixture.weights()).expect("a file"), weights());
    assert!(!fixture.partial_weights().exists());
}

#[test]
fn a_cut_download_goes_on_where_it_was() {
    let fixture = Fixture::with_elsewhere(first(1, "GET", "", |answer| answer.cut_after(300_000)));
    fixture.pull().expect("a download");
    check_weights(&fixture);
    assert_eq!(attempts(&fixture), (WEIGHTS_LENGTH, vec![None, Some(300_000)]));
}

#[test]
fn a_download_may_be_cut_often_as_long_as_it_comes_along() {
    let fixture = Fixture::with_elsewhere(always("GET", "", |answer| answer.cut_after(80_000)));
    fixture.pull().expect("a download");
    check_weights(&fixture);
    let (bytes, from) = attempts(&fixture);
    assert_eq!((bytes, from.len()), (WEIGHTS_LENGTH, 9));
}

#[test]
fn a_download_that_stands_still_is_given_up() {
    let left = AtomicUsize::new(300_000);
    let fixture =
        Fixture::with_elsewhere(move |_, answer| answer.cut_after(left.swap(0, Ordering::SeqCst)));
    match fixture.pull() {
        Err(HubError::Cut { file, done, .. }) => {
            assert_eq!((file.as_str(), done), (WEIGHTS, 300_000))
        }
        found => panic!("{found:?}"),
    }
    // The attempt that brought something, and five more.
    assert_eq!(attempts(&fixture).1.len(), 6);
    assert_eq!(fs::read(fixture.partial_weights()).expect("a file"), weights()[..300_000]);
    assert_eq!(fixture.client().cached(&fixture.repo, "main"), None);
}

#[test]
fn the_next_program_goes_on_where_the_last_one_was() {
    let fixture = Fixture::new();
    fs::create_dir_all(fixture.path("blobs")).expect("a folder is made");
    fs::write(fixture.partial_weights(), &weights()[..500_000]).expect("a file is written");
    let (pulled, reports) = fixture.pull_and_watch(WEIGHTS);
    pulled.expect("a download");
    check_weights(&fixture);
    assert_eq!(attempts(&fixture), (200_000, vec![Some(500_000)]));
    assert_eq!(reports[0].done, 500_000);
}

/// What is here already, and the bytes that are sent for it.
fn check_left_behind(partial: &[u8], expected: usize) {
    let fixture = Fixture::new();
    fs::create_dir_all(fixture.path("blobs")).expect("a folder is made");
    fs::write(fixture.partial_weights(), partial).expect("a file is written");
    fixture.pull().expect("a download");
    check_weights(&fixture);
    assert_eq!(attempts(&fixture).0, expected, "{}", partial.len());
}

#[test]
fn what_was_left_behind_is_used() {
    check_left_behind(&[], WEIGHTS_LENGTH);
    check_left_behind(&weights()[..1], WEIGHTS_LENGTH - 1);
    check_left_behind(&weights(), 0);
    check_left_behind(&[weights(), vec![0]].concat(), WEIGHTS_LENGTH);
}

#[test]
fn content_of_the_wrong_length_is_replaced() {
    let fixture = Fixture::new();
    fs::create_dir_all(fixture.path("blobs")).expect("a folder is made");
    fs::write(fixture.weights(), "short").expect("a file is written");
    fixture.pull().expect("a download");
    check_weights(&fixture);
}

#[test]
fn a_server_without_ranges_starts_over() {
    let cut = first(1, "GET", "", |answer| answer.cut_after(300_000));
    let fixture = Fixture::with_elsewhere(move |request, _| {
        cut(request, Answer::new(200).with_body(&weights()))
    });
    fixture.pull().expect("a download");
    check_weights(&fixture);
    assert_eq!(attempts(&fixture), (300_000 + WEIGHTS_LENGTH, vec![None, Some(300_000)]));
}

#[test]
fn a_range_out_of_reach_starts_over() {
    let cut = first(1, "GET", "", |answer| answer.cut_after(300_000));
    let fixture = Fixture::with_elsewhere(move |request, answer| match request.from {
        None => cut(request, answer),
        Some(_) => Answer::new(416),
    });
    fixture.pull().expect("a download");
    check_weights(&fixture);
    assert_eq!(attempts(&fixture).1, [None, Some(300_000), None]);
}

#[test]
fn another_range_than_asked_for_is_refused() {
    let cut = first(1, "GET", "", |answer| answer.cut_after(300_000));
    let fixture = Fixture::with_elsewhere(move |request, answer| {
        cut(request, answer.with("content-range", "bytes 7-699999/700000"))
    });
    assert!(matches!(fixture.pull(), Err(HubError::Status { status: 206, .. })));
}

#[test]
fn a_server_that_is_busy_in_between_is_asked_again() {
    let cut = first(1, "GET", "", |answer| answer.cut_after(300_000));
    let busy = first(2, "GET", "", |_| Answer::new(503));
    let fixture = Fixture::with_elsewhere(move |request, answer| match request.from {
        None => cut(request, answer),
        Some(_) => busy(request, answer),
    });
    fixture.pull().expect("a download");
    check_weights(&fixture);
    assert_eq!(attempts(&fixture).1, [None, Some(300_000), Some(300_000), Some(300_000)]);
}

#[test]
fn a_wrong_large_file_is_deleted() {
    let wrong = first(1, "GET", "", |answer| answer.with_body(&vec![0; WEIGHTS_LENGTH]));
    let fixture = Fixture::with_elsewhere(wrong);
    match fixture.pull() {
        Err(HubError::Checksum { file, expected, found }) => {
            assert_eq!((file.as_str(), expected.as_str()), (WEIGHTS, WEIGHTS_ETAG));
            // `head -c 700000 /dev/zero | sha256sum`
            assert_eq!(found, "a77d6d522c7782b77a07b925109d18dad0141e34eda7ab260f1dd86e058e6bcc");
        }
        found => panic!("{found:?}"),
    }
    assert!(!fixture.partial_weights().exists() && !fixture.weights().exists());
    fixture.pull().expect("a download");
    check_weights(&fixture);
}

#[test]
fn a_wrong_small_file_is_deleted() {
    let wrong = first(1, "GET", "tokenizer_config.json", |answer| answer.with_body(b"[]"));
    let fixture = Fixture::with_hub(wrong);
    let [.., (_, _, expected_etag)] = FILES;
    match fixture.pull() {
        Err(HubError::Checksum { expected, found, .. }) => {
            assert_eq!(expected, expected_etag);
            // `printf '[]' | git hash-object --stdin`
            assert_eq!(found, "0637a088a01e8ddab3bf3fa98dbe804cbde1a0dc");
        }
        found => panic!("{found:?}"),
    }
    fixture.pull().expect("a download");
}

/// Serves a small file with an etag that is no checksum.
fn check_length(body: &'static str, expected: Option<(u64, u64)>) {
    let fixture = Fixture::with_hub(move |request, answer| {
        match (request.path.ends_with("tokenizer_config.json"), request.method.as_str()) {
            (true, "GET") => Answer::new(200).with_body(body.as_bytes()),
            (true, _) => answer.with("etag", "\"an-etag\""),
            _ => answer,
        }
    });
    let found = match fixture.pull() {
        Ok(_) => None,
        Err(HubError::Length { expected, found, .. }) => Some((expected, found)),
        Err(error) => panic!("{error:?}"),
    };
    assert_eq!(found, expected, "{body}");
}

#[test]
fn without_a_checksum_the_length_counts() {
    check_length("[]", None);
    check_length("[", Some((2, 1)));
    check_length("[{}]", Some((2, 3)));
}
