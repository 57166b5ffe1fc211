//! The demo, on the tiny encoder and on real weights.

use std::env;
use std::fs;

use serde_json::{Value, json};

use crate::fixture::{Place, place, tiny};

fn run(place: &Place, model: &str, args: &[&str]) -> Value {
    let demo = ["demo", "--gating.model_name", model, "--format", "json"];
    let mut lines = place.run(&[&demo[..], args].concat()).json();
    let last = lines.pop().expect("the demo prints lines");
    assert!(!lines.is_empty() && lines.iter().all(|line| line["step"].is_u64()), "{lines:?}");
    last["summary"].clone()
}

fn number(summary: &Value, name: &str) -> f64 {
    summary[name].as_f64().unwrap_or_else(|| panic!("{name} is a number in {summary}"))
}

#[test]
fn the_whole_chain_runs_on_any_encoder() {
    let place = place();
    let summary = run(&place, &tiny("tiny-bert"), &["--steps", "60"]);
    assert_eq!(summary["steps"], json!(60));
    assert_eq!(summary["resync"]["replaced"], json!(16));
    assert_eq!(summary["resync"]["kept"], json!(240));
    assert_eq!(summary["resync"]["kept_rows_unchanged"], json!(true));
    assert_eq!(summary["reloaded_scores_equal"], json!(true));
    let svg = fs::read_to_string(place.path().join("gating-demo/loss.svg"));
    assert!(svg.expect("the curve was drawn").starts_with("<svg"));
    let show = place.run(&["checkpoint", "show", "gating-demo/checkpoint", "--format", "json"]);
    assert_eq!(show.json()[0]["step"], json!(60));
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let place = place();
    let run = |seed| {
        let mut summary = run(&place, &tiny("tiny-bert"), &["--steps", "20", "--seed", seed]);
        summary["seconds"] = json!(null);
        summary
    };
    assert_eq!(run("4"), run("4"));
    assert_ne!(run("4"), run("5"));
}

#[test]
fn what_somebody_learned_is_not_written_over() {
    let place = place();
    let learn = ["learn", "--message", "hi", "--uids", "1", "--rewards", "1"];
    let state = ["--checkpoint", "state"];
    assert_eq!(place.run_tiny(&[&learn[..], &state].concat()).code, Some(0));
    let model = tiny("tiny-bert");
    let demo = ["demo", "--gating.model_name", &model, "--checkpoint", "state"];
    let run = place.run(&demo);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("holds a checkpoint that is no demo's"), "{run:?}");
}

#[test]
fn a_demo_that_somebody_went_on_with_is_theirs() {
    let place = place();
    let model = tiny("tiny-bert");
    let demo = ["demo", "--gating.model_name", &model, "--steps", "2"];
    for _ in 0..2 {
        assert_eq!(place.run(&demo).code, Some(0));
    }
    let learn = ["learn", "--message", "hi", "--uids", "1", "--rewards", "1"];
    let state = ["--checkpoint", "gating-demo/checkpoint"];
    assert_eq!(place.run(&[&learn[..], &state].concat()).code, Some(0));
    let run = place.run(&demo);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("holds a checkpoint that is no demo's"), "{run:?}");
}

#[test]
fn a_plot_that_cannot_be_written_is_told_at_the_start() {
    let place = place();
    place.write("taken", "");
    let model = tiny("tiny-bert");
    let run = place.run(&["demo", "--gating.model_name", &model, "--plot", "taken/loss.svg"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");
    assert!(run.stderr.contains("the plot cannot be written"), "{run:?}");
}

/// With real weights the best uids earn far more after learning, on messages never learned from.
#[test]
fn real_weights_learn_who_is_good_at_what() {
    let Some(model) = env::var_os("GATING_MINILM") else {
        eprintln!("skipped: GATING_MINILM does not say where the real weights are");
        return;
    };
    let summary = run(&place(), &model.to_string_lossy(), &["--steps", "1500"]);
    let [random, before, after, best] = ["random", "before", "after", "best"]
        .map(|name| number(&summary, &format!("reward_{name}")));
    assert!((before - random).abs() < 0.05, "{summary}"); // nothing is known yet
    assert!(after > random + 0.5 * (best - random), "{summary}");
    assert!(after < best, "{summary}");
    assert!(number(&summary, "loss_last") < number(&summary, "loss_first"), "{summary}");
}
