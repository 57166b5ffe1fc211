//! Replays that go on where a checkpoint stopped.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use gating_core::Checkpoint;
use serde_json::json;

use super::logs::log;
use super::{LEARN, assert_same, place, split, tiny};

const STATE: [&str; 2] = ["--checkpoint", "state"];

/// The start of a text, in lines.
fn lines(text: &str, count: usize) -> &str {
    let end = text.match_indices('\n').nth(count - 1).map(|(at, _)| at + 1);
    &text[..end.expect("the text has as many lines")]
}

#[test]
fn a_log_that_grows_is_learned_from_once() {
    let place = place();
    let text = log(60);
    let path = place.write("growing.log", lines(&text, 25));
    let replay = || split(&place.replay(&[&[path.as_str()], &STATE[..]].concat()));
    // What will be read again is no run before.
    place.write("growing.log", &text[..lines(&text, 25).len() + 30]);
    let (steps, summary) = replay();
    assert_eq!((steps.len(), &summary["total"]), (25, &json!(null)));
    assert_eq!(summary["skipped_why"], json!({"unfinished": 1}));
    place.write("growing.log", lines(&text, 25));
    let (steps, summary) = replay();
    assert_eq!((steps.len(), &summary["step"]), (0, &json!(25)));
    // The writer has come as far as into the middle of a line.
    place.write("growing.log", &text[..lines(&text, 40).len() + 30]);
    let (steps, summary) = replay();
    assert_eq!((steps.len(), &steps[0]["step"]), (15, &json!(26)));
    assert_eq!(summary["skipped_why"], json!({"unfinished": 1}));
    place.write("growing.log", &text);
    let (steps, summary) = replay();
    assert_eq!((steps.len(), &summary["total"]["steps"]), (20, &json!(60)));
    assert_eq!(summary["total"]["skipped"], json!(0));

    let (_, whole) = split(&place.replay(&[&path, "--checkpoint", "whole"]));
    assert_same(&place.checkpoint("state"), &place.checkpoint("whole"));
    for name in ["loss_tenths", "spearman_tenths", "ndcg_tenths", "seen"] {
        assert_eq!(summary["total"][name], whole[name], "{name}");
    }
}

/// `completions.log` is rotated: what was read is another file now, and the name is that of a new
/// one.
#[test]
fn a_log_that_was_rotated_is_known_again() {
    let place = place();
    let text = log(30);
    let path = place.write("completions.log", lines(&text, 12));
    assert_eq!(place.replay(&[&[path.as_str()], &STATE[..]].concat()).code, Some(0));
    let rotated = place.write("completions.1.log", lines(&text, 20));
    place.write("completions.log", &text[lines(&text, 20).len()..]);
    let (steps, _) = split(&place.replay(&[&[rotated.as_str(), &path], &STATE[..]].concat()));
    assert_eq!(steps.len(), 18);
    let whole = place.write("whole.log", &text);
    place.replay(&[&whole, "--checkpoint", "whole"]);
    assert_same(&place.checkpoint("state"), &place.checkpoint("whole"));
}

#[test]
fn an_earlier_end_can_be_gone_on_from() {
    let place = place();
    let path = place.write("plain.jsonl", &log(30));
    let replay = |args: &[&str]| split(&place.replay(&[&[path.as_str()], args, &STATE].concat()));
    assert_eq!(replay(&["--until", "10"]).0.len(), 10);
    assert_eq!(replay(&["--until", "block:1000019"]).0.len(), 10);
    assert_eq!(replay(&["--until", "5"]).0.len(), 0);
    assert_eq!(replay(&[]).0.len(), 10);
    place.replay(&[&path, "--checkpoint", "whole"]);
    assert_same(&place.checkpoint("state"), &place.checkpoint("whole"));
}

