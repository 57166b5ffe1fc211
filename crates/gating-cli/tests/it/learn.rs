//! Score, learn, resync and checkpoint, one command after the other.

use gating_metagraph::{Axon, Hotkey, Metagraph, Neuron, Rao};
use serde_json::{Value, json};

use crate::fixture::{Run, place, tiny};

fn scores(line: &Value) -> Vec<f32> {
    let scores = line["scores"].as_array().expect("the line has scores");
    scores.iter().map(|score| score.to_string().parse().expect("scores are numbers")).collect()
}

const JSON: [&str; 2] = ["--format", "json"];

#[test]
fn what_is_learned_is_kept_from_command_to_command() {
    let place = place();
    let state = ["--checkpoint", "state"];
    for step in 1..=3 {
        let learn =
            ["learn", "--message", "a question", "--uids", "3, 5", "--rewards", "-0.5, 0.9"];
        let run = match step {
            1 => place.run_tiny(&[&learn[..], &state, &JSON].concat()),
            _ => place.run(&[&learn[..], &state, &JSON].concat()),
        };
        let line = &run.json()[0];
        assert_eq!((&line["step"], &line["uids"]), (&json!(step), &json!(2)));
        assert!(line["loss"].as_f64().is_some_and(|loss| loss > 0.0), "{line}");
        let is_new = run.stderr.contains("there is no checkpoint in state yet: beginning one");
        assert_eq!(is_new, step == 1, "{run:?}");
    }

    let run = place.run(&[&["score", "a question"][..], &state, &JSON].concat());
    let line = &run.json()[0];
    assert_eq!((&line["index"], &line["num_uids"]), (&json!(0), &json!(8)));
    let all = scores(line);

    let run = place.run(&[&["score", "a question", "--top", "2"][..], &state, &JSON].concat());
    let line = &run.json()[0];
    let best = (0..8).max_by(|&left, &right| all[left].total_cmp(&all[right]));
    assert_eq!(line["top"][0]["uid"], json!(best));
    assert_eq!(line["top"].as_array().map(Vec::len), Some(2));

    let run = place.run(&[&["checkpoint", "show", "state"][..], &JSON].concat());
    let line = &run.json()[0];
    assert_eq!((&line["step"], &line["num_uids"]), (&json!(3), &json!(8)));
    assert_eq!(line["notes"]["gating.model_name"], json!(tiny("tiny-bert")));
    let run = place.run(&["checkpoint", "verify", "state"]);
    assert_eq!((run.code, run.stdout.trim_end()), (Some(0), "state is whole: step 3"));
}

#[test]
fn messages_come_from_arguments_files_and_stdin() {
    let place = place();
    let input =
        place.write("in.txt", "\u{feff}one\n{\"prompt\": \"two\"}\n{\"message\": \"three\"}\n");
    let run = place.run_tiny(&[&["score", "zero", "--input", &input][..], &JSON].concat());
    let lines = run.json();
    let indices: Vec<&Value> = lines.iter().map(|line| &line["index"]).collect();
    assert_eq!(indices, [&json!(0), &json!(1), &json!(2), &json!(3)]);
    for (line, message) in lines.iter().zip(["zero", "one", "two", "three"]) {
        let alone = place.run_tiny(&[&["score", message][..], &JSON].concat());
        let pairs = scores(line).into_iter().zip(scores(&alone.json()[0]));
        for (together, alone) in pairs {
            // Scores are sums of 32 products of f32, and a batch may add in another order.
            assert!((together - alone).abs() <= 1e-6, "{message}: {together} {alone}");
        }
    }
}

#[test]
fn messages_before_a_bad_line_have_their_scores() {
    let place = place();
    let input = place.write("in.txt", "one\ntwo\n{\"text\": \"neither\"}\nfour\n");
    let run = place.run_tiny(&[&["score", "--input", &input][..], &JSON].concat());
    assert_eq!((run.code, run.stdout.lines().count()), (Some(1), 2), "{run:?}");
    assert_eq!(run.error()["kind"], json!("input"), "{run:?}");
}

#[test]
fn a_seed_makes_everything_repeatable() {
    let place = place();
    let score =
        |seed| place.run_tiny(&["score", "zero", "--format", "json", "--seed", seed]).stdout;
    assert_eq!(score("1"), score("1"));
    assert_ne!(score("1"), score("2"));
}

