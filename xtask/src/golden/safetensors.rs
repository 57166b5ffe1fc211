//! Just enough of the safetensors format to compare two files.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

/// One tensor and its bytes.
#[derive(Debug, PartialEq)]
pub(super) struct Tensor<'a> {
    pub(super) dtype: String,
    pub(super) shape: Vec<u64>,
    pub(super) data: &'a [u8],
}

/// The tensors of a file by name; what else its header says is left out.
///
/// The length of the header in eight bytes comes first, then the header in JSON, then all data.
pub(super) fn read(bytes: &[u8]) -> Result<BTreeMap<String, Tensor<'_>>> {
    let (length, rest) = bytes.split_first_chunk().context("expected 8 bytes for a length")?;
    let length = usize::try_from(u64::from_le_bytes(*length))?;
    let parts = rest.split_at_checked(length);
    let (header, data) = parts.with_context(|| format!("expected a header of {length} bytes"))?;
    let header: Map<String, Value> = serde_json::from_slice(header)?;
    let tensors = header.into_iter().filter(|(name, _)| name != "__metadata__");
    tensors.map(|(name, entry)| Ok((name.clone(), tensor(&name, entry, data)?))).collect()
}

fn tensor<'a>(name: &str, mut entry: Value, data: &'a [u8]) -> Result<Tensor<'a>> {
    let incomplete = || format!("the header entry of `{name}` is incomplete");
    let [start, end] =
        serde_json::from_value(entry["data_offsets"].take()).with_context(incomplete)?;
    Ok(Tensor {
        dtype: serde_json::from_value(entry["dtype"].take()).with_context(incomplete)?,
        shape: serde_json::from_value(entry["shape"].take()).with_context(incomplete)?,
        data: data.get(start..end).with_context(|| format!("`{name}` lies outside of the file"))?,
    })
}

impl Tensor<'_> {
    /// Its values, if they are f32.
    pub(super) fn floats(&self) -> Option<Vec<f32>> {
        let (values, _) = self.data.as_chunks();
        let floats = values.iter().map(|value| f32::from_le_bytes(*value));
        (self.dtype == "F32").then(|| floats.collect())
    }
}

/// A file with one tensor, for tests.
#[cfg(test)]
pub(super) fn file(name: &str, dtype: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let end = data.len();
    let entry = format!("{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":[0,{end}]}}");
    let header = format!("{{\"__metadata__\":{{\"format\":\"pt\"}},\"{name}\":{entry}}}");
    let length = (header.len() as u64).to_le_bytes();
    [&length, header.as_bytes(), data].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_are_read() {
        let bytes = file("a", "F32", "[2,1]", &[0, 0, 128, 63, 0, 0, 0, 192]);
        let tensors = read(&bytes).expect("the file is whole");
        assert_eq!(tensors.keys().collect::<Vec<_>>(), ["a"]);
        let tensor = &tensors["a"];
        assert_eq!((tensor.dtype.as_str(), tensor.shape.as_slice()), ("F32", &[2, 1][..]));
        assert_eq!(tensor.floats(), Some(vec![1.0, -2.0]));
    }

    #[test]
    fn damaged_files_are_refused() {
        let whole = file("a", "F32", "[1]", &[0; 4]);
        let header = whole.len() - 12;
        check(&whole[..7], "expected 8 bytes for a length");
        check(&whole[..40], &format!("expected a header of {header} bytes"));
        check(&whole[..whole.len() - 1], "`a` lies outside of the file");
        check(&file("a", "F32", "-1", &[]), "the header entry of `a` is incomplete");
    }

    fn check(bytes: &[u8], expected: &str) {
        let error = read(bytes).expect_err("the file is damaged");
        assert_eq!(error.to_string(), expected);
    }
}
