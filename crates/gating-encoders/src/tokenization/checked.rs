//! The document of a tokenizer, without what its library would panic at.

use std::collections::BTreeMap;

use gating_devices::DeviceError;
use serde_json::Value;
use serde_json::value::RawValue;
use tokenizers::processors::template::{Piece, Sequence, TemplateProcessing};
use tokenizers::{PostProcessorWrapper, Tokenizer};

use super::table;
use crate::Error;

/// Makes a tokenizer of a document without its decoder, which turns ids into text again: nobody
/// does that here, and for a decoder that it cannot read the library panics.
pub(super) fn tokenizer(document: &[u8]) -> tokenizers::Result<Tokenizer> {
    let mut parts: BTreeMap<String, &RawValue> = serde_json::from_slice(document)?;
    parts.remove("decoder");
    if let Some(normalizer) = parts.get("normalizer") {
        check_tables(&serde_json::from_str(normalizer.get())?)?;
    }
    let document = serde_json::to_vec(&parts)?;
    let tokenizer = guarded(|| Tokenizer::from_bytes(document))?;
    check_templates(tokenizer.get_post_processor())?;
    Ok(tokenizer)
}

/// Calls the library, and makes an error of a panic: it trusts documents in more than is checked
/// here, and a model of others must not end who loads it.
pub(super) fn guarded<T>(call: impl FnOnce() -> tokenizers::Result<T>) -> tokenizers::Result<T> {
    // What a tokenizer keeps between calls is a cache, which goes unused once a call with it failed.
    gating_devices::guarded(call).unwrap_or_else(|error| match error {
        DeviceError::Failed { said } => {
            Err(format!("the tokenizer library panicked: {said}").into())
        }
        error => Err(error.into()),
    })
}

/// Checks the tables of a normalizer, wherever they are in it.
fn check_tables(normalizer: &Value) -> Result<(), Error> {
    match normalizer {
        Value::Object(fields) => {
            let is_table = fields.get("type").is_some_and(|found| found == "Precompiled");
            match fields.get("precompiled_charsmap") {
                None if !is_table => {}
                found => table::check(found.and_then(Value::as_str))?,
            }
            fields.values().try_for_each(check_tables)
        }
        Value::Array(items) => items.iter().try_for_each(check_tables),
        _ => Ok(()),
    }
}

/// Checks what stands around a message: at most one template, and with one the message once.
fn check_templates(processor: Option<&PostProcessorWrapper>) -> Result<(), Error> {
    match processor.map_or(Vec::new(), templates).as_slice() {
        [] => Ok(()),
        [template] => check_template(template),
        many => Err(wrong(format!("{} templates", many.len()), "one".to_owned())),
    }
}

fn templates(processor: &PostProcessorWrapper) -> Vec<&TemplateProcessing> {
    match processor {
        PostProcessorWrapper::Template(template) => vec![template],
        PostProcessorWrapper::Sequence(inner) => {
            inner.as_ref().iter().flat_map(templates).collect()
        }
        _ => Vec::new(),
    }
}

/// Checks the template for one message; that for a pair of them is never used.
fn check_template(template: &TemplateProcessing) -> Result<(), Error> {
    let special = &template.get_special_tokens().0;
    let mut messages = 0;
    for piece in pieces(template) {
        match piece {
            Piece::Sequence { id: Sequence::A, .. } => messages += 1,
            Piece::Sequence { id: Sequence::B, .. } => {
                return Err(wrong("a second message".to_owned(), "one message".to_owned()));
            }
            Piece::SpecialToken { id, .. } if !special.contains_key(&id) => {
                let mut known: Vec<_> = special.keys().collect();
                known.sort();
                let expected = format!("one of `special_tokens`, which are {known:?}");
                return Err(wrong(format!("the special token {id:?}"), expected));
            }
            Piece::SpecialToken { .. } => {}
        }
    }
    match messages {
        1 => Ok(()),
        found => Err(wrong(format!("the message {found} times"), "it once".to_owned())),
    }
}

/// The pieces of a template, which the library shows only as JSON.
fn pieces(template: &TemplateProcessing) -> Vec<Piece> {
    let pieces = serde_json::to_value(&template.single).expect("it was read from JSON");
    serde_json::from_value(pieces).expect("it was written from pieces")
}

fn wrong(found: String, expected: String) -> Error {
    Error::Template { expected, found }
}
