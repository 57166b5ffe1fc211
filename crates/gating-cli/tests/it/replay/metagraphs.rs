//! A history of metagraphs, applied where the log has come to its blocks.

use std::fs;

use gating_metagraph::Uid;
use serde_json::json;

use super::logs::log;
use super::{Place, place, split};
use crate::fixture::tiny;

const HISTORY: [&str; 2] = ["--metagraphs", "history"];

/// Sixteen uids at a block, some of which changed hands.
fn snapshot(place: &Place, block: u64, replaced: &[(usize, u8)]) {
    fs::create_dir_all(place.path().join("history")).expect("the folder can be made");
    let mut keys: Vec<u8> = (1..=16).collect();
    for &(uid, key) in replaced {
        keys[uid] = key;
    }
    place.metagraph(&format!("history/block-{block}.json"), block, &keys);
}

#[test]
fn rows_are_made_new_at_their_block() {
    let place = place();
    let path = place.write("plain.jsonl", &log(60));
    // Uid 3 is away for a while. The first block has fewer digits than the others.
    snapshot(&place, 999_500, &[(9, 90)]);
    snapshot(&place, 1_000_000, &[]);
    snapshot(&place, 1_000_020, &[(3, 77)]);
    snapshot(&place, 1_000_025, &[(5, 55)]);
    snapshot(&place, 2_000_000, &[]);
    let replay = |state: &str, args: &[&str]| {
        place.replay(&[&[path.as_str(), "--checkpoint", state], &HISTORY[..], args].concat())
    };
    let (_, summary) = split(&replay("all", &[]));
    // Uid 9 was somebody else's before the log begins: nothing was learned for them.
    assert_eq!((&summary["resyncs"], &summary["replaced"]), (&json!(3), &json!(3)));
    let all = place.checkpoint("all");
    assert_eq!(all.metagraph().and_then(|metagraph| metagraph.block()), Some(1_000_025));

    // Also where no message is scored in the step before it.
    split(&replay("one", &["--batch", "1"]));
    super::assert_same(&place.checkpoint("one"), &all);

    // Before the block of the first change nothing was changed; at it, uid 3 alone.
    let block = |until: &str| {
        split(&replay(until, &["--until", &format!("block:{until}")]));
        place.checkpoint(until)
    };
    let before = block("1000019");
    assert_eq!(before.metagraph().and_then(|metagraph| metagraph.block()), Some(1_000_000));
    let after = block("1000020");
    let plain = place.replay(&[&path, "--checkpoint", "plain", "--until", "block:1000020"]);
    assert_eq!(plain.code, Some(0), "{plain:?}");
    let plain = place.checkpoint("plain");
    let changed: Vec<u16> =
        (0..16).filter(|&uid| !after.has_same_row(&plain, Uid::new(uid))).collect();
    assert!(changed.contains(&3), "{changed:?}");

    // And a run that stops between two of them ends as one that does not.
    for until in ["1000019", "1000020"] {
        assert_eq!(replay(until, &[]).code, Some(0));
        super::assert_same(&place.checkpoint(until), &all);
    }
}

/// Who earned the rewards then is not who has the rows now.
#[test]
fn events_older_than_the_rows_are_told() {
    let place = place();
    let path = place.write("plain.jsonl", &log(5));
    let model = tiny("tiny-bert");
    let first = ["replay", &path, "--checkpoint", "state", "--gating.num_uids", "16"];
    let first = [&first[..], &["--gating.model_name", &model]].concat();
    let replay = |args: &[&str]| {
        let run = place.run(&[&first[..], args].concat());
        assert_eq!(run.code, Some(0), "{run:?}");
        run.stderr.matches("older than the metagraph that the rows belong to").count()
    };
    assert_eq!(replay(&["--until", "1"]), 0);
    let newer = place.metagraph("newer.json", 2_000_000, &(1..=16).collect::<Vec<u8>>());
    assert_eq!(place.run(&["resync", &newer, "--checkpoint", "state"]).code, Some(0));
    assert_eq!(replay(&[]), 1);
}

#[test]
fn a_head_grows_with_its_network() {
    let place = place();
    let (first, second) = (log(5), log(5).replace("\"uids\":[", "\"uids\":[19,"));
    let second = second.replace("\"rewards\":[", "\"rewards\":[0.5,").replace(":100000", ":100001");
    let path = place.write("plain.jsonl", &(first + &second));
    snapshot(&place, 1_000_000, &[]);
    let keys: Vec<u8> = (1..=20).collect();
    place.metagraph("history/block-1000012.json", 1_000_012, &keys);
    let (steps, summary) = split(&place.replay(&[&[path.as_str()], &HISTORY[..]].concat()));
    // Two events ask a uid that is not there yet.
    assert_eq!((steps.len(), &summary["skipped_why"]), (8, &json!({"uid_out_of_range": 2})));
}

#[test]
fn a_folder_without_a_history_is_told() {
    let place = place();
    let path = place.write("plain.jsonl", &log(3));
    let check = |args: &[&str], expected: &str| {
        let run = place.replay(&[&[path.as_str()], &HISTORY[..], args].concat());
        assert!(run.code != Some(0) && run.stderr.contains(expected), "{expected}: {run:?}");
    };
    fs::create_dir(place.path().join("history")).expect("the folder can be made");
    check(&[], "no metagraph in history");
    snapshot(&place, 1, &[]);
    check(&["--netuid", "8"], "expected a metagraph of subnet 8, found subnet 1");
    place.write("history/block-2.json", "{}");
    check(&[], "cannot apply history/block-2.json");
    fs::remove_file(place.path().join("history/block-2.json")).expect("it was written");
    place.write("history/notes.txt", "{}");
    assert_eq!(place.replay(&[&[path.as_str()], &HISTORY[..]].concat()).code, Some(0));
    fs::create_dir(place.path().join("history/netuid-8")).expect("the folder can be made");
    place.metagraph("history/netuid-8/block-1.json", 1, &[1, 2]);
    let file = place.path().join("history/netuid-8/block-1.json");
    let text = fs::read_to_string(&file).expect("it was written");
    fs::write(&file, text.replace("\"netuid\":1", "\"netuid\":8")).expect("it is ours");
    check(&[], "history holds several subnets");
    let run = place.replay(&[&[path.as_str(), "--netuid", "1"], &HISTORY[..]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
}

/// One that is cut short must not take what was learned.
#[test]
fn a_metagraph_that_would_drop_most_rows_is_refused() {
    let place = place();
    let path = place.write("plain.jsonl", &log(40));
    snapshot(&place, 1_000_000, &[]);
    let short = place.metagraph("history/block-1000020.json", 1_000_020, &[1, 2, 3, 4, 5, 6, 7]);
    let args = [&path, "--checkpoint", "state", "--metagraphs", "history"];
    let run = place.replay(&args);
    let error = run.error();
    assert_eq!((run.code, &error["kind"]), (Some(1), &json!("metagraph")), "{run:?}");
    let told = error.to_string();
    assert!(told.contains("it has 7 uids, less than half of the 16 before"), "{error}");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("--accept-shrink")), "{error}");
    assert_eq!(place.checkpoint("state").num_uids(), 16);
    // Without it, the same call goes on.
    fs::remove_file(short).expect("it is there");
    assert_eq!(place.replay(&args).code, Some(0));
    // And once all is done, nothing waits.
    let model = tiny("tiny-bert");
    let run = place.run(&[&["replay"], &args[..], &["--gating.model_name", &model]].concat());
    assert!(run.code == Some(0) && !run.stderr.contains("not applied"), "{run:?}");
}
