//! What rustdoc writes of one library, and strict access to its parts: what is not as expected is an
//! error and never left out.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::files;

/// The version of the form that is read; each Rust may have another.
const FORMAT: u64 = 57;

/// What rustdoc writes of one library.
pub(super) struct Document(Value);

impl Document {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let json = serde_json::from_slice(&files::read(path)?);
        let json = json.with_context(|| format!("cannot read `{}` as JSON", path.display()))?;
        Self::new(json).with_context(|| format!("cannot read `{}`", path.display()))
    }

    pub(super) fn new(json: Value) -> Result<Self> {
        let format = get(&json, "format_version")?;
        ensure!(*format == FORMAT, "expected version {FORMAT} of rustdoc's JSON, found {format}");
        Ok(Self(json))
    }

    /// The module of the library itself.
    pub(super) fn root(&self) -> Result<&Value> {
        self.item(get(&self.0, "root")?)
    }

    pub(super) fn item(&self, id: &Value) -> Result<&Value> {
        self.local(id)?.with_context(|| format!("rustdoc tells nothing of item {id}"))
    }

    /// An item, unless it is of another library.
    pub(super) fn local(&self, id: &Value) -> Result<Option<&Value>> {
        let item = get(&self.0, "index")?.get(id.to_string());
        item.map_or(Ok(None), |item| Ok((*get(item, "crate_id")? == 0).then_some(item)))
    }

    /// All items of the library, in no order.
    pub(super) fn items(&self) -> Result<impl Iterator<Item = &Value>> {
        let index = get(&self.0, "index")?.as_object().context("expected items by their ids")?;
        Ok(index.values().filter(|item| item["crate_id"] == 0))
    }

    /// The path by which a type or a trait was defined, of this library or of another. Modules in it
    /// may be private.
    pub(super) fn definition(&self, id: &Value) -> Result<String> {
        let summary = get(&self.0, "paths")?.get(id.to_string());
        let summary = summary.with_context(|| format!("rustdoc knows no path of item {id}"))?;
        let path: Result<Vec<&str>> = list(summary, "path")?.iter().map(string).collect();
        Ok(path?.join("::"))
    }
}

/// A field, which may be null.
pub(super) fn get<'a>(value: &'a Value, key: &str) -> Result<&'a Value> {
    value.get(key).with_context(|| format!("expected a field `{key}` in {value}"))
}

/// A field, unless it is null.
pub(super) fn optional<'a>(value: &'a Value, key: &str) -> Result<Option<&'a Value>> {
    Ok(Some(get(value, key)?).filter(|value| !value.is_null()))
}

pub(super) fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    string(get(value, key)?)
}

pub(super) fn string(value: &Value) -> Result<&str> {
    value.as_str().with_context(|| format!("expected a text, found {value}"))
}

pub(super) fn flag(value: &Value, key: &str) -> Result<bool> {
    let value = get(value, key)?;
    value.as_bool().with_context(|| format!("expected true or false as `{key}`, found {value}"))
}

pub(super) fn list<'a>(value: &'a Value, key: &str) -> Result<&'a [Value]> {
    elements(get(value, key)?)
}

pub(super) fn elements(value: &Value) -> Result<&[Value]> {
    value.as_array().map(Vec::as_slice).with_context(|| format!("expected a list, found {value}"))
}

/// Which of several kinds a value is, and what it holds.
pub(super) fn kind(value: &Value) -> Result<(&str, &Value)> {
    match value {
        Value::String(kind) => Ok((kind, &Value::Null)),
        Value::Object(fields) if fields.len() == 1 => {
            let (kind, inner) = fields.iter().next().expect("there is one");
            Ok((kind.as_str(), inner))
        }
        _ => bail!("expected a kind, found {value}"),
    }
}

/// What kind of item it is, and what it holds.
pub(super) fn inner(item: &Value) -> Result<(&str, &Value)> {
    kind(get(item, "inner")?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn another_form_is_refused() {
        let error =
            Document::new(json!({"format_version": 58})).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("expected version 57 of rustdoc's JSON, found 58"));
    }

    #[test]
    fn what_is_missing_is_an_error() {
        let value = json!({"name": null, "is_unsafe": 1});
        let check = |error: Option<anyhow::Error>, expected: &str| {
            let error = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(expected), "{error}");
        };
        assert!(optional(&value, "name").is_ok_and(|name| name.is_none()));
        check(get(&value, "names").err(), "expected a field `names`");
        check(text(&value, "name").err(), "expected a text, found null");
        check(flag(&value, "is_unsafe").err(), "as `is_unsafe`, found 1");
        check(list(&value, "name").err(), "expected a list, found null");
        check(kind(&value).err(), "expected a kind");
    }

    #[test]
    fn a_kind_may_hold_nothing() {
        assert_eq!(kind(&json!("infer")).expect("a kind"), ("infer", &Value::Null));
        assert_eq!(kind(&json!({"generic": "T"})).expect("a kind"), ("generic", &json!("T")));
    }
}
