//! The head: scoring, learning, resync and checkpoints. Ids read `group/device/size`.
//!
//! The head lies in the host's memory whatever device the encoder runs on: only embeddings come
//! from there, which `score` and `score-batch` fetch, and `score-on-device` multiplies where they are.
//! The device of all else is called `host`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use burn::tensor::Device;
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use gating_benches::{Constant, devices, gate, gate_in_mode, rewards};
use gating_core::{
    BaseGatingModel, CheckpointFolder, Embedding, Encoder, Error, Gate, GradientMode, Scores,
    UidSampler,
};
use gating_metagraph::{Hotkey, Metagraph, Neuron};

/// Uids by numbers of an embedding.
const SIZES: [[usize; 2]; 6] =
    [[256, 384], [256, 768], [1024, 384], [1024, 768], [4096, 384], [4096, 768]];
/// How many messages are scored together.
const BATCH: usize = 32;
/// How many uids are asked, as in the reference.
const ASKED: usize = 50;
/// How long a size runs before it is timed, and while it is: there are many.
const WARM_UP: Duration = Duration::from_secs(1);
const MEASUREMENT: Duration = Duration::from_secs(2);
/// The device of what computes in the host's memory.
const HOST: &str = "host";

/// An embedding that lies on the device is fetched, and scored.
fn score(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("score");
    for opened in devices().expect("the named devices answer") {
        for [num_uids, hidden_size] in SIZES {
            let gate = gate(num_uids, hidden_size, &opened.device);
            let embedding = gate.encoder().encode("any").expect("every message has one");
            let embedding = Embedding::new(embedding.tensor());
            let id = BenchmarkId::new(opened.name.to_string(), format!("{num_uids}x{hidden_size}"));
            group.bench_function(id, |bencher| {
                // The fetch waits for the device.
                bencher.iter(|| gate.score(embedding.clone()).expect("the sizes agree"));
            });
        }
    }
}

/// Embeddings that lie on the device are fetched together, and scored together.
fn score_batch(criterion: &mut Criterion) {
    score_together(criterion, "score-batch", |gate, embeddings| gate.score_batch(embeddings));
}

/// Embeddings that lie on the device are scored there, and their scores are fetched.
fn score_on_device(criterion: &mut Criterion) {
    score_together(criterion, "score-on-device", |gate, embeddings| {
        gate.score_on_device(embeddings)
    });
}

fn score_together(
    criterion: &mut Criterion,
    name: &str,
    score: impl Fn(&Gate<Constant>, Vec<Embedding>) -> Result<Vec<Scores>, Error>,
) {
    let mut group = criterion.benchmark_group(name);
    for opened in devices().expect("the named devices answer") {
        for [num_uids, hidden_size] in SIZES {
            let gate = gate(num_uids, hidden_size, &opened.device);
            let embedding = gate.encoder().encode("any").expect("every message has one");
            let embeddings = vec![Embedding::new(embedding.tensor()); BATCH];
            let size = format!("{num_uids}x{hidden_size}x{BATCH}");
            group.bench_function(BenchmarkId::new(opened.name.to_string(), size), |bencher| {
                // The fetch waits for the device; what was fetched goes with the clone.
                bencher.iter(|| score(&gate, embeddings.clone()).expect("the sizes agree"));
            });
        }
    }
}

/// Steps of a gate that has learned long enough for all rows to move, which asks others each time.
fn learn(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("learn");
    let device = any_device();
    for gradient in [GradientMode::Accumulate, GradientMode::PerStep] {
        for [num_uids, hidden_size] in SIZES {
            for count in [ASKED, num_uids] {
                let mut gate = gate_in_mode(num_uids, hidden_size, &device, gradient);
                let scores = gate.forward("any").expect("every message has scores");
                let mut sampler = UidSampler::new(0);
                let all = rewards(&mut sampler, num_uids, num_uids);
                gate.learn(&scores, &all).expect("the uids have scores");
                let size = format!("{num_uids}x{hidden_size}/{gradient}/{count}");
                group.bench_function(BenchmarkId::new(HOST, size), |bencher| {
                    bencher.iter_batched(
                        || rewards(&mut sampler, num_uids, count),
                        |rewards| gate.learn(&scores, &rewards).expect("they have scores"),
                        BatchSize::SmallInput,
                    );
                });
            }
        }
    }
}

/// Scores of one thread while another learns without a pause.
fn score_while_learning(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("score-while-learning");
    let device = any_device();
    for [num_uids, hidden_size] in SIZES {
        let gate = gate(num_uids, hidden_size, &device);
        let embedding = gate.encoder().encode("any").expect("every message has one");
        let (scores, done) = (gate.score(embedding.clone()), AtomicBool::new(false));
        let scores = scores.expect("the sizes agree");
        let all = rewards(&mut UidSampler::new(0), num_uids, num_uids);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    gate.backward(&scores, &all).expect("the uids have scores");
                }
            });
            let id = BenchmarkId::new(HOST, format!("{num_uids}x{hidden_size}"));
            group.bench_function(id, |bencher| {
                bencher.iter(|| gate.score(embedding.clone()).expect("the sizes agree"));
            });
            done.store(true, Ordering::Relaxed);
        });
    }
}

fn resync(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("resync");
    let device = any_device();
    for [num_uids, hidden_size] in SIZES {
        let gate = gate(num_uids, hidden_size, &device);
        let mut block = 0;
        gate.attach(&metagraph(block, num_uids)).expect("the first metagraph");
        let id = BenchmarkId::new(HOST, format!("{num_uids}x{hidden_size}"));
        group.bench_function(id, |bencher| {
            let next = || {
                block += 1;
                metagraph(block, num_uids)
            };
            let follow = |metagraph: Metagraph| {
                gate.follow(&metagraph).expect("a newer metagraph");
                metagraph // what is given back is dropped after the clock has stopped
            };
            bencher.iter_batched(next, follow, BatchSize::LargeInput);
        });
    }
}

/// A subnet in which one uid in sixteen has changed hands since the block before.
fn metagraph(block: u64, num_uids: usize) -> Metagraph {
    let neuron = |uid: usize| {
        let mut key = [0; 32];
        let tenant = if uid.is_multiple_of(16) { block } else { 0 };
        key[..8].copy_from_slice(&tenant.to_le_bytes());
        key[8..16].copy_from_slice(&uid.to_le_bytes());
        Neuron::new(Hotkey::new(key))
    };
    Metagraph::new(1, block, (0..num_uids).map(neuron).collect()).expect("the keys differ")
}

fn checkpoint(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("checkpoint");
    let device = any_device();
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let folder = CheckpointFolder::open(folder.path()).expect("nobody else writes there");
    for [num_uids, hidden_size] in SIZES {
        let gate = gate(num_uids, hidden_size, &device);
        let id = BenchmarkId::new(HOST, format!("{num_uids}x{hidden_size}"));
        group.bench_function(id, |bencher| {
            bencher.iter(|| {
                let checkpoint = gate.checkpoint().expect("the device answers");
                folder.write(&checkpoint).expect("the folder can be written to");
            });
        });
    }
}

/// A device for an encoder that does nothing on it.
fn any_device() -> Device {
    let first = devices().expect("the named devices answer").into_iter().next();
    first.expect("a device is compiled in").device
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(WARM_UP).measurement_time(MEASUREMENT);
    targets = score, score_batch, score_on_device, learn, score_while_learning, resync, checkpoint
}
criterion_main!(benches);
