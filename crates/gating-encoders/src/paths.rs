//! Tests: every tiny network through the kernels of the CPU, and by the tensor operations that all
//! other devices run.

use std::fs;
use std::path::Path;

use burn::tensor::{Device, FloatDType};
use gating_core::{Embedding, Encoder};
use gating_kernels::Pick;
use serde::Deserialize;

use crate::attention::Windows;
use crate::contents::Contents;
use crate::layers::Linear;
use crate::place::Place;
use crate::transformer::Transformer;
use crate::{LastTokenEncoder, ModelFiles, SentenceEncoder, cpu};

const TINY: [&str; 6] =
    ["tiny-bert", "tiny-distilbert", "tiny-gpt-neo", "tiny-gpt2", "tiny-mpnet", "tiny-roberta"];

/// What `make.py` writes.
#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    message: String,
    windows: Vec<Vec<u32>>,
    /// Only of short messages.
    hidden: Option<Vec<Vec<f32>>>,
    last_token: Vec<f32>,
    embedding: Vec<f32>,
}

fn place() -> Place {
    Place::new(&Device::flex(), FloatDType::F32).expect("the CPU computes in f32")
}

fn golden(name: &str) -> (ModelFiles, Vec<Case>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name);
    let json = fs::read(folder.join("expected.json")).expect("the golden is committed");
    let golden: Golden = serde_json::from_slice(&json).expect("make.py writes this");
    (ModelFiles::open(folder).expect("the model is committed"), golden.cases)
}

#[track_caller]
fn compare(at: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{at}");
    let pairs = found.iter().zip(expected);
    let error = pairs.map(|(found, expected)| (found - expected).abs()).fold(0.0, f32::max);
    assert!(error <= tolerance, "{at}: {error:e}");
}

/// One state after the other, as in PyTorch. The tolerances are those of the goldens of embeddings.
fn check_states(at: &str, network: &Transformer, case: &Case) {
    let Some(expected) = &case.hidden else { return };
    let ids: Vec<&[u32]> = case.windows.iter().map(Vec::as_slice).collect();
    let windows = Windows::new(&ids, &place());
    let states = network.forward(&ids, &windows, Pick::All);
    let states: Vec<f32> = states.into_data().try_to_vec().expect("states are f32");
    compare(at, &states, &expected.concat(), 1e-5);
}

/// All messages in one batch, so that what leaks from one to another shows.
fn check_encoder(at: &str, encoder: &dyn Encoder, cases: &[Case], of: fn(&Case) -> (&[f32], f32)) {
    let messages: Vec<&str> = cases.iter().map(|case| case.message.as_str()).collect();
    let embeddings = encoder.encode_batch(&messages).expect("every message has an embedding");
    let numbers = |embedding: &Embedding| embedding.to_vec().expect("the CPU does not fail");
    for (embedding, case) in embeddings.iter().zip(cases) {
        let (expected, tolerance) = of(case);
        compare(&format!("{at}, `{}`", case.message), &numbers(embedding), expected, tolerance);
    }
}

fn check(name: &str, path: &str, is_plain: bool) {
    let (files, cases) = golden(name);
    let (at, device) = (format!("{name}, {path}"), Device::flex());
    let contents = Contents::read(&files).expect("the model is whole");
    let network = contents.network(&place()).expect("the model is whole");
    for layer in &network.layers {
        assert_eq!(matches!(layer.output, Linear::Plain { .. }), is_plain, "{at}");
    }
    let tokenization = contents.tokenization().expect("the model is whole");
    for case in &cases {
        let windows = tokenization.windows(&case.message).expect("every message has tokens");
        assert_eq!(windows, case.windows, "{at}, `{}`", case.message);
        check_states(&at, &network, case);
    }
    let sentence = SentenceEncoder::load(&files, &device).expect("the model is whole");
    check_encoder(&at, &sentence, &cases, |case| (&case.embedding, 1e-6));
    let last_token = LastTokenEncoder::load(&files, &device).expect("the model is whole");
    check_encoder(&at, &last_token, &cases, |case| (&case.last_token, 1e-5));
}

#[test]
fn networks_equal_torch_through_kernels() {
    TINY.into_iter().for_each(|name| check(name, "kernels", false));
}

#[test]
fn networks_equal_torch_by_tensor_operations() {
    cpu::without_kernels(|| TINY.into_iter().for_each(|name| check(name, "plain", true)));
}

/// Where the scores of all heads would be too many for a tensor, some heads come after the others.
#[test]
fn heads_in_groups_give_the_same() {
    cpu::without_kernels(|| {
        for name in TINY {
            let (files, cases) = golden(name);
            let contents = Contents::read(&files).expect("the model is whole");
            let network = contents.network(&place()).expect("the model is whole");
            let ids: Vec<&[u32]> =
                cases.iter().flat_map(|case| &case.windows).map(Vec::as_slice).collect();
            let states = |max_tensor| {
                let windows = Windows::new(&ids, &Place { max_tensor, ..place() });
                let states = network.forward(&ids, &windows, Pick::All);
                states.into_data().try_to_vec::<f32>().expect("states are f32")
            };
            let longest = ids.iter().map(|ids| ids.len()).max().expect("there are windows");
            let one_head = ids.len() * longest * longest;
            compare(name, &states(one_head), &states(usize::MAX), 1e-6);
            compare(name, &states(3 * one_head), &states(usize::MAX), 1e-6);
        }
    });
}
