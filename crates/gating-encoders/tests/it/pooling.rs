//! What `modules.json` and the files that it names change.

use std::fs;
use std::path::Path;

use gating_core::Encoder;
use gating_encoders::{Error, ModelFiles, SentenceEncoder};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::{cases, copy, distance, encode, files, sentence};

/// A copy of tiny-bert with these modules after the transformer, and this pooling.
fn folder(modules: &[(&str, &str)], pooling: &Value) -> TempDir {
    let folder = copy("tiny-bert");
    let all = [("", "sentence_transformers.models.Transformer")].into_iter();
    let all = all.chain(modules.iter().copied()).enumerate();
    let modules: Vec<Value> = all
        .map(|(idx, (path, kind))| json!({"idx": idx, "name": "x", "path": path, "type": kind}))
        .collect();
    write(folder.path(), "modules.json", &Value::Array(modules));
    fs::create_dir(folder.path().join("1_Pooling")).expect("the folder can be written to");
    write(folder.path(), "1_Pooling/config.json", pooling);
    folder
}

fn write(folder: &Path, file: &str, json: &Value) {
    fs::write(folder.join(file), json.to_string()).expect("the folder can be written to");
}

const POOLING: (&str, &str) = ("1_Pooling", "sentence_transformers.models.Pooling");
const NORMALIZE: (&str, &str) = ("2_Normalize", "sentence_transformers.models.Normalize");

fn load(folder: &TempDir) -> Result<SentenceEncoder, Error> {
    let files = ModelFiles::open(folder.path()).expect("the folder is whole");
    SentenceEncoder::load(&files, &burn::tensor::Device::flex())
}

#[derive(Deserialize)]
struct Case {
    mode: String,
    message: String,
    embedding: Vec<f32>,
}

/// The key that older versions have for a mode.
fn key(mode: &str) -> String {
    let end = match mode {
        "cls" => "_token",
        "max" | "mean" => "_tokens",
        _ => "",
    };
    format!("pooling_mode_{mode}{end}")
}

#[test]
fn every_pooling_equals_torch() {
    for Case { mode, message, embedding } in cases("pooling") {
        let mut old = json!({"word_embedding_dimension": 32, "pooling_mode_mean_tokens": false});
        old[key(&mode)] = true.into();
        let new = json!({"embedding_dimension": 32, "pooling_mode": mode, "include_prompt": true});
        let list = json!({"pooling_mode": [mode]});
        for config in [old, new, list] {
            let encoder = load(&folder(&[POOLING, NORMALIZE], &config)).expect("it is known");
            let error = distance(&encode(&encoder, &message), &embedding);
            assert!(error <= 1e-6, "{config}, `{message}`: {error:e}");
        }
    }
}

/// The embedding differs, and so does the id.
#[test]
fn an_id_names_the_pooling() {
    let check = |config: Value, expected: &str| {
        let encoder = load(&folder(&[POOLING], &config)).expect("it is known");
        let start = format!("{expected}:bert:");
        assert!(encoder.id().starts_with(&start), "{config}: {}", encoder.id());
    };
    check(json!({"pooling_mode": "cls"}), "sentence-cls");
    check(json!({"pooling_mode_lasttoken": true}), "sentence-lasttoken");
    check(json!({"pooling_mode_max_tokens": true}), "sentence-max");
    check(json!({"pooling_mode_mean_tokens": true}), "sentence");
    check(json!({"pooling_mode_mean_sqrt_len_tokens": true}), "sentence");
    check(json!({}), "sentence");
}

/// The reference never looks at these files, and takes the mean and normalizes it.
#[test]
fn what_the_files_do_not_change_is_as_in_the_reference() {
    let mean = json!({"pooling_mode_mean_tokens": true});
    let expected = sentence(&files("tiny-bert"));
    let other = "sentence_transformers.sentence_transformer.modules.pooling.Pooling";
    let dropout = ("3_Dropout", "sentence_transformers.models.Dropout");
    for modules in [&[][..], &[POOLING], &[("1_Pooling", other), NORMALIZE], &[POOLING, dropout]] {
        let encoder = load(&folder(modules, &mean)).expect("it is known");
        assert_eq!(encoder.id(), expected.id());
        let [found, expected] = [&encoder, &expected].map(|encoder| encode(encoder, "ask a miner"));
        assert_eq!(found, expected, "{modules:?}");
    }
    let lone = copy("tiny-bert");
    fs::create_dir(lone.path().join("1_Pooling")).expect("the folder can be written to");
    write(lone.path(), "1_Pooling/config.json", &json!({"pooling_mode": "cls"}));
    assert_eq!(load(&lone).expect("it is known").id(), expected.id());
}

#[track_caller]
fn check_refused(modules: &[(&str, &str)], pooling: Value, expected: &str) {
    let error = load(&folder(modules, &pooling)).expect_err("it is not known").to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn other_modules_and_poolings_are_refused() {
    let dense = ("2_Dense", "sentence_transformers.models.Dense");
    let expected = "modules.json lists `sentence_transformers.models.Dense`, expected a ";
    check_refused(&[POOLING, dense], json!({}), expected);
    let weighted = json!({"pooling_mode_weightedmean_tokens": true});
    let expected =
        "the pooling is pooling_mode_weightedmean_tokens, expected one of cls, lasttoken, ";
    check_refused(&[POOLING], weighted, expected);
    let both = json!({"pooling_mode_cls_token": true, "pooling_mode_max_tokens": true});
    let expected = "the pooling is pooling_mode_cls_token and pooling_mode_max_tokens, expected ";
    check_refused(&[POOLING], both, expected);
    check_refused(
        &[POOLING],
        json!({"pooling_mode": ["cls", "mean"]}),
        "is cls and mean, expected",
    );
    check_refused(&[POOLING], json!({"pooling_mode": 7}), "config.json cannot be used");
    for path in ["../1_Pooling", "/1_Pooling", "1_Pooling/../../x"] {
        let expected = format!("modules.json names the folder `{path}`, expected one in the model");
        check_refused(&[(path, POOLING.1)], json!({}), &expected);
    }
    let missing = folder(&[POOLING], &json!({}));
    fs::remove_file(missing.path().join("1_Pooling/config.json")).expect("it was written");
    let error = load(&missing).expect_err("the file is named, and not there").to_string();
    assert!(error.ends_with(" has no `1_Pooling/config.json`"), "{error}");
    let missing = folder(&[POOLING], &json!({}));
    write(missing.path(), "modules.json", &json!({"a": 1}));
    let error = load(&missing).expect_err("these are no modules").to_string();
    assert!(error.ends_with("modules.json cannot be used"), "{error}");
}
