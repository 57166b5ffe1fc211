//! Embeddings of messages, and how near they are to each other.
//!
//! `gating-encoders` is the only crate of ours here. The network is a tiny one with random weights, which the tests of
//! the crate have: its embeddings mean nothing, but they are computed as those of any other. Without the feature
//! `flex` there is no device to load it on; its files can still be told from others.

use std::error::Error;

use burn::tensor::Device;
use gating_encoders::{Embedding, Encoder, ModelFiles, NetworkKind, SentenceEncoder};

/// A folder as `transformers` saves it: `config.json`, a tokenizer and weights.
const MODEL: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates/gating-encoders/testdata/tiny-bert");

const MESSAGES: [&str; 3] = [
    "miners",
    "Which miner should I ask about learning, and why that one?",
    "Which miner should I ask about learning?",
];

/// How the embedding of the first message begins: that of the case "one word" in `expected.json` of [`MODEL`], which
/// `make.py` beside it computes with torch 2.9.1 and transformers 5.23.0.
const EXPECTED: [f32; 4] = [0.137_863_52, 0.025_412_796, 0.145_085_83, -0.018_248_62];

fn main() -> Result<(), Box<dyn Error>> {
    let files = ModelFiles::open(MODEL)?;
    println!("a network of the kind {}, {}", files.kind()?, files.fingerprint()?);
    assert_eq!(files.kind()?, NetworkKind::Bert);
    match cpu() {
        Some(device) => embed(&files, &device),
        None => Ok(println!("no device is compiled in, so that nothing is encoded")),
    }
}

/// The CPU, where it is compiled in.
fn cpu() -> Option<Device> {
    #[cfg(feature = "flex")]
    return Some(Device::flex());
    #[cfg(not(feature = "flex"))]
    None
}

fn embed(files: &ModelFiles, device: &Device) -> Result<(), Box<dyn Error>> {
    let encoder = SentenceEncoder::load(files, device)?;
    let vectors = Embedding::to_vecs(&encoder.encode_batch(&MESSAGES)?)?;
    for (message, vector) in MESSAGES.iter().zip(&vectors) {
        println!("{:6.3} to the second: {message}", product(vector, &vectors[1]));
        // A mean of one window has length 1, so that the product of two is their cosine.
        assert!((product(vector, vector) - 1.0).abs() < 1e-6);
    }
    // The suite of the crate holds every number to this.
    let errors = vectors[0].iter().zip(EXPECTED).map(|(found, expected)| (found - expected).abs());
    assert!(errors.fold(0.0, f32::max) <= 1e-6, "{vectors:?}");
    // A message has one embedding, alone or in a batch, to the bit.
    assert_eq!(encoder.encode(MESSAGES[0])?.to_vec()?, vectors[0]);
    Ok(())
}

fn product(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}
