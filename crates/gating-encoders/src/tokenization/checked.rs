//! The document of a tokenizer, without what its library would panic at.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokenizers::normalizers::Precompiled;

/// How deep normalizers lie in each other: the library's parser refuses more than 128 levels, of
/// which each takes two.
const MAX_DEPTH: usize = 64;

/// As far as a normalizer has to be read to find tables in it.
#[derive(Deserialize)]
struct Normalizer<'a> {
    r#type: Option<String>,
    #[serde(borrow)]
    normalizers: Option<Vec<&'a RawValue>>,
}

/// The document of a tokenizer without its decoder, which turns ids into text again: nobody does
/// that here. For a decoder and for the table of a normalizer the library panics at what it cannot
/// read, also where only a comma is missing.
pub(super) fn checked(document: &[u8]) -> serde_json::Result<Vec<u8>> {
    let mut parts: BTreeMap<String, &RawValue> = serde_json::from_slice(document)?;
    parts.remove("decoder");
    if let Some(normalizer) = parts.get("normalizer") {
        check_normalizer(normalizer, 0)?;
    }
    serde_json::to_vec(&parts)
}

/// Reads the tables of a normalizer; all else is left to the library.
fn check_normalizer(text: &RawValue, depth: usize) -> serde_json::Result<()> {
    let Ok(normalizer) = serde_json::from_str::<Normalizer<'_>>(text.get()) else { return Ok(()) };
    if normalizer.r#type.as_deref() == Some("Precompiled") {
        // As the library does it, which wants a text without escapes.
        let plain = serde_json::from_str::<Value>(text.get())?.to_string();
        serde_json::from_str::<Precompiled>(&plain)?;
    }
    let mut inner = normalizer.normalizers.iter().flatten();
    match depth < MAX_DEPTH {
        true => inner.try_for_each(|normalizer| check_normalizer(normalizer, depth + 1)),
        false => Ok(()),
    }
}