#[test]
fn a_resync_keeps_rows_and_makes_others_new() {
    let place = place();
    let state = ["--checkpoint", "state"];
    let learn = ["learn", "--message", "hi", "--uids", "1,2", "--rewards", "0,1"];
    place.run_tiny(&[&learn[..], &state, &JSON].concat()).json();
    let first = place.metagraph("first.json", 10, &[1, 2, 3, 4, 5, 6, 7, 8]);
    let second = place.metagraph("second.json", 20, &[1, 9, 3, 4, 5, 2, 7, 8, 10]);

    let run = place.run(&[&["resync", &first][..], &state, &JSON].concat());
    assert_eq!(run.json()[0]["kept"], json!(8));
    assert!(run.stderr.contains("nobody said whose the rows are"), "{run:?}");

    let score = || scores(&place.run(&[&["score", "hi"][..], &state, &JSON].concat()).json()[0]);
    let before = score();
    let run = place.run(&[&["resync", &second][..], &state, &JSON].concat());
    let expected = json!({
        "kept": 6, "moved": 0, "saved": 0, "replaced": [1, 5], "grown": [8], "removed": [], "hotkeys_moved": 1
    });
    assert_eq!(run.json()[0], expected);
    let after = score();
    assert_eq!(after.len(), 9);
    for uid in [0, 2, 3, 4, 6, 7] {
        assert_eq!(before[uid].to_bits(), after[uid].to_bits(), "uid {uid}");
    }
    for uid in [1, 5] {
        assert_ne!(before[uid], after[uid], "uid {uid}");
    }

    let run = place.run(&[&["resync", &first][..], &state, &JSON].concat());
    assert_eq!(run.code, Some(1));
    assert_eq!(run.error()["kind"], json!("metagraph"));
    assert_eq!(score(), after);
}

