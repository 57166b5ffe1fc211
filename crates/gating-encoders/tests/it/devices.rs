//! One suite over every device that is compiled in and answers.
//!
//! `GATING_DEVICES` names, with commas between them, those that must answer; where it is not set,
//! those that are found are tested.

use std::env;

use burn::tensor::FloatDType;
use gating_core::{
    BaseGatingModel, CachedEncoder, Checkpoint, CheckpointFolder, Embedding, Encoder, Gate,
    GateConfig, GradientMode, Rewards,
};
use gating_devices::{DeviceFamily, DeviceName, Opened, found, open};
use gating_encoders::{Error, LastTokenEncoder, ModelFiles, SentenceEncoder};
use gating_metagraph::{Hotkey, Metagraph, Neuron, Uid};
use serde::Deserialize;

use crate::fixture::{TINY, cases, configured, distance, encode, encode_batch, files};

/// The variable that names the devices that must answer.
const DEVICES: &str = "GATING_DEVICES";

fn devices() -> Vec<Opened> {
    let names: Vec<DeviceName> = match env::var(DEVICES) {
        Ok(names) => {
            let parse = |name: &str| name.parse().expect("GATING_DEVICES holds names of devices");
            names.split(',').map(parse).collect()
        }
        Err(_) => found(),
    };
    assert!(!names.is_empty(), "no device to test");
    names.into_iter().map(|name| open(name).expect("the device answers")).collect()
}

/// How far an embedding may be from PyTorch's in f32, for vectors of length 1 and for last tokens,
/// whose numbers are some units large.
///
/// - the processor: PyTorch itself is up to 3.8e-7 and 3.0e-6 from f64
/// - LibTorch: the same arithmetic as PyTorch, in other orders of summing
/// - WGPU: shaders may round division, roots and exponentials to a few units in the last place
fn tolerances(name: DeviceName) -> (f32, f32) {
    match name {
        DeviceName::Cpu | DeviceName::LibTorch => (1e-6, 1e-5),
        _ => (5e-6, 5e-5),
    }
}

fn sentence(files: &ModelFiles, opened: &Opened) -> SentenceEncoder {
    SentenceEncoder::load(files, &opened.device).expect("the model is whole")
}

fn last_token(files: &ModelFiles, opened: &Opened) -> LastTokenEncoder {
    LastTokenEncoder::load(files, &opened.device).expect("the model is whole")
}

#[derive(Deserialize)]
struct Case {
    message: String,
    embedding: Vec<f32>,
    last_token: Vec<f32>,
}

/// Every message of a golden in one batch, which pads, and some alone, which does not.
#[track_caller]
fn check_encoder(
    at: &str,
    encoder: &dyn Encoder,
    cases: &[Case],
    expected: fn(&Case) -> &[f32],
    tolerance: f32,
) {
    let messages: Vec<&str> = cases.iter().map(|case| case.message.as_str()).collect();
    for (case, found) in cases.iter().zip(encode_batch(encoder, &messages)) {
        let error = distance(&found, expected(case));
        assert!(error <= tolerance, "{at}, `{}` in a batch: {error:e}", case.message);
    }
    for case in cases.iter().take(2) {
        let error = distance(&encode(encoder, &case.message), expected(case));
        assert!(error <= tolerance, "{at}, `{}` alone: {error:e}", case.message);
    }
}

#[test]
fn every_network_equals_torch_on_every_device() {
    for opened in devices() {
        let (unit, large) = tolerances(opened.name);
        for name in TINY {
            let (at, files) = (format!("{}, {name}", opened.name), files(name));
            let cases = cases::<Case>(name);
            let (mean, last) = (sentence(&files, &opened), last_token(&files, &opened));
            check_encoder(&at, &mean, &cases, |case| &case.embedding, unit);
            check_encoder(&at, &last, &cases, |case| &case.last_token, large);
        }
    }
}

/// The largest of every number, of windows that differ in length.
#[test]
fn poolings_are_the_same_on_every_device() {
    let devices = devices();
    let folder = configured("tiny-bert", "model_type", "bert");
    let modules = r#"[{"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}]"#;
    let write = |file: &str, text: &str| {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("it is ours");
        std::fs::write(path, text).expect("the folder can be written to");
    };
    write("modules.json", modules);
    let messages = ["who?", "the miner asks the other miner", "learning"];
    for mode in ["max", "cls", "lasttoken", "mean"] {
        write("1_Pooling/config.json", &format!("{{\"pooling_mode\": \"{mode}\"}}"));
        let files = ModelFiles::open(folder.path()).expect("the folder is whole");
        let first = encode_batch(&sentence(&files, &devices[0]), &messages);
        for opened in &devices[1..] {
            let found = encode_batch(&sentence(&files, opened), &messages);
            for (found, expected) in found.iter().zip(&first) {
                let error = distance(found, expected);
                assert!(error <= 2.0 * tolerances(opened.name).0, "{mode}: {error:e}");
            }
        }
    }
}

