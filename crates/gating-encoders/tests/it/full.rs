//! Networks of full size against PyTorch in f64, where `cargo xtask golden --full` made them.

#![expect(clippy::print_stdout, reason = "the distances are what the run is for")]

use std::path::Path;
use std::{env, fs};

use gating_core::Encoder;
use gating_encoders::ModelFiles;
use serde::Deserialize;

use crate::fixture::{encode, last_token, sentence};

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    message: String,
    embedding: Vec<f64>,
    /// How far the same network in f32 is from that in PyTorch.
    torch_error: f64,
}

/// How far ours and PyTorch's numbers in f32 are from those in f64 at the most.
fn errors(folder: &Path, encoder: &dyn Encoder) -> (f64, f64) {
    let json = fs::read(folder.join("expected.json")).expect("the script has run to its end");
    let golden: Golden = serde_json::from_slice(&json).expect("the script writes this");
    let name = folder.file_name().expect("it is a network's folder").display();
    let (mut ours, mut torch) = (0.0f64, 0.0f64);
    for case in golden.cases {
        let found = encode(encoder, &case.message);
        assert_eq!(found.len(), case.embedding.len(), "{name}, {}", case.name);
        let cosine = cosine(&found, &case.embedding);
        assert!(cosine > 0.999_999, "{name}, {}: cosine {cosine}", case.name);
        let pairs = found.iter().zip(&case.embedding);
        let error = pairs.map(|(found, expected)| (f64::from(*found) - expected).abs());
        let error = error.fold(0.0, f64::max);
        let torch_error = case.torch_error;
        println!("{name}, {}: ours {error:.2e}, PyTorch {torch_error:.2e}", case.name);
        (ours, torch) = (ours.max(error), torch.max(torch_error));
    }
    (ours, torch)
}

fn cosine(found: &[f32], expected: &[f64]) -> f64 {
    let found: Vec<f64> = found.iter().copied().map(f64::from).collect();
    let dot = |left: &[f64], right: &[f64]| -> f64 {
        left.iter().zip(right).map(|(left, right)| left * right).sum()
    };
    dot(&found, expected) / (dot(&found, &found) * dot(expected, expected)).sqrt()
}

#[test]
fn full_size_networks_are_as_near_to_f64_as_torch() {
    let Some(folder) = env::var_os("GATING_FULL") else {
        eprintln!("skipped: GATING_FULL does not say where the networks of full size are");
        return;
    };
    let of = |name: &str, errors_of: fn(&Path, &ModelFiles) -> (f64, f64)| {
        let folder = Path::new(&folder).join(name);
        let files = ModelFiles::open(&folder).expect("the script has run to its end");
        errors_of(&folder, &files)
    };
    let (ours, torch) = of("gpt-neo-125m", |folder, files| errors(folder, &last_token(files)));
    assert!(ours <= 2.0 * torch, "ours {ours:e}, PyTorch {torch:e}");
    for name in ["distilroberta", "mpnet"] {
        let (ours, _) = of(name, |folder, files| errors(folder, &sentence(files)));
        assert!(ours <= 1e-5, "{name}: {ours:e}");
    }
}
