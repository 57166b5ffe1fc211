//! Bad input, each kind with its own clear error and exit code, and nothing changed.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::fixture::{Place, place, tiny};

const LEARN: [&str; 3] = ["learn", "--message", "hi"];

/// Runs on the tiny model, and checks the exit code and what stderr holds.
fn check(place: &Place, args: &[&str], code: i32, expected: &str) {
    let run = place.run_tiny(args);
    assert_eq!((run.code, run.stdout.as_str()), (Some(code), ""), "{args:?} {run:?}");
    assert!(run.stderr.contains(expected), "{args:?} {run:?}");
    assert!(!run.stderr.contains("panicked"), "{args:?} {run:?}");
}

/// As [`check`] with other settings than those of the tiny model.
fn check_bare(place: &Place, args: &[&str], code: i32, expected: &str) {
    let run = place.run(args);
    assert_eq!(run.code, Some(code), "{args:?} {run:?}");
    assert!(run.stderr.contains(expected), "{args:?} {run:?}");
}

#[test]
fn rewards_that_cannot_be() {
    let place = place();
    let learn = |uids, rewards, code, expected| {
        let args = [&LEARN[..], &["--uids", uids, "--rewards", rewards]].concat();
        check(&place, &args, code, expected);
    };
    learn("1,2", "0.5,NaN", 2, "the reward of uid 2 is NaN, expected a finite number");
    learn("1,2", "inf,0.5", 2, "the reward of uid 1 is inf, expected a finite number");
    learn("1,1", "0.5,0.5", 2, "uid 1 is repeated, expected each uid once");
    learn("1,2", "0.5", 2, "2 uids but 1 rewards, expected one reward a uid");
    learn("8", "0.5", 1, "uid 8 is out of range, expected one of the 8 uids from 0 to 7");
    learn("3, 70000", "0.5,1", 2, "' 70000' for '--uids <UIDS>': expected whole numbers from 0");
    learn("1", "much", 2, "'much' for '--rewards <REWARDS>': expected numbers");
}

#[test]
fn settings_that_cannot_be() {
    let place = place();
    let set =
        |name, value, expected| check_bare(&place, &["config", "check", name, value], 2, expected);
    set(
        "--gating.num_uids",
        "0",
        "`gating.num_uids` from the command line: expected 1 to 65536 uids, found 0",
    );
    set("--gating.num_uids", "70000", "expected 1 to 65536 uids, found 70000");
    set("--gating.learning_rate", "-1", "expected a learning rate of 0 or more, found -1");
    set("--gating.momentum", "1.5", "expected a momentum of at least 0 and below 1, found 1.5");
    set("--gating.gradient", "never", "is `never`, expected accumulate or per-step");
    set("--gating.unheard_of", "1", "--gating.unheard_of");
    set("--checkpoint", "", "`checkpoint` from the command line is ``, expected a text");
    set("--neuron.device", "abacus", "is `abacus`, expected auto, cpu, ");
}