/// Subnet 1 at a block, its uids held by these keys.
fn metagraph(block: u64, keys: [u8; 4]) -> Metagraph {
    let neurons = keys.map(|key| Neuron::new(Hotkey::new([key; 32])));
    Metagraph::new(1, block, neurons.to_vec()).expect("the keys differ")
}

const MESSAGES: [&str; 4] = ["who asks?", "the miner", "learning why", "who asks?"];

/// What comes from a device in one fetch is what comes from it alone.
#[test]
fn a_batch_is_scored_to_the_bit_on_every_device() {
    let files = files("tiny-bert");
    for opened in devices() {
        let config = GateConfig { num_uids: 64, ..GateConfig::default() };
        let gate = Gate::new(sentence(&files, &opened), config).expect("the settings are right");
        let embeddings = gate.encoder().encode_batch(&MESSAGES).expect("they have embeddings");
        let batch = gate.score_batch(embeddings.clone()).expect("they have scores");
        assert_eq!(batch.len(), MESSAGES.len());
        for (found, embedding) in batch.iter().zip(embeddings) {
            let alone = gate.score(embedding).expect("it has scores");
            assert_eq!(found.values(), alone.values(), "{}", opened.name);
        }
    }
}

/// How far scores on a device may be from those of the host, which are sums of 32 products of numbers
/// below 1.
///
/// - the processor: the head lies there
/// - Burn's CUDA: factors may be rounded to the 10 bits of TF32
/// - any other: another order of summing
fn score_tolerance(name: DeviceName) -> f32 {
    match name.family() {
        DeviceFamily::Flex => 0.0,
        DeviceFamily::Cuda => 1e-2,
        _ => 2e-6,
    }
}

/// Scores of messages on their device are those of the host, also when the head has learned meanwhile,
/// and where one of the embeddings comes from the host.
#[test]
fn a_batch_is_scored_on_every_device() {
    let files = files("tiny-bert");
    for opened in devices() {
        let config = GateConfig { num_uids: 64, learning_rate: 10.0, ..GateConfig::default() };
        let gate = Gate::new(sentence(&files, &opened), config);
        let mut gate = gate.expect("the settings are right");
        let mut embeddings = gate.encoder().encode_batch(&MESSAGES).expect("they have embeddings");
        let numbers = embeddings[1].to_vec().expect("the device works");
        embeddings[1] = Embedding::from_slice(&numbers, &opened.device);
        let mut before: Option<Vec<f32>> = None;
        for step in 0..3 {
            let at = format!("{}, step {step}", opened.name);
            let batch = gate.score_on_device(embeddings.clone()).expect("they have scores");
            assert_eq!(batch.len(), MESSAGES.len());
            for (found, embedding) in batch.iter().zip(&embeddings) {
                let alone = gate.score(embedding.clone()).expect("it has scores");
                let error = distance(found.values(), alone.values());
                assert!(error <= score_tolerance(opened.name), "{at}: {error:e}");
            }
            let last = batch.last().expect("there is one").values();
            if let Some(before) = before.replace(last.to_vec()) {
                assert!(distance(&before, last) > 1e-4, "{at}: the copy is of another head");
            }
            let rewards = Rewards::new([0, 2, 3].map(Uid::new).to_vec(), vec![0.9, 0.1, 0.4]);
            let rewards = rewards.expect("the rewards are right");
            let learned = match step {
                0 => gate.backward(&batch[0], &rewards),
                _ => gate.learn(&batch[0], &rewards),
            };
            learned.expect("the rewards fit the scores");
        }
        assert!(gate.score_on_device(vec![]).expect("nothing is wrong").is_empty());
    }
}

/// Learns from each message, and gives the losses.
fn learn(gate: &mut dyn BaseGatingModel) -> Vec<f32> {
    let mut step = |message: &str| {
        let scores = gate.forward(message).expect("the message has scores");
        let asked = [0, 2, 3].map(Uid::new).to_vec();
        let rewards = Rewards::new(asked, vec![0.9, 0.1, 0.4]).expect("the rewards are right");
        gate.backward(&scores, &rewards).expect("the rewards fit the scores").value()
    };
    MESSAGES.map(&mut step).to_vec()
}

