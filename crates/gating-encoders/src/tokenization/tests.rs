//! Tokenizers made from vocabulary files, against the reference's.

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

/// A tokenizer of one word, with a part of its document.
fn with_part(part: &str) -> Result<Tokenization, Error> {
    let model = r#""model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}"#;
    let bytes = format!(r#"{{"version": "1.0", {model}, {part}}}"#).into_bytes();
    Tokenization::new(&TokenizerSource { path: "tokenizer.json".into(), bytes }, WINDOW)
}

/// The library panics at each of these.
#[test]
fn a_document_that_is_wrong_is_an_error() {
    let check = |part: &str| {
        let error = with_part(part).expect_err(part);
        assert_eq!(error.to_string(), "tokenizer.json is not a tokenizer", "{part}");
    };
    check(r#""decoder": {"type": "ByteLevel",}"#);
    check(r#""normalizer": {"type": "Precompiled", "precompiled_charsmap": "?"}"#);
    let table = r#"{"type": "Precompiled", "precompiled_charsmap": ""}"#;
    check(&format!(r#""normalizer": {{"type": "Sequence", "normalizers": [{table}]}}"#));
    check(r#""normalizer": {"type": "Precompiled"}"#);
    let deep = [r#"{"type": "Sequence", "normalizers": ["#.repeat(20_000), "]}".repeat(20_000)];
    check(&format!(r#""normalizer": {}"#, deep.concat()));
}

#[test]
fn nobody_needs_a_decoder() {
    let tokenization = with_part(r#""decoder": {"type": "NobodyKnows"}"#);
    let windows = tokenization.expect("the rest is whole").windows("a");
    assert_eq!(windows.expect("it has a word"), [[0]]);
}
