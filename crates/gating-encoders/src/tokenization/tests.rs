//! Tokenizers made from vocabulary files, against the reference's.

use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::*;

/// Longer than every text.
const WINDOW: usize = 512;

#[derive(Deserialize)]
struct Golden {
    texts: Vec<String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    /// For each text.
    ids: Vec<Vec<u32>>,
}

#[derive(Deserialize)]
struct Config {
    model_type: String,
}

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/tokenizers")
}

fn read(folder: &Path) -> Result<Tokenization, Error> {
    let config: Config = crate::files::json(&folder.join("config.json"))?;
    let settings = Settings::read(folder)?;
    let source = TokenizerSource::read(folder, &settings, config.model_type.parse()?)?;
    Tokenization::new(&source, settings.max_length().map_or(WINDOW, |limit| limit.max(WINDOW)))
}

#[test]
fn tokens_are_those_of_the_reference() {
    let golden: Golden =
        crate::files::json(&testdata().join("expected.json")).expect("it is there");
    for Case { name, ids } in golden.cases {
        let tokenization = read(&testdata().join(&name)).expect("make.py writes all files");
        for (text, expected) in golden.texts.iter().zip(ids) {
            let windows = match tokenization.windows(text) {
                Err(Error::EmptyMessage) => vec![Vec::new()],
                windows => windows.expect("every text can be cut"),
            };
            assert_eq!(windows, [expected], "{name}: {text:?}");
        }
    }
}

#[test]
fn the_window_is_what_the_repository_says() {
    let check = |name: &str, expected| {
        let settings = Settings::read(&testdata().join(name)).expect("make.py writes it");
        assert_eq!(settings.max_length(), expected, "{name}");
    };
    check("bert", Some(64));
    check("distilbert", Some(64));
    check("bert-bare", None);
}

