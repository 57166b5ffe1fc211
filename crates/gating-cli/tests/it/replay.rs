//! Learning from logs: what is read, skipped, selected, kept, and gone on from.

mod golden;
mod interrupt;
mod logs;
mod metagraphs;
mod resume;

use std::fs;

use gating_core::Checkpoint;
use serde_json::{Value, json};

use crate::fixture::{Place, Run, place, tiny};
use logs::log;

/// Settings that learn enough in some hundred steps.
const LEARN: [&str; 8] = [
    "--gating.num_uids",
    "16",
    "--gating.gradient",
    "per-step",
    "--gating.learning_rate",
    "1",
    "--neuron.use_custom_gating_model",
    "--quiet",
];

impl Place {
    /// Replays on the tiny encoder, and prints JSON.
    fn replay(&self, args: &[&str]) -> Run {
        let tiny = tiny("tiny-bert");
        let model = ["--gating.model_name", &tiny, "--format", "json"];
        self.run(&[&["replay"], args, &model, &LEARN].concat())
    }

    fn checkpoint(&self, name: &str) -> Checkpoint {
        Checkpoint::read(&self.path().join(name)).expect("it was written")
    }
}

/// The lines of the steps, and the summary.
fn split(run: &Run) -> (Vec<Value>, Value) {
    let mut lines = run.json();
    let last = lines.pop().expect("there is a summary");
    (lines, last["summary"].clone())
}

/// Both heads are the same to the bit, and all that is learned with them.
fn assert_same(left: &Checkpoint, right: &Checkpoint) {
    assert_eq!((left.step(), left.num_uids()), (right.step(), right.num_uids()));
    for uid in 0..left.num_uids() as u16 {
        assert!(left.has_same_row(right, uid.into()), "uid {uid}");
    }
}

#[test]
fn a_log_is_learned_from_in_its_order() {
    let place = place();
    let path = place.write("plain.jsonl", &log(400));
    let run = place.replay(&[&path, "--checkpoint", "state", "--plot", "plots/loss.svg"]);
    let (lines, summary) = split(&run);
    let steps: Vec<Option<u64>> = lines.iter().map(|line| line["step"].as_u64()).collect();
    assert_eq!(steps, (1..=400).map(Some).collect::<Vec<_>>());
    assert!(lines.iter().all(|line| line["uids"] == json!(5)), "{lines:?}");
    assert_eq!((&summary["steps"], &summary["skipped"]), (&json!(400), &json!(0)));
    assert_eq!((&summary["total"], &summary["step"]), (&json!(null), &json!(400)));
    assert_eq!(summary["loss_tenths"].as_array().map(Vec::len), Some(10));
    let number = |name: &str| summary[name].as_f64().unwrap_or_else(|| panic!("{summary}"));
    assert!(number("loss_last") < number("loss_first"), "{summary}");
    let tenths = |name: &str| [0, 9].map(|tenth| summary[name][tenth].as_f64().unwrap_or(-9.0));
    let [[first, last], [first_ndcg, last_ndcg]] =
        [tenths("spearman_tenths"), tenths("ndcg_tenths")];
    assert!(last > first + 0.3 && last_ndcg > first_ndcg, "{summary}");
    let seen: u64 =
        summary["seen"].as_object().expect("it counts").values().filter_map(Value::as_u64).sum();
    assert_eq!(seen, 400 * 5);
    let svg = fs::read_to_string(place.path().join("plots/loss.svg")).expect("it was drawn");
    assert!(svg.starts_with("<svg") && svg.contains("Spearman"));
}

/// Each event by a command of its own, through the log, in batches: the same head to the bit.
#[test]
fn a_replay_is_what_learning_one_by_one_is() {
    let place = place();
    let text = log(12);
    let path = place.write("plain.jsonl", &text);
    let (lines, _) = split(&place.replay(&[&path, "--checkpoint", "all"]));
    let mut losses = Vec::new();
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).expect("events are JSON");
        let list = |name: &str| {
            let values = event[name].as_array().expect("events hold lists").iter();
            values.map(Value::to_string).collect::<Vec<_>>().join(",")
        };
        let message = event["prompt"].as_str().expect("events have prompts");
        let (uids, rewards, model) = (list("uids"), list("rewards"), tiny("tiny-bert"));
        let learn = ["learn", "--message", message, "--uids", &uids, "--rewards", &rewards];
        let state = ["--checkpoint", "single", "--gating.model_name", &model, "--format", "json"];
        losses.extend(place.run(&[&learn[..], &state, &LEARN].concat()).json());
    }
    assert_eq!(lines, losses);
    assert_same(&place.checkpoint("all"), &place.checkpoint("single"));
}

