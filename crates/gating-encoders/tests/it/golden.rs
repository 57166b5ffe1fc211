//! Embeddings and scores against PyTorch, from `testdata/*/make.py`.

use std::fs;

use burn::tensor::Device;
use gating_core::{BaseGatingModel, GateConfig, Head};
use gating_encoders::{ModelFiles, SentenceEmbedGatingModel};
use safetensors::SafeTensors;
use serde::Deserialize;

use crate::fixture::{cases, distance, encode, files, last_token, minilm, sentence, testdata};

#[derive(Deserialize)]
struct Tiny {
    name: String,
    message: String,
    embedding: Vec<f32>,
    last_token: Vec<f32>,
}

/// Both ways of pooling, since either model takes any network.
fn check(name: &str, sentence_tolerance: f32, last_token_tolerance: f32) {
    let files = files(name);
    let (sentence, last_token) = (sentence(&files), last_token(&files));
    for case in cases::<Tiny>(name) {
        let error = distance(&encode(&sentence, &case.message), &case.embedding);
        assert!(error <= sentence_tolerance, "{name}, {}: sentence {error:e}", case.name);
        let error = distance(&encode(&last_token, &case.message), &case.last_token);
        assert!(error <= last_token_tolerance, "{name}, {}: last token {error:e}", case.name);
    }
}

/// PyTorch in f32 is 1.3e-6 (last token) and 1.4e-7 (sentence) from the same network in f64.
#[test]
fn tiny_bert_equals_torch() {
    check("tiny-bert", 1e-6, 1e-5);
}

/// PyTorch in f32 is 3.1e-6 (last token) and 1.2e-7 (sentence) from the same network in f64.
#[test]
fn tiny_gpt_neo_equals_torch() {
    check("tiny-gpt-neo", 1e-6, 1e-5);
}

#[derive(Deserialize)]
struct Real {
    name: String,
    message: String,
    embedding: Vec<f32>,
    scores: Vec<f32>,
}

fn head(files: &ModelFiles) -> SentenceEmbedGatingModel {
    let bytes = fs::read(testdata("minilm/head.safetensors")).expect("the head is committed");
    let tensors = SafeTensors::deserialize(&bytes).expect("make.py writes safetensors");
    let values = |name| -> Vec<f32> {
        let data = tensors.tensor(name).expect("make.py writes this tensor").data();
        data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    };
    let head = Head::from_values(values("weight"), values("bias"), &Device::flex());
    let head = head.expect("the head is whole");
    SentenceEmbedGatingModel::with_head(sentence(files), GateConfig::default(), head)
        .expect("the head is made for this encoder")
}

/// Embeddings within 1e-6: PyTorch in f32 is 1.2e-7 from f64. Scores are sums of 384 such products.
#[test]
fn scores_on_real_weights_equal_torch() {
    let Some(files) = minilm() else {
        eprintln!("skipped: GATING_MINILM does not say where the real weights are");
        return;
    };
    let model = head(&files);
    for case in cases::<Real>("minilm") {
        let scores = model.forward(&case.message).expect("the message has an embedding");
        let embedding = scores.embedding().to_vec().expect("the CPU does not fail");
        let error = distance(&embedding, &case.embedding);
        assert!(error <= 1e-6, "{}: embedding {error:e}", case.name);
        let error = distance(scores.values(), &case.scores);
        assert!(error <= 2e-6, "{}: scores {error:e}", case.name);
    }
}
