//! Our side of the comparison with peers: answers one JSON line for each that it reads.
//!
//! `participant [DEVICE]` computes on `cpu` unless told otherwise. `cargo xtask bench --peers` and
//! `--gpu` ask, and `benches/peers/peer.py` answers the same requests. How many threads there are is
//! said by `RAYON_NUM_THREADS`.

use std::collections::HashMap;
use std::env;
use std::io::{self, Write};
use std::mem;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, anyhow};
use burn::tensor::{Device, FloatDType};
use gating_benches::Constant;
use gating_core::{
    BaseGatingModel, Embedding, Encoder, Gate, GateConfig, GradientMode, Head, Rewards, Scores,
};
use gating_devices::{DeviceName, found, open};
use gating_encoders::{LastTokenEncoder, ModelFiles, SentenceEncoder};
use gating_kernels::{InstructionSet, Layout, PackedLinear};
use gating_metagraph::Uid;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Steps before a learning head is measured; its scores are checked after them.
const WARM_STEPS: usize = 3;

#[derive(Deserialize)]
#[serde(tag = "case", rename_all = "kebab-case")]
enum Request {
    Versions,
    /// What can be named when the participant is started.
    Devices,
    Encode {
        model: PathBuf,
        pooling: Pooling,
        #[serde(default)]
        dtype: Dtype,
        messages: Vec<String>,
        #[serde(flatten)]
        repeat: Repeat,
    },
    Learn {
        #[serde(flatten)]
        size: Size,
        /// How many uids earn a reward.
        asked: usize,
        gradient: String,
        way: Way,
        learning_rate: f64,
        #[serde(flatten)]
        repeat: Repeat,
    },
    Score {
        #[serde(flatten)]
        size: Size,
        #[serde(flatten)]
        repeat: Repeat,
    },
    /// Two square matrices, on the processor.
    Product {
        size: usize,
        #[serde(flatten)]
        repeat: Repeat,
    },
}

#[derive(Clone, Copy, Deserialize, Eq, Hash, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Pooling {
    Mean,
    Last,
}

/// How steps follow on each other.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Way {
    /// The next message is known, and scored in the same pass.
    Run,
    /// Each message is scored when it comes, and learned from in place.
    Single,
    /// As `Single`, while other threads may score.
    Shared,
}

/// The numbers of a network.
#[derive(Clone, Copy, Default, Deserialize, Eq, Hash, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Dtype {
    #[default]
    F32,
    F16,
    Bf16,
}

impl From<Dtype> for FloatDType {
    fn from(dtype: Dtype) -> Self {
        match dtype {
            Dtype::F32 => Self::F32,
            Dtype::F16 => Self::F16,
            Dtype::Bf16 => Self::BF16,
        }
    }
}

/// How long to repeat a case, and whether to tell what came out.
#[derive(Clone, Copy, Deserialize)]
struct Repeat {
    seconds: f64,
    check: bool,
}

/// The size of a head.
#[derive(Clone, Copy, Deserialize)]
struct Size {
    uids: usize,
    hidden: usize,
}

#[derive(Serialize)]
struct Answer {
    /// Seconds.
    median: f64,
    /// Seconds.
    min: f64,
    repeats: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<f32>>,
}

impl Answer {
    /// Of at least one time.
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let (repeats, middle) = (times.len(), times.len() / 2);
        let lower = if repeats.is_multiple_of(2) { middle - 1 } else { middle };
        let median = (times[lower] + times[middle]) / 2.0;
        Self { median, min: times[0], repeats, values: None }
    }
}

/// The device, and the encoders that were loaded so far.
struct Participant {
    device: Device,
    encoders: HashMap<Network, Box<dyn Encoder>>,
}

/// What is loaded once.
#[derive(Clone, Eq, Hash, PartialEq)]
struct Network {
    model: PathBuf,
    pooling: Pooling,
    dtype: Dtype,
}

impl Participant {
    fn new(device: Device) -> Self {
        Self { device, encoders: HashMap::new() }
    }

    fn answer(&mut self, line: &str) -> Result<Value> {
        let answer = match serde_json::from_str(line)? {
            Request::Versions => {
                return Ok(json!({ "versions": { "gating": env!("CARGO_PKG_VERSION") } }));
            }
            Request::Devices => return Ok(json!({ "devices": devices() })),
            Request::Encode { model, pooling, dtype, messages, repeat } => {
                let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
                self.encode(Network { model, pooling, dtype }, &messages, repeat)?
            }
            Request::Learn { size, asked, gradient, way, learning_rate, repeat } => {
                let gradient: GradientMode = gradient.parse()?;
                let num_uids = size.uids;
                let config =
                    GateConfig { num_uids, learning_rate, gradient, ..GateConfig::default() };
                self.learn(size, asked, config, way, repeat)?
            }
            Request::Score { size, repeat } => self.score(size, repeat)?,
            Request::Product { size, repeat } => product(size, repeat)?,
        };
        Ok(serde_json::to_value(answer)?)
    }

