//! Model folders that cannot be used, each with its own error.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use gating_encoders::{Error, ModelFiles, SentenceEncoder};

use crate::fixture::{FILES, copy, replace};

/// Loads a folder whose `file` was changed, and checks the error and its first cause.
fn check(name: &str, file: &str, change: impl Fn(Vec<u8>) -> Vec<u8>, expected: &str) {
    let folder = copy(name);
    let path = folder.path().join(file);
    let bytes = fs::read(&path).expect("the file was copied");
    let changed = change(bytes.clone());
    assert_ne!(changed, bytes, "{file} did not change");
    fs::write(&path, changed).expect("the folder can be written to");
    let error = load(folder.path()).expect_err("the folder cannot be used").to_string();
    assert!(error.contains(expected), "{error}");
}

fn load(folder: &Path) -> Result<SentenceEncoder, Error> {
    SentenceEncoder::load(&ModelFiles::open(folder)?, &Device::flex())
}

#[test]
fn missing_folders_and_files_are_named() {
    let folder = copy("tiny-bert");
    let missing = load(&folder.path().join("missing")).expect_err("there is no such folder");
    assert!(missing.to_string().starts_with("no model folder "), "{missing}");
    for file in FILES {
        let folder = copy("tiny-bert");
        fs::remove_file(folder.path().join(file)).expect("the file was copied");
        let error = load(folder.path()).expect_err("a file is missing").to_string();
        assert!(error.ends_with(&format!("has no `{file}`")), "{error}");
    }
}

#[test]
fn damaged_weights_say_what_is_wrong() {
    let weights = "model.safetensors";
    let whole = "is not a whole safetensors file";
    check("tiny-bert", weights, |bytes| bytes[..bytes.len() / 2].to_vec(), whole);
    check("tiny-bert", weights, |bytes| bytes[..100].to_vec(), whole);
    check("tiny-bert", weights, |_| Vec::new(), whole);
    check("tiny-bert", weights, |bytes| vec![0xff; bytes.len()], whole);
    check(
        "tiny-bert",
        weights,
        replace("layer.1.output.dense.bias", "layer.1.output.dense.bits"),
        "weights lack tensor `encoder.layer.1.output.dense.bias`, expected F32 [32]",
    );
    check(
        "tiny-bert",
        weights,
        replace("\"pooler.dense.bias\"", "\"puller.dense.bias\""),
        "weights hold 1 tensors that the network does not have, first `puller.dense.bias`",
    );
    check(
        "tiny-gpt-neo",
        weights,
        replace("h.0.ln_1.bias\":{\"dtype\":\"F32\"", "h.0.ln_1.bias\":{\"dtype\":\"I32\""),
        "tensor `h.0.ln_1.bias` is I32 [32], expected F32 [32]",
    );
}

#[test]
fn wrong_configs_say_what_is_wrong() {
    let config = "config.json";
    check("tiny-bert", config, |_| b"{".to_vec(), "config.json cannot be used");
    check("tiny-bert", config, |_| b"{}".to_vec(), "config.json cannot be used");
    check(
        "tiny-bert",
        config,
        replace("\"model_type\": \"bert\"", "\"model_type\": \"t5\""),
        "expected a model type of `bert` or `gpt_neo`, found `t5`",
    );
    check(
        "tiny-bert",
        config,
        replace("\"hidden_act\": \"gelu\"", "\"hidden_act\": \"snake\""),
        "`hidden_act` of config.json is snake, expected gelu, ",
    );
    check(
        "tiny-bert",
        config,
        replace("\"num_attention_heads\": 4", "\"num_attention_heads\": 5"),
        "`hidden_size` of config.json is 32, expected a multiple of the 5 heads",
    );
    check(
        "tiny-bert",
        config,
        replace("\"num_attention_heads\": 4", "\"num_attention_heads\": 0"),
        "`num_attention_heads` of config.json is 0, expected 1 or more",
    );
    check(
        "tiny-bert",
        config,
        replace("\"intermediate_size\": 64", "\"intermediate_size\": 96"),
        "intermediate.dense.bias` is F32 [64], expected F32 [96]",
    );
    check(
        "tiny-gpt-neo",
        config,
        replace("\"num_layers\": 4", "\"num_layers\": 5"),
        "`attention_types` of config.json is 4, expected one for each of the 5 layers",
    );
    check(
        "tiny-gpt-neo",
        config,
        replace("\"window_size\": 8", "\"window_size\": 0"),
        "`window_size` of config.json is 0, expected 1 or more",
    );
}

#[test]
fn wrong_tokenizers_say_what_is_wrong() {
    check("tiny-bert", "tokenizer.json", |_| b"{}".to_vec(), "tokenizer.json is not a tokenizer");
    check(
        "tiny-bert",
        "tokenizer_config.json",
        replace("\"model_max_length\": 48", "\"model_max_length\": 2"),
        "windows of 2 tokens, expected more than the 2 special tokens",
    );
    check("tiny-bert", "tokenizer_config.json", |_| b"7".to_vec(), "tokenizer_config.json cannot");
}
