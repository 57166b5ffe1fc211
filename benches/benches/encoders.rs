//! Real encoders, from one short message to large batches. Ids read `group/device/size`.
//!
//! The folders are those that `GATING_MINILM` and `GATING_GPT_NEO` name; a group without one is left
//! out. `cargo xtask bench --peers` makes a network of the second kind in `target/bench-models`.
//! `GATING_DEVICES` chooses devices.

use std::env;

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
            // A word of these is one token.
            let message = vec!["river"; tokens - special].join(" ");
            let messages = vec![message.as_str(); batch];
            let id = BenchmarkId::new(opened.name.to_string(), format!("{batch}x{tokens}"));
            group.bench_function(id, |bencher| {
                // The first pass of a shape compiles its kernels.
                run(&*encoder, &messages, &opened);
                bencher.iter(|| run(&*encoder, &messages, &opened));
            });
        }
    }
}

/// Encodes, and waits for the device.
fn run(encoder: &dyn Encoder, messages: &[&str], opened: &Opened) {
    encoder.encode_batch(messages).expect("every message has an embedding");
    opened.device.sync().expect("the device answers");
}

criterion_group!(benches, minilm, gpt_neo);
criterion_main!(benches);