#[test]
fn the_batch_makes_no_difference() {
    let place = place();
    let path = place.write("plain.jsonl", &log(150));
    for batch in ["1", "7", "32", "1000"] {
        let run = place.replay(&[&path, "--batch", batch, "--checkpoint", batch]);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert_same(&place.checkpoint("1"), &place.checkpoint(batch));
    }
}

/// The events have 92 different prompts. Whatever is kept of them, the head is the same to the bit.
#[test]
fn what_comes_again_is_not_encoded_again() {
    let place = place();
    let path = place.write("plain.jsonl", &log(400));
    let cache = |bytes: &str| {
        let args = [&path, "--checkpoint", bytes, "--neuron.cache_bytes", bytes];
        let (_, summary) = split(&place.replay(&args));
        let count = |name: &str| summary["cache"][name].as_u64();
        ["hits", "misses", "embeddings", "bytes"].map(count)
    };
    let [hits, misses, embeddings, bytes] = cache("1000000").map(Option::unwrap_or_default);
    assert_eq!([hits, misses, embeddings], [308, 92, 92]);
    assert!(bytes > 92 * 32 * 4 && bytes < 1_000_000, "{bytes}");
    let [hits, misses, embeddings, bytes] = cache("8000").map(Option::unwrap_or_default);
    assert!(hits + misses == 400 && misses > 92 && embeddings > 1 && bytes <= 8000);
    assert_eq!(cache("0"), [None; 4]);
    let checkpoints = ["1000000", "8000", "0"].map(|name| place.checkpoint(name));
    assert_same(&checkpoints[0], &checkpoints[1]);
    assert_same(&checkpoints[0], &checkpoints[2]);
}

#[test]
fn bad_lines_are_counted_and_the_first_ones_shown() {
    let place = place();
    let events: Vec<String> = log(3).lines().map(|line| format!("{line}\n")).collect();
    let with = |uids: &str, rewards: &str| {
        format!("{{\"prompt\": \"hi\", \"uids\": {uids}, \"rewards\": {rewards}}}\n")
    };
    let text = [
        "noise\n",
        &events[0],
        &with("[1, 1]", "[0.5, 0.5]"),
        &with("[1, 2]", "[0.5, NaN]"),
        &with("[1, 2]", "[0.5]"),
        &with("[99]", "[0.5]"),
        &with("[]", "[]"),
        &events[1],
        "{\"text\": \"\", \"record\": {\"extra\": {}}}\n",
        &with("[-1]", "[0.5]"),
        &events[2][..20],
    ];
    let path = place.write("mixed.log", &text.concat());
    let model = tiny("tiny-bert");
    let args = ["replay", &path, "--gating.model_name", &model, "--gating.num_uids", "16"];
    let run = place.run(&[&args[..], &["--format", "json", "--log-format", "text"]].concat());
    let (lines, summary) = split(&run);
    assert_eq!((lines.len(), &summary["steps"], &summary["skipped"]), (2, &json!(2), &json!(9)));
    let expected = json!({
        "bad_line": 2, "bad_rewards": 4, "uid_out_of_range": 1, "not_an_event": 1, "unfinished": 1
    });
    assert_eq!(summary["skipped_why"], expected);
    let warnings: Vec<&str> =
        run.stderr.lines().filter_map(|line| line.strip_prefix("warning: ")).collect();
    let shown = |line: usize, problem: &str| format!("{path}, line {line}: {problem}");
    let expected = [
        shown(1, "this is not JSON: expected `{` (column 1)"),
        shown(3, "uid 1 is repeated, expected each uid once"),
        shown(4, "the reward of uid 2 is NaN, expected a finite number"),
        shown(5, "2 uids but 1 rewards, expected one reward a uid"),
        shown(6, "uid 99 is out of range, expected one of the 16 uids from 0 to 15"),
        "further bad lines are counted, and not shown".to_owned(),
    ];
    assert_eq!(warnings[warnings.len() - 6..], expected);
}