/// What lost most of its uids is more likely broken than small, and rows that are gone do not come
/// back.
#[test]
fn most_rows_are_dropped_only_when_told_to() {
    let place = place();
    let state = ["--checkpoint", "state"];
    let learn = ["learn", "--message", "hi", "--uids", "1,2", "--rewards", "0,1"];
    place.run_tiny(&[&learn[..], &state, &JSON].concat()).json();
    let resync = |file: &str, more: &[&str]| {
        place.run(&[&["resync", file][..], more, &state, &JSON].concat())
    };
    let removed = |run: Run| run.json()[0]["removed"].clone();
    let whole = place.metagraph("whole.json", 10, &[1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(removed(resync(&whole, &[])), json!([]));
    let half = place.metagraph("half.json", 20, &[1, 2, 3, 4]);
    let less = place.metagraph("less.json", 20, &[1, 2, 3]);
    let run = resync(&less, &[]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");
    let error = run.error();
    assert_eq!(error["kind"], json!("metagraph"));
    assert!(run.stderr.contains("it has 3 uids, less than half of the 8 before"), "{run:?}");
    assert!(run.stderr.contains("--accept-shrink"), "{run:?}");
    let shown = || place.run(&[&["checkpoint", "show"][..], &state, &JSON].concat()).json();
    assert_eq!(shown()[0]["num_uids"], json!(8), "nothing has changed");
    assert_eq!(removed(resync(&half, &[])), json!([4, 5, 6, 7]));
    let least = place.metagraph("least.json", 30, &[1]);
    assert_eq!(resync(&least, &[]).code, Some(1));
    assert_eq!(removed(resync(&least, &["--accept-shrink"])), json!([1, 2, 3]));
    assert_eq!(shown()[0]["num_uids"], json!(1));
}

/// Before the first metagraph a head is as large as somebody said, and often larger than the network.
#[test]
fn rows_that_a_first_metagraph_drops_are_told() {
    let place = place();
    let state = ["--checkpoint", "state"];
    let learn = ["learn", "--message", "hi", "--uids", "1,7", "--rewards", "0,1"];
    place.run_tiny(&[&learn[..], &state, &JSON].concat()).json();
    let small = place.metagraph("small.json", 10, &[1, 2, 3]);
    let run = place.run(&[&["resync", &small][..], &state, &JSON].concat());
    assert_eq!(run.json()[0]["removed"], json!([3, 4, 5, 6, 7]));
    let expected = "dropped 5 rows of uids that the metagraph does not have";
    assert!(run.stderr.contains(expected), "{run:?}");
}

#[test]
fn one_uid_alone_teaches_nothing() {
    let place = place();
    let learn = |uids: &str, rewards: &str| {
        let args = ["learn", "--message", "hi", "--uids", uids, "--rewards", rewards];
        let run = place.run_tiny(&[&args[..], &JSON].concat());
        (run.stderr.contains("one uid alone teaches nothing"), run.json()[0]["loss"].clone())
    };
    assert_eq!(learn("3", "0.5"), (true, json!(0.0)));
    assert!(!learn("3,4", "0.5,1").0);
}

#[test]
fn a_learning_rate_can_change_and_a_size_cannot() {
    let place = place();
    let learn = ["learn", "--message", "hi", "--uids", "1", "--rewards", "1"];
    let state = ["--checkpoint", "state"];
    place.run_tiny(&[&learn[..], &state, &JSON].concat()).json();
    let run = place.run(&[&learn[..], &state, &["--gating.learning_rate", "0.5"]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(
        run.stderr.contains("`gating.learning_rate` is 0.5 here, and 0.01 in the checkpoint"),
        "{run:?}"
    );
    let shown = place.run(&[&["checkpoint", "show"][..], &state, &JSON].concat());
    assert_eq!(shown.json()[0]["learning_rate"], json!(0.5));
    let run = place.run(&[&learn[..], &state, &["--gating.num_uids", "9"]].concat());
    assert_eq!(run.code, Some(2));
    let expected = "learning began with `num_uids` 8, which cannot change to 9";
    assert!(run.stderr.contains(expected), "{run:?}");
    assert!(run.stderr.contains("`gating.num_uids` comes from the command line"), "{run:?}");
    let run = place.run(&[&learn[..], &state, &["--seed", "9"]].concat());
    assert!(run.stderr.contains("`seed` comes from the command line"), "{run:?}");

    // The setting is that of the start, also when the head has grown.
    let first = place.metagraph("first.json", 1, &[1, 2, 3, 4, 5, 6, 7, 8]);
    let second = place.metagraph("second.json", 2, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for file in [&first, &second] {
        let run = place.run(&[&["resync", file][..], &state, &JSON].concat());
        assert_eq!(run.code, Some(0), "{run:?}");
    }
    let run = place.run(&[&learn[..], &state, &["--gating.num_uids", "8"]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    let run = place.run(&[&["resync", &second][..], &state, &["--netuid", "8"]].concat());
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("expected a metagraph of subnet 8, found subnet 1"), "{run:?}");
}

#[test]
fn text_is_for_people() {
    let place = place();
    let run = place.run_tiny(&["score", "hello there", "--top", "3"]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(run.code, Some(0));
    assert_eq!(lines[0], "hello there");
    assert_eq!(lines.len(), 5);
    assert!(run.stderr.starts_with("device: cpu"), "{run:?}");
    let run = place.run_tiny(&["score", "hello there", "--quiet"]);
    assert_eq!(run.stderr, "");
}

#[test]
fn a_message_controls_no_terminal() {
    let place = place();
    let run = place.run_tiny(&["score", "red \u{1b}[31m\nand more\u{202e}", "--top", "1"]);
    assert_eq!(run.stdout.lines().next(), Some("red \\u{1b}[31m\\nand more\\u{202e}"));
    let run = place.run(&["score", "hi", "--gating.model_name", "./\u{1b}[31m"]);
    assert!(run.stderr.contains("no model folder ./\\u{1b}[31m"), "{run:?}");
}

/// A step whose loss could not be told is not kept, so that trying again is safe.
#[cfg(target_os = "linux")]
#[test]
fn a_step_that_cannot_be_told_is_not_learned() {
    use std::fs::OpenOptions;

    let place = place();
    let learn = ["learn", "--message", "hi", "--uids", "1,2", "--rewards", "0,1"];
    let state = ["--checkpoint", "state"];
    assert_eq!(place.run_tiny(&[&learn[..], &state].concat()).code, Some(0));
    let full = OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let mut command = place.command(&[&learn[..], &state].concat());
    let output = command.stdout(full).output().expect("the command can be started");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("cannot access stdout"), "{stderr}");
    let show = ["checkpoint", "show", "state", "--format", "json"];
    assert_eq!(place.run(&show).json()[0]["step"], json!(1));
}

#[test]
fn only_uids_that_can_be_asked_are_ranked() {
    let place = place();
    let axon = |port: u16| Axon::new([203, 0, 113, 7].into(), port);
    let miner = |key: u8| Neuron {
        axon: Some(axon(8091)),
        validator_permit: Some(false),
        ..Neuron::new(Hotkey::new([key; 32]))
    };
    let mut neurons: Vec<Neuron> = (1..=10).map(miner).collect();
    neurons[2].axon = Some(Axon::new([0, 0, 0, 0].into(), 0));
    neurons[5].validator_permit = Some(true);
    neurons[5].stake.total = Some(Rao(5000 * 1_000_000_000));
    neurons[7].axon = None;
    let write = |neurons: Vec<Neuron>| {
        let metagraph = Metagraph::new(1, 5, neurons).expect("the keys differ");
        place.write("metagraph.json", &metagraph.to_json())
    };
    let file = write(neurons.clone());
    let score = |args: &[&str]| {
        let top = ["score", "hi", "--top", "20", "--available", &file, "--format", "json"];
        place.run_tiny(&[&top[..], args].concat())
    };
    let uids = |run: &Run| {
        let mut uids: Vec<u64> = run.json()[0]["top"]
            .as_array()
            .expect("there is a ranking")
            .iter()
            .filter_map(|row| row["uid"].as_u64())
            .collect();
        uids.sort_unstable();
        uids
    };
    let run = score(&[]);
    // The head has 8 uids, the metagraph 10; of uid 7 it is not known where it listens.
    assert_eq!(uids(&run), [0, 1, 3, 4, 6]);
    assert!(run.stderr.contains("1 uid left out"), "{run:?}");
    assert_eq!(uids(&score(&["--neuron.vpermit_tao_limit", "6000"])), [0, 1, 3, 4, 5, 6]);
    assert!(score(&["--netuid", "8"]).stderr.contains("expected a metagraph of subnet 8"));
    write((1..=8).map(|key| Neuron::new(Hotkey::new([key; 32]))).collect());
    let run = score(&[]);
    assert_eq!((run.code, run.error()["kind"].clone()), (Some(1), json!("metagraph")), "{run:?}");
    assert_eq!(place.run_tiny(&["score", "hi", "--available", &file]).code, Some(2));
}