    fn encode(&mut self, network: Network, messages: &[&str], repeat: Repeat) -> Result<Answer> {
        let device = self.device.clone();
        let encoder = self.encoder(network)?;
        let work = || {
            let embeddings = encoder.encode_batch(messages)?;
            device.sync()?;
            Ok(embeddings)
        };
        let (answer, embeddings) = measure(repeat.seconds, work)?;
        let values = || embeddings.iter().map(Embedding::to_vec).collect::<Result<Vec<_>, _>>();
        let values = repeat.check.then(values).transpose()?;
        Ok(Answer { values: values.map(|values| values.concat()), ..answer })
    }

    fn encoder(&mut self, network: Network) -> Result<&dyn Encoder> {
        if !self.encoders.contains_key(&network) {
            let files = ModelFiles::open(&network.model)?;
            let (device, dtype) = (&self.device, network.dtype.into());
            let encoder: Box<dyn Encoder> = match network.pooling {
                Pooling::Mean => Box::new(SentenceEncoder::load_in(&files, device, dtype)?),
                Pooling::Last => Box::new(LastTokenEncoder::load_in(&files, device, dtype)?),
            };
            self.encoders.insert(network.clone(), encoder);
        }
        Ok(&*self.encoders[&network])
    }

    /// A step goes from scores to the next ones: loss, gradient, weights, scores.
    fn learn(
        &self,
        size: Size,
        asked: usize,
        config: GateConfig,
        way: Way,
        repeat: Repeat,
    ) -> Result<Answer> {
        let mut gate = self.gate(size, config)?;
        let embedding = self.embedding(size);
        let rewards = rewards(asked, size.uids)?;
        let mut scores = gate.score(embedding.clone())?;
        let mut step = |scores: &mut Scores| {
            *scores = match way {
                Way::Run => gate.learn_and_score(scores, &rewards, embedding.clone())?.1?,
                Way::Single => {
                    gate.learn(scores, &rewards)?;
                    gate.score(embedding.clone())?
                }
                Way::Shared => {
                    gate.backward(scores, &rewards)?;
                    gate.score(embedding.clone())?
                }
            };
            self.device.sync()?;
            Ok(())
        };
        for _ in 0..WARM_STEPS {
            step(&mut scores)?;
        }
        // What is checked are the scores that the measured steps begin with.
        let values = repeat.check.then(|| scores.values().to_vec());
        let (answer, ()) = measure(repeat.seconds, || step(&mut scores))?;
        Ok(Answer { values, ..answer })
    }

    fn score(&self, size: Size, repeat: Repeat) -> Result<Answer> {
        let gate = self.gate(size, GateConfig::default())?;
        let embedding = self.embedding(size);
        let work = || Ok(gate.score(embedding.clone())?);
        let (answer, scores) = measure(repeat.seconds, work)?;
        let values = repeat.check.then(|| scores.values().to_vec());
        Ok(Answer { values, ..answer })
    }

    /// A gate whose head every participant makes alike.
    fn gate(&self, size: Size, config: GateConfig) -> Result<Gate<Constant>> {
        let Size { uids, hidden } = size;
        let scale = 2.0 / (hidden as f32).sqrt();
        let numbers = |count, seed| numbers(count, seed).map(|value| value * scale).collect();
        let head = Head::from_values(numbers(uids * hidden, 0), numbers(uids, 1))?;
        Ok(Gate::with_head(Constant::new(hidden, &self.device), config, head)?)
    }

    fn embedding(&self, size: Size) -> Embedding {
        let values: Vec<f32> = numbers(size.hidden, 2).collect();
        Embedding::from_slice(&values, &self.device)
    }
}

/// Multiplies two square matrices, one of which is packed before, as weights are.
fn product(size: usize, repeat: Repeat) -> Result<Answer> {
    let right: Vec<f32> = numbers(size * size, 0).collect();
    let left: Vec<f32> = numbers(size * size, 1).collect();
    let set = InstructionSet::best();
    let right = PackedLinear::new(&right, Layout::InputsFirst, [size, size], None, set);
    let mut output = Vec::new();
    let work = || {
        output = right.forward_in(mem::take(&mut output), &left, None);
        Ok(())
    };
    let (answer, ()) = measure(repeat.seconds, work)?;
    Ok(Answer { values: repeat.check.then_some(output), ..answer })
}

/// Numbers from -0.5 to 0.5 that every participant makes alike: a multiplicative hash of their
/// indices.
fn numbers(count: usize, seed: u64) -> impl Iterator<Item = f32> {
    let hash = move |index: u64| (index + seed).wrapping_mul(2_654_435_761) % (1 << 32);
    (0..count as u64).map(move |index| (hash(index) as f64 / (1u64 << 32) as f64 - 0.5) as f32)
}

/// What uids that are spread over all of them earned.
fn rewards(asked: usize, uids: usize) -> Result<Rewards> {
    let chosen = (0..asked).map(|index| Uid::new((index * uids / asked) as u16)).collect();
    let values = (0..asked).map(|index| (index % 5) as f32 / 4.0).collect();
    Ok(Rewards::new(chosen, values)?)
}