#[test]
fn models_that_cannot_be_loaded() {
    let place = place();
    let score = |folder: &str, expected: &str| {
        check_bare(&place, &["score", "hi", "--gating.model_name", folder], 1, expected);
    };
    score("./missing", "no model folder ./missing");
    score("org/missing", "fetch it with `gating model pull org/missing`");
    let damage = |name: &str, file: &str, change: &dyn Fn(Vec<u8>) -> Vec<u8>, expected: &str| {
        let folder = place.path().join(name);
        copy(Path::new(&tiny("tiny-bert")), &folder);
        let bytes = fs::read(folder.join(file)).expect("the file was copied");
        fs::write(folder.join(file), change(bytes)).expect("the folder can be written to");
        score(&format!("./{name}"), expected);
    };
    let weights = "model.safetensors";
    damage("cut", weights, &|bytes| bytes[..5000].to_vec(), "is not a whole safetensors file");
    damage("noise", weights, &|bytes| vec![7; bytes.len()], "is not a whole safetensors file");
    damage("no-config", "config.json", &|_| b"{".to_vec(), "config.json cannot be used");
    let replace = |from: &'static str, to: &'static str| {
        move |bytes: Vec<u8>| {
            // The header of the weights is text; what follows it is kept as it is.
            let at = bytes.windows(from.len()).position(|window| window == from.as_bytes());
            let at = at.expect("the file holds the text");
            [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
        }
    };
    damage("type", "config.json", &replace("\"bert\"", "\"tree\""), "found `tree`");
    damage(
        "shape",
        "config.json",
        &replace("\"intermediate_size\": 64", "\"intermediate_size\": 65"),
        "is F32 [64], expected F32 [65]",
    );
    damage(
        "tensor",
        weights,
        &replace("encoder.layer.0.output.dense.bias", "encoder.layer.0.output.dense.bits"),
        "weights lack tensor `encoder.layer.0.output.dense.bias`",
    );
}

#[test]
fn an_empty_message_for_gpt_neo() {
    let place = place();
    let model = tiny("tiny-gpt-neo");
    let run = place.run(&["score", "hi", "", "--gating.model_name", &model, "--format", "json"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let error = run.error();
    assert_eq!(run.stdout.lines().count(), 1, "the message before has its scores: {run:?}");
    assert_eq!(error["message"], json!("message 1 has no scores"));
    assert_eq!(error["causes"][1], json!("the message has no tokens, expected at least one"));
}

#[test]
fn checkpoints_that_cannot_be_used() {
    let place = place();
    check(&place, &["score", "hi", "--checkpoint", "none"], 1, "no checkpoint in none");
    check_bare(&place, &["checkpoint", "show"], 2, "name its folder with --checkpoint DIR");
    let resync = ["resync", "m.json", "--checkpoint", "none"];
    place.metagraph("m.json", 1, &[1, 2]);
    check(&place, &resync, 1, "no checkpoint in none");
    assert!(!place.path().join("none").exists(), "a failed command leaves no folder behind");

    let learn = [&LEARN[..], &["--uids", "1", "--rewards", "1", "--checkpoint", "state"]].concat();
    let absent = [&learn[..], &["--gating.model_name", "org/none"]].concat();
    assert_eq!(place.run(&absent).code, Some(1));
    assert!(!place.path().join("state").exists(), "a failed command leaves no folder behind");
    assert_eq!(place.run_tiny(&learn).code, Some(0));
    let file = place.path().join("state/checkpoint-00000001.safetensors");
    let whole = fs::read(&file).expect("it was just written");
    let other = tiny("tiny-gpt-neo");
    check_bare(
        &place,
        &["score", "hi", "--checkpoint", "state", "--gating.model_name", &other],
        1,
        "the checkpoint was taken with encoder `sentence:bert:",
    );

    let mut flipped = whole.clone();
    *flipped.last_mut().expect("the file is not empty") ^= 1;
    for damaged in [&whole[..whole.len() - 9], &flipped] {
        fs::write(&file, damaged).expect("the folder can be written to");
        check_bare(&place, &["checkpoint", "verify", "state"], 1, "cannot be used");
        check_bare(&place, &learn, 1, "cannot be used");
        assert_eq!(fs::read(&file).expect("the file is there"), damaged, "nothing is written over");
    }
}

#[test]
fn a_damaged_checkpoint_is_left_only_when_told_to() {
    let place = place();
    let learn = [&LEARN[..], &["--uids", "1", "--rewards", "1", "--checkpoint", "state"]].concat();
    for _ in 0..3 {
        assert_eq!(place.run_tiny(&learn).code, Some(0));
    }
    let damage = |number: u64| {
        let name = format!("state/checkpoint-{number:08}.safetensors");
        place.write(&name, "damaged");
    };
    damage(1);
    let verify = ["checkpoint", "verify", "state", "--format", "json"];
    let found = place.run(&verify).json();
    let whole: Vec<_> = found[0]["checkpoints"].as_array().expect("a list").to_vec();
    let whole: Vec<_> = whole.iter().map(|line| (&line["whole"], &line["newest"])).collect();
    let [yes, no] = [json!(true), json!(false)];
    assert_eq!(whole, [(&no, &no), (&yes, &no), (&yes, &yes)]);
    assert_eq!(found[0]["checkpoints"][0]["file"], json!("checkpoint-00000001.safetensors"));

    damage(3);
    check_bare(&place, &["checkpoint", "verify", "state"], 1, "--fall-back` goes back to step 2");
    check_bare(&place, &["checkpoint", "show", "state"], 1, "cannot be used");
    let run = place.run(&["checkpoint", "verify", "state", "--fall-back"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.starts_with("state is whole: step 2\n"), "{run:?}");
    assert!(run.stderr.contains("is not a whole safetensors file"), "{run:?}");
    assert_eq!(place.run_tiny(&learn).code, Some(0));
    assert_eq!(place.run(&verify).json()[0]["step"], json!(3));
    [2, 3].into_iter().for_each(damage);
    check_bare(&place, &["checkpoint", "verify", "state"], 1, "restore the folder from a backup");
}

#[test]
fn metagraphs_that_cannot_be_used() {
    let place = place();
    let good = place.metagraph("good.json", 1, &[1, 2]);
    let text = fs::read_to_string(&good).expect("it was just written");
    let diff = |content: &str, expected: &str| {
        let bad = place.write("bad.json", content);
        check_bare(&place, &["metagraph", "diff", &good, &bad], 1, expected);
    };
    diff(&text.replacen("5C", "5D", 1), "the metagraph snapshot is wrong at `neurons[0].hotkey`");
    diff(
        &text.replace("\"netuid\":1", "\"netuid\":2"),
        "expected a metagraph of subnet 1, found subnet 2",
    );
    diff("{}", "expected a metagraph, found JSON without `format`, `hotkeys`");
    diff("no JSON", "expected a metagraph, found a file that begins with");
    check_bare(&place, &["metagraph", "diff", &good, "missing.json"], 1, "missing.json");
}

#[test]
fn input_files_that_cannot_be_read() {
    let place = place();
    check(&place, &["score", "--input", "missing.txt"], 1, "cannot access missing.txt");
    let input = place.write("in.jsonl", "{\"text\": \"neither\"}\n");
    let run = place.run_tiny(&["score", "--input", &input]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("line 1"), "{run:?}");
    assert!(run.stderr.contains("expected `prompt` or `message`"), "{run:?}");
}

#[test]
fn errors_are_json_where_asked_for() {
    let place = place();
    let run = place.run(&["checkpoint", "show", "none", "--format", "json"]);
    let error = run.error();
    assert_eq!(error["kind"], json!("checkpoint"));
    assert_eq!(error["message"], json!("no checkpoint in none"));
    let run = place.run(&["scores", "--format", "json"]);
    assert_eq!((run.code, run.error()["kind"].clone()), (Some(2), json!("usage")));
    let run = place.run(&["learn", "--message", "hi", "--format", "json"]);
    assert_eq!(run.error()["causes"], json!(["--uids <UIDS>", "--rewards <REWARDS>"]));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("the folder can be written to");
    for entry in fs::read_dir(from).expect("the model is committed") {
        let entry = entry.expect("the model is committed");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("the folder can be written to");
    }
}
