//! Models of which some files are whatever the fuzzer makes.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use gating_core::Encoder;
use gating_encoders::{ModelFiles, SentenceEncoder};
use tempfile::TempDir;

/// A tiny BERT, and a vocabulary of as many words for it.
const CONFIG: &[u8] =
    include_bytes!("../../crates/gating-encoders/testdata/formats/f32/config.json");
const TOKENIZER: &[u8] =
    include_bytes!("../../crates/gating-encoders/testdata/formats/f32/tokenizer.json");
const WEIGHTS: &[u8] =
    include_bytes!("../../crates/gating-encoders/testdata/formats/f32/model.safetensors");

/// Long enough for several windows of the network.
const MESSAGE: &str = "Who can prove this? \u{e9}\u{4f60}\u{1f642} [MASK] <s> zyzzyva zyzzyva zyzzyva \
                       of twenty words, [SEP] and more of them than one window takes";

/// Loads a model that is whole but for one file, and encodes with it.
pub fn with_file(name: &str, bytes: &[u8]) {
    let is_torch = name.ends_with(".bin");
    let weights = (!is_torch).then_some(WEIGHTS);
    let whole = [("config.json", Some(CONFIG)), ("tokenizer.json", Some(TOKENIZER))];
    let files = whole.into_iter().chain([("model.safetensors", weights)]);
    load(files.filter(|(known, _)| *known != name).chain([(name, Some(bytes))]));
}

/// Loads a model without `tokenizer.json`, and encodes with it: what is said of the tokenizer, the
/// words, the pairs, the merges, and the special tokens, as far as there are any.
pub fn with_vocabulary([settings, words, pairs, merges, special]: [Option<&[u8]>; 5]) {
    load([
        ("config.json", Some(CONFIG)),
        ("model.safetensors", Some(WEIGHTS)),
        ("tokenizer_config.json", settings),
        ("vocab.txt", words.filter(|words| !words.is_empty())),
        ("vocab.json", pairs),
        ("merges.txt", merges),
        ("special_tokens_map.json", special),
    ]);
}

fn load<'a>(files: impl IntoIterator<Item = (&'a str, Option<&'a [u8]>)>) {
    thread_local! {
        static FOLDER: TempDir =
            tempfile::tempdir().expect("there is a folder for temporary files");
    }
    FOLDER.with(|folder| {
        for (name, bytes) in files {
            write(&folder.path().join(name), bytes);
        }
        encode(folder.path());
    });
}

/// Writes a file, or removes what the last run left.
fn write(path: &Path, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => fs::write(path, bytes).expect("the folder can be written to"),
        None if path.exists() => fs::remove_file(path).expect("the file is ours"),
        None => {}
    }
}

fn encode(folder: &Path) {
    let Ok(files) = ModelFiles::open(folder) else { return };
    let Ok(encoder) = SentenceEncoder::load(&files, &Device::flex()) else { return };
    assert_eq!(encoder.id(), format!("sentence:{}:{}", kind(&files), fingerprint(&files)));
    if let Ok(embeddings) = encoder.encode_batch(&[MESSAGE, "a"]) {
        assert!(embeddings.iter().all(|found| found.hidden_size() == encoder.hidden_size()));
    }
}

fn kind(files: &ModelFiles) -> String {
    files.kind().expect("the model was loaded").to_string()
}

fn fingerprint(files: &ModelFiles) -> String {
    files.fingerprint().expect("the model was loaded")
}