#[test]
fn a_message_without_tokens_skips_its_event_alone() {
    let place = place();
    let text = "{\"prompt\": \"\", \"uids\": [1, 2], \"rewards\": [0, 1]}\n";
    let path = place.write("plain.jsonl", &[&log(3), text, &log(2)].concat());
    let model = tiny("tiny-gpt-neo");
    let args = ["replay", &path, "--gating.model_name", &model, "--format", "json"];
    let run = place.run(&args);
    let (lines, summary) = split(&run);
    assert_eq!((lines.len(), &summary["skipped_why"]), (5, &json!({"no_embedding": 1})));
    assert!(run.stderr.contains("line 4: the message has no tokens"), "{run:?}");
}

#[test]
fn strict_stops_at_the_first_bad_line_and_goes_on_when_it_is_mended() {
    let place = place();
    let text = log(40);
    let lines: Vec<&str> = text.lines().collect();
    let with = |bad: &str| {
        let mut lines = lines.clone();
        lines[30] = bad;
        place.write("plain.jsonl", &(lines.join("\n") + "\n"))
    };
    let path = with("{\"prompt\": \"hi\", \"uids\": [7]}");
    let run = place.replay(&[&path, "--strict", "--checkpoint", "state"]);
    assert_eq!((run.code, run.stdout.lines().count()), (Some(1), 30), "{run:?}");
    let error = run.error();
    assert_eq!(
        (&error["kind"], &error["causes"]),
        (&json!("input"), &json!(["the event lacks `rewards`"]))
    );
    assert_eq!(error["message"], json!(format!("{path}, line 31")));
    with(lines[30]);
    let (steps, summary) = split(&place.replay(&[&path, "--strict", "--checkpoint", "state"]));
    assert_eq!((steps.len(), &summary["total"]["steps"]), (10, &json!(40)));
    assert_eq!(place.replay(&[&path, "--checkpoint", "whole"]).code, Some(0));
    assert_same(&place.checkpoint("state"), &place.checkpoint("whole"));
}

#[test]
fn a_selection_takes_some_events() {
    let place = place();
    let path = place.write("plain.jsonl", &log(30));
    let check = |args: &[&str], steps: u64, why: Value, stopped: bool| {
        let (lines, summary) = split(&place.replay(&[&[path.as_str()], args].concat()));
        assert_eq!((lines.len() as u64, &summary["steps"]), (steps, &json!(steps)), "{args:?}");
        assert_eq!(
            (&summary["skipped_why"], &summary["stopped"]),
            (&why, &json!(stopped)),
            "{args:?}"
        );
    };
    check(&["--from-step", "11"], 20, json!({"before": 10}), false);
    check(&["--from", "11", "--until", "15"], 5, json!({"before": 10}), true);
    check(
        &["--from", "block:1000010", "--until", "block:1000019"],
        10,
        json!({"before": 10}),
        true,
    );
    check(&["--until", "2023-07-01T00:00:59"], 5, json!({}), true);
    check(&["--name", "followup0"], 10, json!({"name": 20}), false);
    check(&["--name", "followup0", "--name", "answer*"], 20, json!({"name": 10}), false);
    for wrong in [["--until", "soon"], ["--from-step", "0"], ["--batch", "0"]] {
        assert_eq!(
            place.replay(&[&[path.as_str()], &wrong[..]].concat()).code,
            Some(2),
            "{wrong:?}"
        );
    }
}

#[test]
fn what_cannot_be_done_is_told_at_the_start() {
    let place = place();
    let path = place.write("plain.jsonl", &log(3));
    let check = |args: &[&str], code: i32, kind: &str, expected: &str| {
        let run = place.replay(&[args, &["--checkpoint", "state"]].concat());
        assert_eq!((run.code, run.stdout.as_str()), (Some(code), ""), "{args:?} {run:?}");
        assert_eq!(run.error()["kind"], json!(kind), "{run:?}");
        assert!(run.stderr.contains(expected), "{expected}: {run:?}");
        assert!(!place.path().join("state").exists(), "{args:?} learned nothing");
    };
    check(&[&path, "missing.log"], 1, "file", "cannot access missing.log");
    check(&[&path, "--plot", "plain.jsonl/x.svg"], 1, "file", "the plot cannot be written");
    check(&[&path, "--plot", "plots/loss.png"], 2, "usage", "plots are SVG");
    assert!(!place.path().join("plots").exists(), "no folder is made for what is not drawn");
    check(&[&path, "./plain.jsonl"], 2, "usage", "./plain.jsonl is named twice");
    check(&[&path, "--metagraphs", "missing"], 1, "file", "cannot access missing");
    check(&["-", "-"], 2, "usage", "stdin is named twice");
    let other = place.write("packed.log", "BZh91AY");
    check(&[&other], 1, "input", "compressed with bzip2, expected gzip, zip, Zstandard");
    let table = place.write("table.csv", "prompt,uids\na,[1]\n");
    check(&[&table], 1, "input", "the first line names columns, but not `rewards`");
}