/// Repeats some work for about so long, at least once; gives the last result too.
fn measure<T>(seconds: f64, mut work: impl FnMut() -> Result<T>) -> Result<(Answer, T)> {
    let begin = Instant::now();
    let mut times = Vec::new();
    loop {
        let start = Instant::now();
        let result = work()?;
        times.push(start.elapsed().as_secs_f64());
        if begin.elapsed().as_secs_f64() >= seconds {
            return Ok((Answer::of(times), result));
        }
    }
}

/// Every device that is compiled in and found: what is known of it, or why it cannot be had.
fn devices() -> Vec<Value> {
    let describe = |name: DeviceName| match open(name) {
        Ok(opened) => json!({
            "name": name.to_string(),
            "about": opened.about.name,
            "driver": opened.about.driver,
            "memory": opened.about.memory,
            "max_tensor": opened.about.max_tensor,
            "is_software": opened.about.is_software,
        }),
        Err(error) => json!({ "name": name.to_string(), "error": error.to_string() }),
    };
    found().into_iter().map(describe).collect()
}

fn main() -> Result<()> {
    let name: DeviceName = env::args().nth(1).as_deref().unwrap_or("cpu").parse()?;
    let opened = open(name).map_err(|error| anyhow!("{error}: {}", error.advice()))?;
    let mut participant = Participant::new(opened.device);
    let mut stdout = io::stdout().lock();
    for line in io::stdin().lines() {
        let answer = participant.answer(&line?);
        // Who asked has to be told, and may go on with another case.
        let answer = answer.unwrap_or_else(|error| json!({ "error": format!("{error:#}") }));
        writeln!(stdout, "{answer}")?;
        stdout.flush()?;
    }
    Ok(())
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;

    fn answer(line: &str) -> Result<Value> {
        Participant::new(open(DeviceName::Cpu)?.device).answer(line)
    }

    /// Runs a case once. The expected scores are what `benches/peers/peer.py serve eager` answers
    /// with PyTorch 2.9.1; they come from sums of four f32, so that the last digits may differ.
    fn check(line: &str, expected: [f64; 4]) {
        let answer = answer(line).expect("the request is right");
        assert!(answer["median"].as_f64().is_some_and(|median| median > 0.0), "{answer}");
        assert_eq!(answer["repeats"], 1);
        let values = answer["values"].as_array().expect("the values were asked for");
        let apart = |(value, expected): (&Value, f64)| {
            value.as_f64().is_some_and(|value| (value - expected).abs() < 1e-6)
        };
        assert_eq!(values.len(), expected.len());
        assert!(values.iter().zip(expected).all(apart), "{values:?}, expected {expected:?}");
    }

    #[test]
    fn heads_are_those_of_pytorch() {
        check(
            r#"{"case":"score","uids":4,"hidden":3,"seconds":0,"check":true}"#,
            [0.345429, -0.4108864, 0.2600866, -0.1914664],
        );
        check(
            r#"{"case":"learn","uids":4,"hidden":3,"asked":2,"gradient":"accumulate",
                "way":"single","learning_rate":10,"seconds":0,"check":true}"#,
            [0.5972118, -0.4108864, 0.0083033, -0.1914664],
        );
        check(
            r#"{"case":"learn","uids":4,"hidden":3,"asked":2,"gradient":"per-step",
                "way":"shared","learning_rate":10,"seconds":0,"check":true}"#,
            [0.5134281, -0.4108864, 0.0920872, -0.1914664],
        );
    }

    #[test]
    fn products_are_those_of_pytorch() {
        check(
            r#"{"case":"product","size":2,"seconds":0,"check":true}"#,
            [0.0106431, -0.0795268, -0.1696968, 0.0319294],
        );
    }

    #[test]
    fn devices_are_told() {
        let answer = answer(r#"{"case":"devices"}"#).expect("the request is right");
        let devices = answer["devices"].as_array().expect("it is a list");
        let cpu = devices.iter().find(|device| device["name"] == "cpu");
        let cpu = cpu.expect("the processor is always there");
        assert_eq!(cpu["is_software"], false);
        assert!(cpu["about"].as_str().is_some_and(|about| about.contains("threads")), "{cpu}");
    }

    #[test]
    fn wrong_requests_are_refused() {
        let check = |line: &str, expected: &str| {
            let error = answer(line).expect_err("the request is wrong");
            assert_eq!(error.to_string(), expected, "{line}");
        };
        check("{}", "missing field `case` at line 1 column 2");
        check(
            r#"{"case":"learn","uids":4,"hidden":3,"asked":0,"gradient":"per-step",
                "way":"run","learning_rate":1,"seconds":0,"check":false}"#,
            "expected the reward of at least one uid, found none",
        );
    }

    #[test]
    fn the_median_lies_in_the_middle() {
        let check = |times: &[f64], median: f64, min: f64| {
            let answer = Answer::of(times.to_vec());
            assert_eq!((answer.median, answer.min, answer.repeats), (median, min, times.len()));
        };
        check(&[3.0], 3.0, 3.0);
        check(&[4.0, 1.0, 3.0], 3.0, 1.0);
        check(&[4.0, 1.0, 3.0, 2.0], 2.5, 1.0);
    }
}
