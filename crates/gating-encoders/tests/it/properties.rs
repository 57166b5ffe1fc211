//! What holds for every message, whatever the weights.

use std::fs;

use gating_core::Encoder;
use gating_encoders::ModelFiles;
use serde::Deserialize;

use crate::fixture::{
    cases, copy, distance, encode, encode_batch, files, last_token, refused, replace, sentence,
};

#[derive(Deserialize)]
struct Message {
    message: String,
}

fn messages(name: &str) -> Vec<String> {
    cases::<Message>(name).into_iter().map(|case| case.message).collect()
}

/// Alone, in a batch of all lengths, or in that batch backwards: one vector, to 1e-6 of its largest
/// number where that is above 1.
fn check(name: &str, encoder: &dyn Encoder) {
    let messages = messages(name);
    let mut batch: Vec<&str> = messages.iter().map(String::as_str).collect();
    let together = encode_batch(encoder, &batch);
    batch.reverse();
    let backwards = encode_batch(encoder, &batch);
    for ((message, vector), backwards) in messages.iter().zip(&together).zip(backwards.iter().rev())
    {
        let largest = vector.iter().fold(1.0f32, |largest, number| largest.max(number.abs()));
        let error = distance(vector, backwards);
        assert!(error <= 1e-6 * largest, "{name}: `{message}` backwards {error:e}");
        let error = distance(&encode(encoder, message), vector);
        assert!(error <= 1e-6 * largest, "{name}: `{message}` alone {error:e}");
    }
}

#[test]
fn a_message_has_one_embedding_in_any_batch() {
    for name in ["tiny-bert", "tiny-gpt-neo"] {
        let files = files(name);
        check(name, &sentence(&files));
        check(name, &last_token(&files));
    }
}

#[test]
fn a_long_batch_is_split() {
    let encoder = sentence(&files("tiny-bert"));
    let messages = messages("tiny-bert");
    let long = messages.iter().max_by_key(|message| message.len()).expect("there are cases");
    let vectors = encode_batch(&encoder, &vec![long.as_str(); 100]);
    let error = vectors.iter().map(|vector| distance(vector, &vectors[0])).fold(0.0, f32::max);
    assert!(error <= 1e-6, "{error:e}");
    assert!(distance(&vectors[0], &encode(&encoder, long)) <= 1e-6);
}

#[test]
fn no_messages_have_no_embeddings() {
    let encoder = sentence(&files("tiny-bert"));
    assert!(encode_batch(&encoder, &[]).is_empty());
}

#[test]
fn an_empty_message_needs_special_tokens() {
    let bert = sentence(&files("tiny-bert"));
    assert!(bert.encode("").is_ok());
    let gpt_neo = last_token(&files("tiny-gpt-neo"));
    assert_eq!(refused(gpt_neo.encode("")), "the message has no tokens, expected at least one");
}

#[test]
fn an_id_names_the_pooling_and_the_network() {
    let files = files("tiny-bert");
    let (first, second) = (sentence(&files), last_token(&files));
    assert_eq!(first.id(), sentence(&files).id());
    let fingerprint = files.fingerprint().expect("the model is whole");
    assert_eq!(first.id(), format!("sentence:bert:{fingerprint}"));
    assert_eq!(second.id(), format!("last-token:bert:{fingerprint}"));
}

/// Whether the id changes with a text in a file.
fn check_id(name: &str, file: &str, from: &'static str, to: &'static str, changes: bool) {
    let folder = copy(name);
    let path = folder.path().join(file);
    let changed = replace(from, to)(fs::read(&path).expect("the file was copied"));
    fs::write(&path, changed).expect("the folder can be written to");
    let changed = ModelFiles::open(folder.path()).expect("the folder is whole");
    assert_eq!(sentence(&changed).id() != sentence(&files(name)).id(), changes, "{file}: {to}");
}

#[test]
fn only_what_decides_the_embedding_decides_the_id() {
    let (bert, config, tokenizer) = ("tiny-bert", "config.json", "tokenizer_config.json");
    let heads = "\"num_attention_heads\": 4";
    check_id(bert, config, heads, "\"num_attention_heads\": 2", true);
    check_id(bert, config, heads, "\"num_attention_heads\"  :  4", false);
    check_id(bert, config, heads, "\"_name_or_path\": \"x\", \"num_attention_heads\": 4", false);
    let length = "\"model_max_length\": 48";
    check_id(bert, tokenizer, length, "\"model_max_length\": 47", true);
    check_id(bert, tokenizer, length, "\"x\": 1,\n\"model_max_length\": 48.0", false);
    check_id(bert, "tokenizer.json", "\"version\": ", "\"version\":  ", true);
    check_id("tiny-gpt-neo", config, "\"window_size\": 8", "\"window_size\": 9", true);
}
