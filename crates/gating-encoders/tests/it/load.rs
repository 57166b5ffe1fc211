//! Model folders that cannot be used, each with its own error.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use gating_encoders::{Error, ModelFiles, SentenceEncoder};
use serde_json::Value;

use crate::fixture::{FILES, configured, copy, replace};

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
    // The settings of the tokenizer may be missing.
    for file in FILES.into_iter().filter(|file| *file != "tokenizer_config.json") {
        let folder = copy("tiny-bert");
        fs::remove_file(folder.path().join(file)).expect("the file was copied");
        let error = load(folder.path()).expect_err("a file is missing").to_string();
        assert!(error.contains(&format!("has no `{file}`")), "{error}");
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
        replace("\"layer_norm_eps\": ", "\"layer_norm_epsilon\": "),
        "config.json cannot be used",
    );
}

/// Loads a folder whose `config.json` says otherwise, and checks the error.
fn check_config(name: &str, key: &str, value: impl Into<Value>, expected: &str) {
    let folder = configured(name, key, value);
    let error = load(folder.path()).expect_err("the folder cannot be used").to_string();
    assert!(error.contains(expected), "{key}: {error}");
}

#[test]
fn other_networks_are_refused() {
    check_config(
        "tiny-bert",
        "model_type",
        "t5",
        "expected a model type of `bert`, `camembert`, `distilbert`, `gpt2`, `gpt_neo`, `mpnet`, \
         `roberta` or `xlm-roberta`, found `t5`",
    );
    for name in ["tiny-bert", "tiny-mpnet", "tiny-roberta"] {
        let expected = "`is_decoder` of config.json is true, expected false";
        check_config(name, "is_decoder", true, expected);
        let expected =
            "`position_embedding_type` of config.json is relative_key, expected absolute";
        check_config(name, "position_embedding_type", "relative_key", expected);
    }
    for name in ["tiny-bert", "tiny-gpt2", "tiny-roberta"] {
        let expected = "`add_cross_attention` of config.json is true, expected false";
        check_config(name, "add_cross_attention", true, expected);
    }
    let expected = "`relative_attention_num_buckets` of config.json is 16, expected 32";
    check_config("tiny-mpnet", "relative_attention_num_buckets", 16, expected);
}

#[test]
fn activations_are_known_by_name() {
    for (name, key) in [
        ("tiny-bert", "hidden_act"),
        ("tiny-distilbert", "activation"),
        ("tiny-gpt-neo", "activation_function"),
        ("tiny-gpt2", "activation_function"),
        ("tiny-mpnet", "hidden_act"),
        ("tiny-roberta", "hidden_act"),
    ] {
        check_config(name, key, "snake", "of config.json is snake, expected gelu, ");
    }
}

#[test]
fn wrong_sizes_say_what_is_wrong() {
    for (name, hidden, heads, inner) in [
        ("tiny-bert", "hidden_size", "num_attention_heads", "intermediate_size"),
        ("tiny-distilbert", "dim", "n_heads", "hidden_dim"),
        ("tiny-gpt-neo", "hidden_size", "num_heads", "intermediate_size"),
        ("tiny-gpt2", "n_embd", "n_head", "n_inner"),
        ("tiny-mpnet", "hidden_size", "num_attention_heads", "intermediate_size"),
        ("tiny-roberta", "hidden_size", "num_attention_heads", "intermediate_size"),
    ] {
        check_config(name, heads, 0, "of config.json is 0, expected 1 or more");
        check_config(name, heads, 7, ", expected a multiple of the 7 heads");
        check_config(name, hidden, 0, " of config.json is 0, expected a multiple of the ");
        check_config(name, inner, 0, "of config.json is 0, expected 1 or more");
        check_config(name, inner, 96, ", expected F32 [96");
        check_config(name, "vocab_size", u64::MAX, ", expected F32 [18446744073709551615, ");
    }
    check_config("tiny-mpnet", "num_hidden_layers", u64::MAX, "lack tensor `encoder.layer.3.");
    check_config("tiny-gpt2", "n_embd", u64::MAX, ", expected F32 [40, 18446744073709551615]");
    check_config(
        "tiny-gpt-neo",
        "num_layers",
        5,
        "`attention_types` of config.json is 4, expected one for each of the 5 layers",
    );
    let expected = "`window_size` of config.json is 0, expected 1 or more";
    check_config("tiny-gpt-neo", "window_size", 0, expected);
    check_config("tiny-roberta", "pad_token_id", 47, "windows of 2 tokens, expected more than");
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
