//! Snapshots shown and compared.

use std::fs;

use gating_metagraph::{Axon, Coldkey, Hotkey, Metagraph, Neuron, Rao, Stake};
use serde_json::{Value, json};

use crate::fixture::{Place, place};

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
    for (name, expected) in
        [("removed", json!([])), ("swapped", json!(null)), ("axon_changed", json!([]))]
    {
        assert_eq!(line[name], expected, "{name}");
    }
    let run = place.run(&["metagraph", "diff", &from, &to]);
    assert!(
        run.stdout.starts_with("subnet 1: block 10 (4 uids) -> block 20 (5 uids)\n"),
        "{run:?}"
    );
    let unknown = "    ? registered again: not known, for lack of registration blocks\n";
    assert!(run.stdout.contains(unknown), "{run:?}");
}

/// Who swapped a hotkey, and who came back, is told by registration blocks.
#[test]
fn a_diff_with_registration_blocks_tells_who_swapped() {
    let place = place();
    let write = |name: &str, block: u64, neurons: &[(u8, u64)]| {
        let neuron = |&(key, registered_at): &(u8, u64)| Neuron {
            registered_at: Some(registered_at),
            ..Neuron::new(Hotkey::new([key; 32]))
        };
        let neurons = neurons.iter().map(neuron).collect();
        let metagraph = Metagraph::new(1, block, neurons).expect("the keys differ");
        place.write(name, &metagraph.to_json())
    };
    let from = write("from.json", 10, &[(1, 5), (2, 6), (3, 7)]);
    let to = write("to.json", 20, &[(4, 5), (2, 12), (3, 7)]);
    let run = place.run(&["metagraph", "diff", &from, &to, "--format", "json"]);
    let line = &run.json()[0];
    assert_eq!((&line["swapped"], &line["reregistered"]), (&json!([0]), &json!([1])));
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

/// Uids 0 and 1 serve, at one address; uid 2 does not; of uid 3 only the hotkey is known.
fn mixed(place: &Place) -> String {
    let at = |key: u8, ip: [u8; 4]| Neuron {
        coldkey: Some(Coldkey::new([9; 32])),
        axon: Some(Axon::new(ip.into(), 8091)),
        validator_permit: Some(key == 2),
        stake: Stake { total: Some(Rao(5_000_000_000_000)), ..Stake::default() },
        ..Neuron::new(Hotkey::new([key; 32]))
    };
    let unknown = Neuron::new(Hotkey::new([4; 32]));
    let neurons = vec![at(1, [8, 8, 8, 8]), at(2, [8, 8, 8, 8]), at(3, [0; 4]), unknown];
    let metagraph = Metagraph::new(1, 10, neurons).expect("the keys differ");
    place.write("mixed.json", &metagraph.to_json())
}

#[test]
fn available_uids_are_told_from_others_with_reasons() {
    let place = place();
    let file = mixed(&place);
    let run = place.run(&["metagraph", "available", &file, "--format", "json"]);
    let line = &run.json()[0];
    assert_eq!(line["available"], json!([0]));
    let unavailable = json!([
        {"uid": 1, "reason": "validator", "reasons": ["validator"]},
        {"uid": 2, "reason": "not_serving", "reasons": ["not_serving"]},
    ]);
    assert_eq!(line["unavailable"], unavailable);
    let missing = ["axon", "validator_permit", "total_stake"];
    assert_eq!(line["unknown"], json!([{"uid": 3, "missing": missing}]));
}

#[test]
fn further_rules_are_arguments_and_the_limit_is_a_setting() {
    let place = place();
    let file = mixed(&place);
    let check = |args: &[&str], available: Value| {
        let args = [&["metagraph", "available", &file, "--format", "json"], args].concat();
        assert_eq!(place.run(&args).json()[0]["available"], available, "{args:?}");
    };
    let limit = "--neuron.vpermit_tao_limit=5000";
    check(&[limit], json!([0, 1]));
    check(&[limit, "--unique-endpoints"], json!([0]));
    check(&[limit, "--max-per-address", "1"], json!([0]));
    check(&[limit, "--max-per-coldkey", "2"], json!([0, 1]));
    let keys = [1, 2].map(|key| Hotkey::new([key; 32]).to_string());
    check(&[limit, "--deny", &keys.join(",")], json!([]));
    check(&[limit, "--allow", &keys[1]], json!([1]));
    check(&[limit, "--own-hotkey", &keys[0]], json!([1]));
    check(&[limit, "--own-coldkey", &Coldkey::new([9; 32]).to_string()], json!([]));
    check(&[limit, "--public-addresses", "--no-port-zero"], json!([0, 1]));
    check(&[limit, "--min-age", "1"], json!([]));
    let run = place.run(&["metagraph", "available", &file, "--deny", "5Grw"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("key `5Grw` holds 3 bytes, expected 35"), "{run:?}");
}

#[test]
fn metagraphs_are_converted() {
    let place = place();
    let file = mixed(&place);
    let original = fs::read(&file).expect("it was just written");
    for to in ["snapshot", "json", "npz"] {
        let run = place.run(&["metagraph", "convert", &file, "--to", to, "--output", "converted"]);
        assert_eq!(run.code, Some(0), "{run:?}");
        let run = place.run(&["metagraph", "diff", &file, "converted", "--format", "json"]);
        assert_eq!(run.json()[0]["replaced"], json!([]), "{to}");
    }
    let run = place.run(&["metagraph", "convert", &file, "--output", "-"]);
    assert_eq!(run.stdout.as_bytes(), original);
    let run = place.run(&["metagraph", "convert", &file, "--to", "npz", "--output", &file]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert_eq!(fs::read(&file).expect("it is still there"), original);
}

#[test]
fn a_file_that_is_not_there_is_of_the_kind_file() {
    let run = place().run(&["metagraph", "show", "missing.json", "--format", "json"]);
    assert_eq!((run.code, run.error()["kind"].clone()), (Some(1), json!("file")), "{run:?}");
}

#[test]
fn a_folder_is_a_history() {
    let place = place();
    let folder = place.path().join("metagraphs/network-finney/netuid-1");
    fs::create_dir_all(&folder).expect("the folder is ours");
    for (block, keys) in [(10, &[1, 2, 3][..]), (9, &[1, 2]), (11, &[3, 1])] {
        place.metagraph(
            &format!("metagraphs/network-finney/netuid-1/block-{block}.pt"),
            block,
            keys,
        );
    }
    let run = place.run(&["metagraph", "show", "metagraphs", "--format", "json"]);
    let lines = run.json();
    let counts =
        |line: &Value| json!([line["block"], line["changed"], line["moved"], line["removed"]]);
    let found: Vec<Value> = lines.iter().map(counts).collect();
    assert_eq!(found, [json!([9, null, null, null]), json!([10, 1, 0, 0]), json!([11, 2, 2, 1])]);
    let run = place.run(&["metagraph", "show", "."]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.starts_with("error: no metagraph in ."), "{run:?}");
}
