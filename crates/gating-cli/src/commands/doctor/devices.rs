//! Every device that is found, and whether it computes a small network right.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use gating_core::Encoder;
use gating_devices::{About, DeviceName, Opened, found, open};
use gating_encoders::{ModelFiles, SentenceEncoder};
use serde::{Deserialize, Serialize};

use crate::output::seconds;

/// The network, made by `testdata/probe/make.py`.
const FILES: [(&str, &[u8]); 4] = [
    ("config.json", include_bytes!("../../../testdata/probe/config.json")),
    ("model.safetensors", include_bytes!("../../../testdata/probe/model.safetensors")),
    ("tokenizer.json", include_bytes!("../../../testdata/probe/tokenizer.json")),
    ("tokenizer_config.json", include_bytes!("../../../testdata/probe/tokenizer_config.json")),
];

const EXPECTED: &[u8] = include_bytes!("../../../testdata/probe/expected.json");

/// How far f32 may be from PyTorch's embedding, a vector of length 1: in another order of summing,
/// and with the products of a GPU, the last digits differ.
const TOLERANCE: f32 = 1e-5;

/// A message and its embedding by PyTorch.
#[derive(Deserialize)]
struct Expected {
    message: String,
    embedding: Vec<f32>,
}

/// What is known of a device, and how it did.
#[derive(Serialize)]
pub(super) struct DeviceReport {
    pub(super) device: String,
    name: Option<String>,
    driver: Option<String>,
    memory_bytes: Option<u64>,
    max_tensor_bytes: Option<u64>,
    is_software: bool,
    answers: bool,
    /// The time of one message, the second time.
    seconds: Option<f64>,
    /// The largest distance of a number from PyTorch's.
    error: Option<f32>,
    pub(super) problem: Option<String>,
}

/// Opens and tries every device that is found.
pub(super) fn examine() -> Vec<DeviceReport> {
    found().into_iter().map(report).collect()
}

fn report(name: DeviceName) -> DeviceReport {
    let opened = open(name);
    let tried = match &opened {
        Ok(opened) => measure(opened),
        Err(error) => Err(anyhow::Error::msg(error.to_string())),
    };
    let problem = match &tried {
        Ok((_, error)) if *error <= TOLERANCE => None,
        Ok((_, error)) => Some(format!("off by {error:e}, expected at most {TOLERANCE:e}")),
        Err(error) => Some(format!("{error:#}")),
    };
    let about = opened.ok().map(|opened| opened.about);
    let is_software = about.as_ref().is_some_and(|about| about.is_software);
    let About { driver, memory, max_tensor, .. } = about.clone().unwrap_or_default();
    let (time, error) = tried.ok().unzip();
    DeviceReport {
        device: name.to_string(),
        name: about.map(|about| about.name),
        driver,
        memory_bytes: memory,
        max_tensor_bytes: max_tensor,
        is_software,
        answers: problem.is_none(),
        seconds: time.as_ref().map(Duration::as_secs_f64),
        error,
        problem,
    }
}

/// The time that the network takes on a device, and how far its embedding is from PyTorch's.
fn measure(opened: &Opened) -> Result<(Duration, f32)> {
    let folder = tempfile::tempdir().context("the test network cannot be written")?;
    for (name, bytes) in FILES {
        fs::write(folder.path().join(name), bytes).context("the test network cannot be written")?;
    }
    let encoder = SentenceEncoder::load(&ModelFiles::open(folder.path())?, &opened.device)?;
    let expected: Expected =
        serde_json::from_slice(EXPECTED).expect("a test reads it on every device");
    let encode = || encoder.encode(&expected.message).map(|embedding| embedding.to_vec());
    // The first time, kernels are compiled and memory is taken.
    encode()??;
    let start = Instant::now();
    let embedding = encode()??;
    let time = start.elapsed();
    ensure!(embedding.len() == expected.embedding.len(), "{} numbers", embedding.len());
    let pairs = embedding.iter().zip(&expected.embedding);
    let error = pairs.map(|(found, expected)| (found - expected).abs());
    let error =
        error.fold(0.0, |largest: f32, error| if error > largest { error } else { largest });
    ensure!(embedding.iter().all(|number| number.is_finite()), "numbers that are none");
    Ok((time, error))
}

impl DeviceReport {
    /// For people.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut about: Vec<String> = self.name.iter().chain(&self.driver).cloned().collect();
        about.extend(self.memory_bytes.map(|bytes| format!("{} memory", size(bytes))));
        about.extend(self.max_tensor_bytes.map(|bytes| format!("tensors up to {}", size(bytes))));
        if self.is_software {
            about.push("computes on the processor".to_owned());
        }
        let mut lines = vec![format!("device     {}: {}", self.device, about.join("; "))];
        if let (Some(time), Some(error)) = (self.seconds, self.error) {
            let time = seconds(Duration::from_secs_f64(time));
            lines.push(format!("           test network in {time}, error {error:.1e}"));
        }
        lines
    }
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    match bytes >> 20 {
        mebibytes if mebibytes < 10_240 => format!("{mebibytes} MiB"),
        mebibytes => format!("{} GiB", mebibytes >> 10),
    }
}