/// Resyncs, and gives the scores of a message then.
fn resync(gate: &mut dyn BaseGatingModel) -> Vec<f32> {
    let (old, new) = (metagraph(5, [1, 2, 3, 4]), metagraph(6, [1, 2, 9, 4]));
    let resync = gate.resync(&old, &new).expect("the metagraphs fit");
    assert_eq!(resync.replaced, [Uid::new(2)]);
    gate.forward(MESSAGES[0]).expect("the message has scores").values().to_vec()
}

fn config(gradient: GradientMode) -> GateConfig {
    GateConfig { num_uids: 4, learning_rate: 0.5, seed: 3, gradient, ..GateConfig::default() }
}

type Cached = Gate<CachedEncoder<SentenceEncoder>>;

fn cached(files: &ModelFiles, opened: &Opened) -> CachedEncoder<SentenceEncoder> {
    CachedEncoder::new(sentence(files, opened), 1 << 20)
}

/// A model that learned on one device, stopped, and goes on on another.
fn learned(start: &Opened, end: &Opened, gradient: GradientMode) -> Vec<f32> {
    let files = files("tiny-bert");
    let gate = Cached::new(cached(&files, start), config(gradient));
    let mut gate = gate.expect("the settings are in range");
    let mut numbers = learn(&mut gate);
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let writer = CheckpointFolder::open(folder.path()).expect("nobody else writes here");
    writer.write(&gate.checkpoint().expect("the weights are numbers")).expect("the disk has room");
    let checkpoint = Checkpoint::read(folder.path()).expect("it was just written");
    let gate = Gate::restore(cached(&files, end), checkpoint);
    let mut gate = gate.expect("the encoder has the same id on every device");
    numbers.extend(learn(&mut gate));
    numbers.extend(resync(&mut gate));
    numbers
}

#[test]
fn a_model_learns_the_same_on_every_device_and_goes_on_on_another() {
    let devices = devices();
    for gradient in [GradientMode::Accumulate, GradientMode::PerStep] {
        let expected = learned(&devices[0], &devices[0], gradient);
        for start in &devices {
            for end in &devices {
                let found = learned(start, end, gradient);
                let error = distance(&found, &expected);
                // Scores are sums of 32 products of an embedding's numbers with weights below 1.
                let tolerance = 8.0 * tolerances(start.name).0.max(tolerances(end.name).0);
                assert!(error <= tolerance, "{} to {}: {error:e}", start.name, end.name);
            }
        }
    }
}

/// The cosine of two vectors.
fn cosine(left: &[f32], right: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(left, right) / (dot(left, left) * dot(right, right)).sqrt()
}

/// Half as many digits, where the device has them: the direction hardly changes, neither alone nor in
/// a batch that pads.
#[test]
fn fewer_digits_keep_the_direction_where_the_device_has_them() {
    let messages = ["who asks?", "the miner asks the other miner about learning", "why"];
    for opened in devices() {
        for (name, dtype) in [
            ("tiny-bert", FloatDType::F16),
            ("tiny-bert", FloatDType::BF16),
            ("tiny-gpt-neo", FloatDType::F16),
            ("tiny-gpt-neo", FloatDType::BF16),
        ] {
            let files = files(name);
            let at = format!("{}, {name}, {dtype:?}", opened.name);
            match LastTokenEncoder::load_in(&files, &opened.device, dtype) {
                Ok(coarse) => {
                    let fine = encode_batch(&last_token(&files, &opened), &messages);
                    let batch = encode_batch(&coarse, &messages);
                    let alone = messages.map(|message| encode(&coarse, message));
                    for ((fine, batch), alone) in fine.iter().zip(&batch).zip(&alone) {
                        // bf16 has 8 bits, and an error of 2^-9 a number; weights here are larger
                        // than trained ones.
                        assert!(cosine(fine, batch) > 0.998, "{at}: {}", cosine(fine, batch));
                        assert!(cosine(fine, alone) > 0.998, "{at}: {}", cosine(fine, alone));
                        assert!(distance(fine, alone) > 0.0, "{at} is f32");
                    }
                }
                Err(error) => {
                    assert!(matches!(error, Error::DType { found } if found == dtype), "{error}");
                    assert!(opened.name.family() != DeviceFamily::LibTorch, "{at}: {error}");
                }
            }
        }
        let files = files("tiny-bert");
        let error = SentenceEncoder::load_in(&files, &opened.device, FloatDType::F64);
        assert!(matches!(error, Err(Error::DType { found: FloatDType::F64 })));
    }
}
