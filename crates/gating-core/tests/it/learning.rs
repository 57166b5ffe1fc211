//! 300 steps against PyTorch SGD, from `testdata/learning/make.py`.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use gating_core::{BaseGatingModel, Embedding, Gate, GateConfig, GradientMode, Head, Rewards};
use gating_metagraph::Uid;
use safetensors::SafeTensors;

use crate::fixture::Numbers;

const HIDDEN_SIZE: usize = 64;
const ASKED: usize = 50;

/// The learning rate of the runs whose largest change is about as large as the weights.
const FAST: [(&str, f64); 2] = [("accumulate_fast", 3.0), ("per_step_fast", 100.0)];

fn values(golden: &SafeTensors, name: &str) -> Vec<f32> {
    let data = golden.tensor(name).expect("make.py writes this tensor").data();
    data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

fn uids(golden: &SafeTensors) -> Vec<Uid> {
    let data = golden.tensor("uids").expect("make.py writes this tensor").data();
    let number = |bytes: &[u8; 4]| Uid::new(i32::from_le_bytes(*bytes) as u16);
    data.as_chunks().0.iter().map(number).collect()
}

/// How a step is taken.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Beside readers, who have the weights before it.
    Beside,
    /// In place, as by one who has the gate alone.
    InPlace,
    /// In place, together with the scores for the next message.
    AndScore,
}

/// Learns all steps, and returns the weights, the biases and every loss.
fn learn(
    golden: &SafeTensors,
    learning_rate: f64,
    gradient: GradientMode,
    way: fn(step: usize) -> Way,
) -> [Vec<f32>; 3] {
    let (device, encoder) = (Device::flex(), Numbers::new(HIDDEN_SIZE));
    let (weight, bias) = (values(golden, "initial.weight"), values(golden, "initial.bias"));
    let head = Head::from_values(weight, bias).expect("1024 rows");
    let config = GateConfig { learning_rate, gradient, ..GateConfig::default() };
    let mut gate = Gate::with_head(encoder, config, head).expect("the sizes agree");
    let (embeddings, rewards) = (values(golden, "embeddings"), values(golden, "rewards"));
    let (uids, mut losses) = (uids(golden), Vec::new());
    let mut messages = embeddings.chunks(HIDDEN_SIZE).enumerate().peekable();
    let mut scored = None;
    while let Some((step, numbers)) = messages.next() {
        let embedding = |numbers| Embedding::from_slice(numbers, &device);
        let scores = scored.take().unwrap_or_else(|| gate.score(embedding(numbers)));
        let scores = scores.expect("64 numbers");
        let asked = step * ASKED..(step + 1) * ASKED;
        let rewards = Rewards::new(uids[asked.clone()].to_vec(), rewards[asked].to_vec());
        let rewards = rewards.expect("50 uids");
        let loss = match (way(step), messages.peek()) {
            (Way::AndScore, Some((_, next))) => {
                gate.learn_and_score(&scores, &rewards, embedding(next)).map(|(loss, next)| {
                    scored = Some(next);
                    loss
                })
            }
            (Way::AndScore | Way::InPlace, _) => gate.learn(&scores, &rewards),
            (Way::Beside, _) => gate.backward(&scores, &rewards),
        };
        losses.push(loss.expect("they have scores").value());
    }
    let head = gate.head();
    [head.weight().to_vec(), head.bias().to_vec(), losses]
}

fn differences(left: &[f32], right: &[f32]) -> Vec<f32> {
    assert_eq!(left.len(), right.len());
    let mut differences: Vec<f32> =
        left.iter().zip(right).map(|(left, right)| (left - right).abs()).collect();
    differences.sort_by(f32::total_cmp);
    differences
}

fn largest_difference(left: &[f32], right: &[f32]) -> f32 {
    *differences(left, right).last().expect("there are weights")
}

/// How far weights may be off where the largest change of one is `change`.
struct Tolerance {
    /// All but one in 10,000.
    most: fn(change: f32) -> f32,
    all: fn(change: f32) -> f32,
}

fn golden_bytes() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/learning/learning.safetensors");
    fs::read(path).expect("the golden is committed")
}

fn check(run: &str, learning_rate: f64, tolerance: &Tolerance) {
    let bytes = golden_bytes();
    let golden = SafeTensors::deserialize(&bytes).expect("make.py writes safetensors");
    let gradient = match run.starts_with("accumulate") {
        true => GradientMode::Accumulate,
        false => GradientMode::PerStep,
    };
    let [weight, bias, losses] = learn(&golden, learning_rate, gradient, |_| Way::Beside);
    for (name, found) in [("weight", weight), ("bias", bias)] {
        let expected = values(&golden, &format!("{run}.{name}"));
        let change = largest_difference(&expected, &values(&golden, &format!("initial.{name}")));
        let errors = differences(&found, &expected);
        let (most, all) = (errors[errors.len() - 1 - errors.len() / 10_000], errors.last());
        let all = *all.expect("there are weights");
        let fits = most <= (tolerance.most)(change) && all <= (tolerance.all)(change);
        assert!(fits, "{run} {name}: errors {most:e} and {all:e}, change {change:e}");
    }
    let error = largest_difference(&losses, &values(&golden, &format!("{run}.losses")));
    assert!(error <= 2e-9, "{run}: the losses differ by {error:e}"); // 5e-4 * 2^-18, f32 of torch
}

/// Every weight within 1e-6 of the largest change.
#[test]
fn fast_learning_equals_torch() {
    let tolerance = Tolerance { most: |change| 1e-6 * change, all: |change| 1e-6 * change };
    for (run, learning_rate) in FAST {
        check(run, learning_rate, &tolerance);
    }
}

/// At the default learning rate 300 steps move a weight by 3e-3 at most, so that its last place
/// sets the limit: two units of it, for weights below 0.25.
///
/// Where a step is half a unit of that place, the last digit of the velocity decides whether the
/// weight moves at all, at every step anew. Such a weight is further off, and there is seldom one.
#[test]
fn learning_at_the_default_rate_equals_torch() {
    let tolerance = Tolerance { most: |_| 3e-8, all: |change| 3e-8 + 1e-4 * change };
    check("accumulate", 0.01, &tolerance);
    check("per_step", 0.01, &tolerance);
}

/// A step changes weights in place or writes them to a second buffer, and may score the next message in
/// the same pass: every number is the same, and all can follow on each other.
#[test]
fn steps_are_the_same_to_the_bit_however_they_are_taken() {
    let bytes = golden_bytes();
    let golden = SafeTensors::deserialize(&bytes).expect("make.py writes safetensors");
    for (gradient, learning_rate) in
        [(GradientMode::Accumulate, 3.0), (GradientMode::PerStep, 100.0)]
    {
        let run = |way| {
            let values = learn(&golden, learning_rate, gradient, way).concat();
            values.into_iter().map(f32::to_bits).collect::<Vec<u32>>()
        };
        let expected = run(|_| Way::Beside);
        assert!(run(|_| Way::InPlace) == expected, "{gradient}");
        assert!(run(|_| Way::AndScore) == expected, "{gradient}, with the next scores");
        let in_turns = run(|step| [Way::Beside, Way::InPlace, Way::AndScore][step % 3]);
        assert!(in_turns == expected, "{gradient}, in turns");
    }
}