#[test]
fn a_selection_of_nothing_is_told() {
    let place = place();
    let (path, tiny) = (place.write("plain.jsonl", &log(30)), tiny("tiny-bert"));
    let check = |args: &[&str], expected: Option<&str>| {
        let model = ["--gating.model_name", &tiny, "--neuron.use_custom_gating_model"];
        let size = ["--gating.num_uids", "16"];
        let run = place.run(&[&["replay", &path], args, &model, &size].concat());
        assert_eq!(run.code, Some(0), "{run:?}");
        let found = run.stderr.lines().find(|line| line.contains("no event is selected"));
        assert_eq!(found.map(|line| line.trim_start_matches("warning: ")), expected, "{run:?}");
    };
    check(&["--name", "nobody"], Some("no event is selected: 30 of other names"));
    check(
        &["--from", "11", "--name", "nobody"],
        Some("no event is selected: 10 before the first wanted, 20 of other names"),
    );
    check(&["--until", "2020-01-01"], Some("no event is selected until --until"));
    check(&["--name", "followup0"], None);
}

#[test]
fn what_is_no_log_is_an_error() {
    let place = place();
    let path = place.write("notes.txt", "one\ntwo\n");
    let run = place.replay(&[&path]);
    assert_eq!((run.code, run.error()["kind"].clone()), (Some(1), json!("input")), "{run:?}");
    assert!(run.stderr.contains("is an event"), "{run:?}");
    let event = json!({"prompt": "hi", "uids": [16, 17], "rewards": [0, 1]});
    let other = json!({"record": {"message": "resynced"}});
    let path = place.write("plain.jsonl", &format!("noise\n{event}\n{other}\n{event}\n"));
    let run = place.replay(&[&path]);
    let expected = "1 bad, 2 with a uid that the head does not have, 1 of other things";
    let message = format!("nothing can be learned from {path}: {expected}");
    assert_eq!((run.code, &run.error()["message"]), (Some(1), &json!(message)), "{run:?}");
    let (lines, summary) = split(&place.replay(&[&place.write("empty.log", "")]));
    assert_eq!(
        (lines.len(), &summary["steps"], &summary["loss_first"]),
        (0, &json!(0), &json!(null))
    );
}

/// A log that was named by mistake is not the one that a checkpoint goes on with.
#[test]
fn what_taught_nothing_leaves_no_checkpoint() {
    let place = place();
    let (empty, notes) = (place.write("empty.log", ""), place.write("notes.txt", "one\ntwo\n"));
    for path in [empty, notes] {
        place.replay(&[&path, "--checkpoint", "state"]);
        let run = place.run(&["checkpoint", "show", "state", "--format", "json"]);
        assert_eq!((run.code, run.error()["kind"].clone()), (Some(1), json!("checkpoint")));
    }
}

#[test]
fn the_report_is_for_people_too() {
    let place = place();
    let path = place.write("plain.jsonl", &(log(40) + "noise\n"));
    let model = tiny("tiny-bert");
    let run =
        place.run(&["replay", &path, "--gating.model_name", &model, "--gating.num_uids", "16"]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(lines[0].starts_with("40 steps in "), "{run:?}");
    assert_eq!(lines[1], "  skipped    1: 1 bad");
    assert!(run.stdout.contains("\n  Spearman  "), "{run:?}");
    assert!(
        run.stdout.contains("\n  embeddings 0 of 40 messages were there already; 40 kept"),
        "{run:?}"
    );
    assert!(run.stdout.ends_with("the model has learned 40 steps in all\n"), "{run:?}");
}