#[test]
fn what_differs_is_told() {
    let place = place();
    let text = log(30);
    let (first, second) =
        (place.write("a.log", lines(&text, 20)), place.write("b.log", &text[100..]));
    let args = [&first, &second, "--name", "answer0", "--name", "followup0"];
    assert_eq!(place.replay(&[&args[..], &STATE].concat()).code, Some(0));
    let before = fs::read_dir(place.path().join("state")).expect("it is there").count();
    let check = |args: &[&str], causes: serde_json::Value| {
        let run = place.replay(&[args, &STATE].concat());
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{args:?} {run:?}");
        assert_eq!(run.error()["causes"], causes, "{args:?}");
        assert!(run.error()["hint"].as_str().is_some_and(|hint| hint.contains("--again")));
    };
    let names = ["--name", "followup0", "--name", "answer0"];
    let with = |logs: &[&'static str]| [logs, &names].concat();
    check(
        &[&first, &second, "--name", "followup0", "--from", "3"],
        json!([
            "`--from`: expected nothing, found `step 3`",
            "`--name`: expected `answer0, followup0`, found `followup0`"
        ]),
    );
    let message = format!(
        "log 1: expected the one that was `{first}` then, found b.log, which begins with something else"
    );
    check(&with(&["b.log", "a.log"]), json!([message]));
    let message =
        format!("expected at least 2 logs, found 1: the one that was `{second}` then is missing");
    check(&with(&["a.log"]), json!([message]));
    let after = fs::read_dir(place.path().join("state")).expect("it is there").count();
    assert_eq!(before, after, "nothing was written");

    // Names in another order are the same names, and --again begins anew on the same head.
    let (steps, _) = split(&place.replay(&[&with(&["a.log", "b.log"])[..], &STATE].concat()));
    assert_eq!(steps.len(), 0);
    let learned = place.checkpoint("state").step();
    let (steps, summary) = split(&place.replay(&[&["b.log", "--again"][..], &STATE].concat()));
    assert_eq!(steps[0]["step"], json!(learned + 1));
    assert_eq!(summary["total"], json!(null));
}

#[test]
fn a_log_that_was_cut_is_told() {
    let place = place();
    // Longer than what tells logs apart.
    let text = log(60);
    let path = place.write("plain.jsonl", &text);
    place.replay(&[&[path.as_str()], &STATE[..]].concat());
    place.write("plain.jsonl", lines(&text, 50));
    let run = place.replay(&[&[path.as_str()], &STATE[..]].concat());
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("bytes, found"), "{run:?}");
}

#[test]
fn learning_beside_a_replay_keeps_its_place() {
    let place = place();
    let text = log(30);
    let path = place.write("plain.jsonl", &text);
    place.replay(&[&[path.as_str(), "--until", "10"], &STATE[..]].concat());
    let learn = ["learn", "--message", "hi", "--uids", "1,2", "--rewards", "0,1"];
    assert_eq!(place.run(&[&learn[..], &STATE].concat()).code, Some(0));
    let (steps, summary) = split(&place.replay(&[&[path.as_str()], &STATE[..]].concat()));
    assert_eq!((steps.len(), &steps[0]["step"]), (20, &json!(12)));
    assert_eq!((&summary["total"]["steps"], &summary["step"]), (&json!(30), &json!(31)));
}

/// Nothing that was learned is lost while the run goes on; at its end there is nowhere to save it.
#[test]
fn a_folder_that_vanishes_ends_no_run() {
    let place = place();
    let path = place.write("plain.jsonl", &log(300));
    let tiny = tiny("tiny-bert");
    let model = ["--gating.model_name", &tiny, "--format", "json"];
    let args = ["replay", &path, "--checkpoint", "state", "--save-every", "1"];
    let mut command = place.command(&[&args[..], &model, &LEARN].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.as_mut().expect("the command can be started");
    let state = place.path().join("state");
    while Checkpoint::read(&state).is_err() {
        assert_eq!(child.try_wait().expect("it can be asked"), None, "it goes on");
    }
    fs::rename(&state, place.path().join("elsewhere")).expect("the folder is ours");
    let mut output = String::new();
    let stdout = child.stdout.as_mut().expect("it is piped");
    stdout.read_to_string(&mut output).expect("all output is UTF-8");
    let last = output.lines().last().expect("there is a summary");
    let last: serde_json::Value = serde_json::from_str(last).expect("it is JSON");
    assert_eq!((output.lines().count(), &last["summary"]["steps"]), (301, &json!(300)), "{last}");
    let mut errors = String::new();
    let stderr = child.stderr.as_mut().expect("it is piped");
    stderr.read_to_string(&mut errors).expect("all output is UTF-8");
    assert!(errors.contains("state was removed or replaced while it was in use"), "{errors}");
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    let steps = place.checkpoint("elsewhere").step();
    assert!((1..300).contains(&steps), "what was saved before is whole: {steps}");
}
