//! Real encoders, from one short message to large batches. Ids read `group/device/size`.
//!
//! The folders are those that `GATING_MINILM` and `GATING_GPT_NEO` name; a group without one is left
//! out. `cargo xtask bench --peers` makes a network of the second kind in `target/bench-models`.
//! `GATING_DEVICES` chooses devices.

use std::env;
use std::time::Duration;

use burn::tensor::Device;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use gating_benches::{devices, most_tokens};
use gating_core::Encoder;
use gating_devices::Opened;
use gating_encoders::{LastTokenEncoder, ModelFiles, SentenceEncoder};

/// Messages by tokens each.
const MINILM: [[usize; 2]; 8] =
    [[1, 16], [1, 64], [1, 256], [1, 512], [32, 64], [32, 256], [256, 64], [256, 256]];
const GPT_NEO: [[usize; 2]; 8] =
    [[1, 16], [1, 64], [1, 256], [1, 1024], [32, 64], [32, 256], [256, 64], [256, 256]];

/// How long a shape runs before it is timed, and while it is: there are many.
const WARM_UP: Duration = Duration::from_secs(1);
const MEASUREMENT: Duration = Duration::from_secs(2);

/// Words of one token each, in the random network of the benchmark with peers too; a message of four or
/// more has one of 256 beginnings.
const WORDS: [&str; 4] = ["idea", "data", "area", "club"];

fn minilm(criterion: &mut Criterion) {
    // The tokenizer adds a token at each end.
    encode(criterion, "GATING_MINILM", MINILM, 2, |files, device| {
        Box::new(SentenceEncoder::load(files, device).expect("the model is whole"))
    });
}

fn gpt_neo(criterion: &mut Criterion) {
    encode(criterion, "GATING_GPT_NEO", GPT_NEO, 0, |files, device| {
        Box::new(LastTokenEncoder::load(files, device).expect("the model is whole"))
    });
}

fn encode(
    criterion: &mut Criterion,
    variable: &str,
    sizes: [[usize; 2]; 8],
    special: usize,
    load: impl Fn(&ModelFiles, &Device) -> Box<dyn Encoder>,
) {
    let Some(folder) = env::var_os(variable) else { return };
    let files = ModelFiles::open(folder).expect("the folder holds a model");
    let kind = files.kind().expect("the model is known");
    let mut group = criterion.benchmark_group(format!("encode-{kind}"));
    group.sample_size(10);
    for opened in devices().expect("the named devices answer") {
        let encoder = load(&files, &opened.device);
        let limit = most_tokens(&opened);
        for [batch, tokens] in sizes.into_iter().filter(|[batch, tokens]| batch * tokens <= limit) {
            let messages = messages(batch, tokens - special);
            let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
            let id = BenchmarkId::new(opened.name.to_string(), format!("{batch}x{tokens}"));
            group.bench_function(id, |bencher| {
                // The first pass of a shape compiles its kernels.
                run(&*encoder, &messages, &opened);
                bencher.iter(|| run(&*encoder, &messages, &opened));
            });
        }
    }
}

/// So many messages of so many words, each of which is one token. All differ: what is the same is encoded
/// once.
fn messages(count: usize, words: usize) -> Vec<String> {
    let word = |number: usize, place: usize| WORDS[(number >> (2 * place.min(4))) & 3];
    let message =
        |number| (0..words).map(|place| word(number, place)).collect::<Vec<_>>().join(" ");
    (0..count).map(message).collect()
}

/// Encodes, and waits for the device.
fn run(encoder: &dyn Encoder, messages: &[&str], opened: &Opened) {
    encoder.encode_batch(messages).expect("every message has an embedding");
    opened.device.sync().expect("the device answers");
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(WARM_UP).measurement_time(MEASUREMENT);
    targets = minilm, gpt_neo
}
criterion_main!(benches);
