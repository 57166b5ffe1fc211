//! Real encoders: the folder that `GATING_MINILM` names. Ids read `group/device/size`.

use std::env;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use gating_benches::devices;
use gating_core::Encoder;
use gating_encoders::{ModelFiles, SentenceEncoder};

/// Messages by words each; a word of these is one token.
const SIZES: [[usize; 2]; 4] = [[1, 14], [1, 62], [1, 254], [32, 62]];

fn encode(criterion: &mut Criterion) {
    let folder = env::var_os("GATING_MINILM").expect("GATING_MINILM names a model folder");
    let files = ModelFiles::open(folder).expect("the folder holds a model");
    let mut group = criterion.benchmark_group("encode-minilm");
    group.sample_size(20);
    for (name, device) in devices() {
        let encoder = SentenceEncoder::load(&files, &device).expect("the model is whole");
        for [batch, words] in SIZES {
            let message = vec!["river"; words].join(" ");
            let messages = vec![message.as_str(); batch];
            // With the two special tokens.
            let id = BenchmarkId::new(name, format!("{batch}x{}", words + 2));
            group.bench_function(id, |bencher| {
                bencher.iter(|| {
                    encoder.encode_batch(&messages).expect("every message has an embedding");
                    device.sync().expect("the device answers");
                });
            });
        }
    }
}

criterion_group!(benches, encode);
criterion_main!(benches);
