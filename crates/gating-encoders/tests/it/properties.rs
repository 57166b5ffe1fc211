//! What holds for every message, whatever the weights.

use std::fs;

use gating_core::Encoder;
use gating_encoders::ModelFiles;
use serde::Deserialize;

use crate::fixture::{
    TINY, cases, configured, copy, encode, encode_batch, files, last_token, refused, replace,
    sentence,
};

#[derive(Deserialize)]
struct Message {
    message: String,
}

fn messages(name: &str) -> Vec<String> {
    cases::<Message>(name).into_iter().map(|case| case.message).collect()
}

/// Alone, in a batch of all lengths, or in that batch backwards and twice: the same bits.
fn check(name: &str, encoder: &dyn Encoder) {
    let messages = messages(name);
    let batch: Vec<&str> = messages.iter().map(String::as_str).collect();
    let twice: Vec<&str> = batch.iter().chain(&batch).rev().copied().collect();
    let (together, backwards) = (encode_batch(encoder, &batch), encode_batch(encoder, &twice));
    for (index, (message, vector)) in batch.iter().zip(&together).enumerate() {
        let bits = bits(vector);
        assert_eq!(self::bits(&encode(encoder, message)), bits, "{name}: `{message}` alone");
        for other in [index, index + batch.len()] {
            let vector = &backwards[twice.len() - 1 - other];
            assert_eq!(self::bits(vector), bits, "{name}: `{message}` backwards");
        }
    }
}

fn bits(vector: &[f32]) -> Vec<u32> {
    vector.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn a_message_has_one_embedding_in_any_batch() {
    for name in TINY {
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
    let messages: Vec<String> = (0..50).map(|number| format!("{number} {long}")).collect();
    let batch: Vec<&str> = messages.iter().map(String::as_str).collect();
    let vectors = encode_batch(&encoder, &batch);
    for (message, vector) in batch.iter().zip(&vectors) {
        assert_eq!(bits(&encode(&encoder, message)), bits(vector), "{message}");
    }
}

/// A message of hundreds of windows, between short ones.
#[test]
fn an_over_long_message_changes_nobody() {
    for name in ["tiny-bert", "tiny-gpt-neo"] {
        let files = files(name);
        let long = messages(name).concat().repeat(20);
        let batch = ["who?", long.as_str(), "the miner", long.as_str()];
        for encoder in [&sentence(&files) as &dyn Encoder, &last_token(&files)] {
            let vectors = encode_batch(encoder, &batch);
            for (message, vector) in batch.iter().zip(&vectors) {
                let alone = bits(&encode(encoder, message));
                assert_eq!(alone, bits(vector), "{}: {} bytes", encoder.id(), message.len());
            }
        }
    }
}

/// Those networks are RoBERTa by another name, `transformers` computes them with the same code.
#[test]
fn relatives_of_roberta_are_computed_as_it_is() {
    let roberta = sentence(&files("tiny-roberta"));
    for name in ["camembert", "xlm-roberta"] {
        let folder = configured("tiny-roberta", "model_type", name);
        let relative = sentence(&ModelFiles::open(folder.path()).expect("the folder is whole"));
        let vectors =
            [&roberta, &relative].map(|encoder| bits(&encode(encoder, "who <pad> asks?")));
        assert_eq!(vectors[0], vectors[1], "{name}");
        assert!(relative.id().starts_with(&format!("sentence:{name}:")), "{}", relative.id());
    }
}

/// The table of positions has rows that no token of a window gets.
#[test]
fn windows_end_where_positions_do() {
    for (name, length) in [("tiny-roberta", 48), ("tiny-mpnet", 160)] {
        let folder = copy(name);
        let path = folder.path().join("tokenizer_config.json");
        let settings = fs::read_to_string(&path).expect("the file was copied");
        let from = format!("\"model_max_length\": {length}");
        assert!(settings.contains(&from), "{settings}");
        fs::write(&path, settings.replace(&from, "\"model_max_length\": 1000000"))
            .expect("the folder can be written to");
        let open = sentence(&ModelFiles::open(folder.path()).expect("the folder is whole"));
        let bounded = sentence(&files(name));
        for message in messages(name) {
            let [open, bounded] = [&open, &bounded].map(|encoder| bits(&encode(encoder, &message)));
            assert_eq!(open, bounded, "{name}: {message}");
        }
    }
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
