//! The head: scoring, learning, resync and checkpoints. Ids read `group/device/size`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use gating_benches::{devices, gate, gate_in_mode, rewards};
use gating_core::{BaseGatingModel, CheckpointFolder, Encoder, GradientMode, UidSampler};
use gating_metagraph::{Hotkey, Metagraph, Neuron};

/// Uids by numbers of an embedding.
const SIZES: [[usize; 2]; 4] = [[256, 384], [1024, 384], [1024, 768], [4096, 768]];
/// How many uids are asked, as in the reference.
const ASKED: usize = 50;

fn score(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("score");
    for (name, device) in devices() {
        for [num_uids, hidden_size] in SIZES {
            let gate = gate(num_uids, hidden_size, &device);
            let embedding = gate.encoder().encode("any").expect("every message has one");
            let id = BenchmarkId::new(name, format!("{num_uids}x{hidden_size}"));
            group.bench_function(id, |bencher| {
                // The scores are read, which waits for the device.
                bencher.iter(|| gate.score(embedding.clone()).expect("the sizes agree"));
            });
        }
    }
}

/// Steps of a gate that has learned long enough for all rows to move, which asks others each time.
fn learn(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("learn");
    for gradient in [GradientMode::Accumulate, GradientMode::PerStep] {
        for (name, device) in devices() {
            for [num_uids, hidden_size] in SIZES {
                for count in [ASKED, num_uids] {
                    let mut gate = gate_in_mode(num_uids, hidden_size, &device, gradient);
                    let scores = gate.forward("any").expect("every message has scores");
                    let mut sampler = UidSampler::new(0);
                    let all = rewards(&mut sampler, num_uids, num_uids);
                    gate.learn(&scores, &all).expect("the uids have scores");
                    let size = format!("{num_uids}x{hidden_size}/{gradient}/{count}");
                    group.bench_function(BenchmarkId::new(name, size), |bencher| {
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
}

/// Scores of one thread while another learns without a pause.
fn score_while_learning(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("score-while-learning");
    for (name, device) in devices() {
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
                let id = BenchmarkId::new(name, format!("{num_uids}x{hidden_size}"));
                group.bench_function(id, |bencher| {
                    bencher.iter(|| gate.score(embedding.clone()).expect("the sizes agree"));
                });
                done.store(true, Ordering::Relaxed);
            });
        }
    }
}

fn resync(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("resync");
    for (name, device) in devices() {
        let [num_uids, hidden_size] = [1024, 768];
        let gate = gate(num_uids, hidden_size, &device);
        let mut block = 0;
        gate.attach(&metagraph(block, num_uids)).expect("the first metagraph");
        let id = BenchmarkId::new(name, format!("{num_uids}x{hidden_size}"));
        group.bench_function(id, |bencher| {
            let next = || {
                block += 1;
                metagraph(block, num_uids)
            };
            let follow = |metagraph: Metagraph| {
                gate.follow(&metagraph).expect("a newer metagraph");
                device.sync().expect("the device answers");
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
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let folder = CheckpointFolder::open(folder.path()).expect("nobody else writes there");
    for (name, device) in devices() {
        for [num_uids, hidden_size] in SIZES {
            let gate = gate(num_uids, hidden_size, &device);
            let id = BenchmarkId::new(name, format!("{num_uids}x{hidden_size}"));
            group.bench_function(id, |bencher| {
                bencher.iter(|| {
                    let checkpoint = gate.checkpoint().expect("the device answers");
                    folder.write(&checkpoint).expect("the folder can be written to");
                });
            });
        }
    }
}

criterion_group!(benches, score, learn, score_while_learning, resync, checkpoint);
criterion_main!(benches);