/// Reads a tokenizer of which a file was changed, or removed, and checks the error.
fn check(name: &str, file: &str, content: Option<&[u8]>, expected: &str) {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    for entry in fs::read_dir(testdata().join(name)).expect("the folder is committed") {
        let path = entry.expect("it can be listed").path();
        let name = path.file_name().expect("files have names");
        fs::copy(&path, folder.path().join(name)).expect("the folder can be written to");
    }
    let path = folder.path().join(file);
    match content {
        Some(content) => fs::write(&path, content).expect("the folder can be written to"),
        None => fs::remove_file(&path).expect("the file was copied"),
    }
    let error = read(folder.path()).expect_err("the folder cannot be used").to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn wrong_vocabularies_say_what_is_wrong() {
    check("bert", "vocab.txt", None, "has no `vocab.txt`");
    check("gpt2", "vocab.json", None, "has no `vocab.json`");
    check("gpt2", "merges.txt", None, "has no `merges.txt`");
    check("bert", "vocab.txt", Some(b"a\nb\n\xff\n"), "vocab.txt, line 3: expected UTF-8");
    check("gpt2", "vocab.json", Some(b"{\"a\": -1}"), "vocab.json cannot be used");
    check("gpt2", "merges.txt", Some(b"#version: 0.2\na b c\n"), "line 2: expected two pieces");
    check("gpt2", "merges.txt", Some(b"never seen\n"), "vocab.json is not a tokenizer");
    check("bert", "tokenizer_config.json", Some(b"7"), "tokenizer_config.json cannot be used");
    check("bert", "tokenizer_config.json", Some(b"{\"do_lower_case\": 1}"), "cannot be used");
    check(
        "bert",
        "config.json",
        Some(b"{\"model_type\": \"camembert\"}"),
        "has no `tokenizer.json`",
    );
}

/// The document of a tokenizer of one word, with such a part.
fn document(part: &str) -> Vec<u8> {
    let model = r#""model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}"#;
    format!(r#"{{"version": "1.0", {model}, {part}}}"#).into_bytes()
}

/// The tokenizer of such a document.
fn with_part(part: &str) -> Result<Tokenization, Error> {
    let bytes = document(part);
    Tokenization::new(&TokenizerSource { path: "tokenizer.json".into(), bytes }, WINDOW)
}

/// Reads a tokenizer with such a part, and checks what is said of it.
fn check_part(part: &str, expected: &str) {
    let error = with_part(part).expect_err(part);
    assert_eq!(error.to_string(), "tokenizer.json is not a tokenizer", "{part}");
    let cause = error.source().expect("it says what is wrong").to_string();
    assert!(cause.contains(expected), "{part}: {cause}");
}

/// The library panics at each of these.
#[test]
fn a_document_that_is_wrong_is_an_error() {
    check_part(r#""decoder": {"type": "ByteLevel",}"#, "key must be a string");
    let deep = [r#"{"type": "Sequence", "normalizers": ["#.repeat(20_000), "]}".repeat(20_000)];
    check_part(&format!(r#""normalizer": {}"#, deep.concat()), "recursion limit");
    // What is checked nowhere else.
    check_part(r#""normalizer": {"type": {"Precompiled": null}}"#, "panicked: Precompiled: ");
}

/// A template of such pieces, which knows the special token `a`.
fn template(single: &str) -> String {
    let special = r#"{"a": {"id": "a", "ids": [0], "tokens": ["a"]}}"#;
    format!(
        r#"{{"type": "TemplateProcessing", "single": [{single}], "pair": [], "special_tokens": {special}}}"#
    )
}

/// Pieces of a template.
const MESSAGE: &str = r#"{"Sequence": {"id": "A", "type_id": 0}}"#;
const SECOND: &str = r#"{"Sequence": {"id": "B", "type_id": 0}}"#;
const KNOWN: &str = r#"{"SpecialToken": {"id": "a", "type_id": 0}}"#;
const UNKNOWN: &str = r#"{"SpecialToken": {"id": "b", "type_id": 0}}"#;

/// Such processors one after another.
fn sequence(processors: &[&str]) -> String {
    format!(r#"{{"type": "Sequence", "processors": [{}]}}"#, processors.join(", "))
}

#[test]
fn a_template_that_cannot_work_is_an_error() {
    let check = |processor: &str, expected: &str| {
        check_part(&format!(r#""post_processor": {processor}"#), expected);
    };
    let unknown = template(&[UNKNOWN, MESSAGE].join(", "));
    let expected = r#"the special token "b", expected one of `special_tokens`, which are ["a"]"#;
    check(&unknown, expected);
    check(&sequence(&[&unknown]), expected);
    check(&sequence(&[&sequence(&[&unknown])]), expected);
    // The library takes the fields of a template in their order, too.
    check(&format!("[[{UNKNOWN}, {MESSAGE}], [], {{}}]"), "which are []");
    check(&template(&[MESSAGE, SECOND].join(", ")), "a second message, expected one message");
    check(&template(&[MESSAGE, MESSAGE].join(", ")), "the message 2 times, expected it once");
    check(&template(KNOWN), "the message 0 times, expected it once");
    let known = template(&[KNOWN, MESSAGE].join(", "));
    check(&sequence(&[&known, &known]), "2 templates, expected one");
}

#[test]
fn a_template_puts_its_tokens_around_a_message() {
    let template = sequence(&[&template(&[KNOWN, MESSAGE, KNOWN].join(", "))]);
    let tokenization = with_part(&format!(r#""post_processor": {template}"#));
    let windows = tokenization.expect("the template is whole").windows("a");
    assert_eq!(windows.expect("it has a word"), [[0, 0, 0]]);
}

/// The library counts the tokens that a processor adds as though none was before it.
#[test]
fn a_window_that_is_too_long_is_an_error() {
    let bert = r#"{"type": "BertProcessing", "sep": ["a", 0], "cls": ["a", 0]}"#;
    let both = sequence(&[&template(&[MESSAGE, KNOWN].join(", ")), bert]);
    let words = r#""pre_tokenizer": {"type": "Whitespace"}"#;
    let tokenization = with_part(&format!(r#"{words}, "post_processor": {both}"#));
    let windows = tokenization.expect("it works for few words").windows(&"a ".repeat(WINDOW));
    let expected = "a window of 513 tokens, expected at most 512";
    assert_eq!(windows.expect_err("there are many").to_string(), expected);
}

/// Whatever is not found when a document is read.
#[test]
fn a_panic_of_the_library_is_an_error() {
    let processor = template(&[UNKNOWN, MESSAGE].join(", "));
    let part = format!(r#""post_processor": {processor}"#);
    let tokenizer = Tokenizer::from_bytes(document(&part)).expect("the library reads it");
    let tokenization = Tokenization { tokenizer, window: WINDOW };
    let error = tokenization.windows("a").expect_err("it has no such token");
    assert_eq!(error.to_string(), "the message cannot be cut into tokens");
    let cause = error.source().expect("it says what is wrong").to_string();
    assert!(cause.starts_with("the tokenizer library panicked: "), "{cause}");
}

#[test]
fn a_table_is_checked_wherever_it_is() {
    let table = r#"{"type": "Precompiled", "precompiled_charsmap": "/////w=="}"#;
    let check = |normalizer: &str, expected: &str| {
        check_part(&format!(r#""normalizer": {normalizer}"#), expected);
    };
    let expected = "a trie of 4294967295 bytes, expected at most the 0 that follow";
    check(table, expected);
    check(&format!(r#"{{"type": "Sequence", "normalizers": [{table}]}}"#), expected);
    // The library takes the last of two.
    let twice = r#"{"type": "Sequence", "type": "Sequence""#;
    check(&format!(r#"{twice}, "normalizers": [{table}]}}"#), expected);
    check(r#"{"type": "Precompiled"}"#, "no text, expected base64");
}

#[test]
fn nobody_needs_a_decoder() {
    let tokenization = with_part(r#""decoder": {"type": "NobodyKnows"}"#);
    let windows = tokenization.expect("the rest is whole").windows("a");
    assert_eq!(windows.expect("it has a word"), [[0]]);
}
