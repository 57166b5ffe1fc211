//! Snapshots shown and compared.

use gating_metagraph::Hotkey;
use serde_json::json;

use crate::fixture::place;

#[test]
fn a_diff_lists_what_changed() {
    let place = place();
    let from = place.metagraph("from.json", 10, &[1, 2, 3, 4]);
    let to = place.metagraph("to.json", 20, &[1, 3, 9, 4, 5]);
    let run = place.run(&["metagraph", "diff", &from, &to, "--format", "json"]);
    let hotkey = Hotkey::new([3; 32]).to_string();
    let line = &run.json()[0];
    assert_eq!(line["from"], json!({"netuid": 1, "block": 10, "n": 4}));
    assert_eq!(line["to"], json!({"netuid": 1, "block": 20, "n": 5}));
    assert_eq!((&line["replaced"], &line["added"]), (&json!([1, 2]), &json!([4])));
    assert_eq!(line["moved"], json!([{"hotkey": hotkey, "from": 2, "to": 1}]));
    for empty in ["removed", "swapped", "reregistered", "axon_changed"] {
        assert_eq!(line[empty], json!([]), "{empty}");
    }
    let run = place.run(&["metagraph", "diff", &from, &to]);
    assert!(
        run.stdout.starts_with("subnet 1: block 10 (4 uids) -> block 20 (5 uids)\n"),
        "{run:?}"
    );
}

#[test]
fn a_snapshot_is_shown() {
    let place = place();
    let file = place.metagraph("one.json", 10, &[1]);
    let run = place.run(&["metagraph", "show", &file, "--format", "json"]);
    let line = &run.json()[0];
    assert_eq!((&line["n"], &line["neurons"][0]["uid"]), (&json!(1), &json!(0)));
    assert_eq!(line["neurons"][0]["stake_rao"], json!(null), "what is unknown is null");
}
