//! In what the files of two folders differ.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Number, Value};

use super::SCRIPT;
use super::safetensors::{self, Tensor};
use crate::counted::counted;
use crate::{files, workspace};

/// How far floats may lie apart, as a part of the largest in their tensor or array.
///
/// PyTorch adds f32 in another order on another processor, which errs by the size of what is
/// added and not of the sum. Between its kernels for plain x86-64, AVX2 and AVX-512 the goldens
/// differ by at most 2.2e-6 (the last token of tiny-gpt-neo): this is not quite twice that.
const RELATIVE: f64 = 4e-6;
/// How far floats may lie apart besides: a sum of f64 that is zero here may be 1e-18 elsewhere.
const ABSOLUTE: f64 = 1e-15;

/// Compares every file but the script.
pub(super) fn folders(committed: &Path, made: &Path) -> Result<Vec<String>> {
    let (committed_names, made_names) = (names(committed)?, names(made)?);
    let mut differences = Vec::new();
    for name in committed_names.union(&made_names) {
        let path = committed.join(name);
        let at = files::relative(&path, workspace::root());
        if !made_names.contains(name) {
            differences.push(format!("{at}: committed, but not made"));
        } else if !committed_names.contains(name) {
            differences.push(format!("{at}: made, but not committed"));
        } else {
            let (committed, made) = (files::read(&path)?, files::read(&made.join(name))?);
            let found = contents(name, &committed, &made).with_context(|| at.clone())?;
            differences.extend(found.iter().map(|difference| format!("{at}: {difference}")));
        }
    }
    Ok(differences)
}

fn names(folder: &Path) -> Result<BTreeSet<String>> {
    let paths = files::under(folder)?.into_iter();
    let names = paths.map(|path| files::relative(&path, folder));
    Ok(names.filter(|name| name != SCRIPT).collect())
}

/// Compares two files by what the ending of their name says.
fn contents(name: &str, committed: &[u8], made: &[u8]) -> Result<Vec<String>> {
    match Path::new(name).extension().and_then(|extension| extension.to_str()) {
        Some("json") => {
            Ok(json("", &serde_json::from_slice(committed)?, &serde_json::from_slice(made)?, 0.0))
        }
        Some("safetensors") => tensors(committed, made),
        _ => Ok(bytes(committed, made).into_iter().collect()),
    }
}

fn bytes(committed: &[u8], made: &[u8]) -> Option<String> {
    let mut pairs = committed.iter().zip(made);
    let first = pairs.position(|(committed, made)| committed != made);
    let first = first.unwrap_or(committed.len().min(made.len()));
    (committed != made).then(|| format!("the bytes differ from byte {first} on"))
}

/// Compares two values at a JSON pointer, in an array whose largest number is `largest`.
fn json(at: &str, committed: &Value, made: &Value, largest: f64) -> Vec<String> {
    match (committed, made) {
        (Value::Object(committed), Value::Object(made)) => {
            let keys: BTreeSet<_> = committed.keys().chain(made.keys()).collect();
            let pair = |key| (committed.get(key), made.get(key));
            keys.into_iter().flat_map(|key| field(&format!("{at}/{key}"), pair(key))).collect()
        }
        (Value::Array(committed), Value::Array(made)) if committed.len() == made.len() => {
            let largest = largest_of(committed.iter().filter_map(Value::as_f64));
            let pairs = committed.iter().zip(made).enumerate();
            pairs
                .flat_map(|(index, (committed, made))| {
                    json(&format!("{at}/{index}"), committed, made, largest)
                })
                .collect()
        }
        (Value::Array(committed), Value::Array(made)) => {
            vec![format!("{at}: committed {} elements, made {}", committed.len(), made.len())]
        }
        (Value::Number(committed), Value::Number(made)) if are_near(committed, made, largest) => {
            Vec::new()
        }
        _ if committed == made => Vec::new(),
        _ => vec![format!("{at}: committed {committed}, made {made}")],
    }
}

fn field(at: &str, pair: (Option<&Value>, Option<&Value>)) -> Vec<String> {
    match pair {
        (Some(committed), Some(made)) => json(at, committed, made, 0.0),
        (Some(_), None) => vec![format!("{at}: committed, but not made")],
        (None, _) => vec![format!("{at}: made, but not committed")],
    }
}

/// Whether two numbers, at least one of them a float, lie close together.
fn are_near(committed: &Number, made: &Number, largest: f64) -> bool {
    let has_float = committed.is_f64() || made.is_f64();
    let near = |committed: f64, made: f64| {
        (committed - made).abs() <= tolerance(largest.max(committed.abs()))
    };
    has_float && committed.as_f64().zip(made.as_f64()).is_some_and(|(a, b)| near(a, b))
}

fn largest_of(values: impl Iterator<Item = f64>) -> f64 {
    values.map(f64::abs).filter(|value| value.is_finite()).fold(0.0, f64::max)
}

fn tolerance(largest: f64) -> f64 {
    RELATIVE * largest + ABSOLUTE
}

fn tensors(committed: &[u8], made: &[u8]) -> Result<Vec<String>> {
    let (committed, made) = (safetensors::read(committed)?, safetensors::read(made)?);
    let names: BTreeSet<_> = committed.keys().chain(made.keys()).collect();
    let difference = |name: &String| {
        let difference = match (committed.get(name), made.get(name)) {
            (Some(committed), Some(made)) => tensor(committed, made)?,
            (Some(_), None) => "committed, but not made".to_owned(),
            (None, _) => "made, but not committed".to_owned(),
        };
        Some(format!("tensor `{name}`: {difference}"))
    };
    Ok(names.into_iter().filter_map(difference).collect())
}

fn tensor(committed: &Tensor<'_>, made: &Tensor<'_>) -> Option<String> {
    let form = |tensor: &Tensor<'_>| format!("{} {:?}", tensor.dtype, tensor.shape);
    if form(committed) != form(made) {
        return Some(format!("committed {}, made {}", form(committed), form(made)));
    }
    match (committed.floats(), made.floats()) {
        (Some(committed), Some(made)) => floats(&committed, &made),
        _ => bytes(committed.data, made.data),
    }
}

/// Counts the floats that lie too far apart and shows the first.
fn floats(committed: &[f32], made: &[f32]) -> Option<String> {
    let tolerance = tolerance(largest_of(committed.iter().copied().map(f64::from)));
    let is_near = |committed: f32, made: f32| {
        let distance = (f64::from(committed) - f64::from(made)).abs();
        committed.to_bits() == made.to_bits() || distance <= tolerance
    };
    let pairs = committed.iter().zip(made).enumerate();
    let far: Vec<_> =
        pairs.filter(|(_, (committed, made))| !is_near(**committed, **made)).collect();
    let (index, (committed, made)) = *far.first()?;
    let count = counted(far.len(), "value");
    Some(format!("{count} off, first at {index}: committed {committed:?}, made {made:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, committed: &[u8], made: &[u8], expected: &[&str]) {
        let found = contents(name, committed, made).expect("both files can be read");
        assert_eq!(found, expected, "{name}");
    }

    fn check_json(committed: &str, made: &str, expected: &[&str]) {
        check("a.json", committed.as_bytes(), made.as_bytes(), expected);
    }

    fn check_floats(committed: [f32; 2], made: [f32; 2], expected: &[&str]) {
        let file = |values: [f32; 2]| {
            let data = values.map(f32::to_le_bytes);
            safetensors::file("x", "F32", "[2]", data.as_flattened())
        };
        check("a.safetensors", &file(committed), &file(made), expected);
    }

    #[test]
    fn json_is_compared_by_structure() {
        check_json(r#"{"a": 1, "b": [0.5]}"#, r#"{"b":[0.500001],"a":1}"#, &[]);
        check_json("[0.5]", "[0.50002]", &["/0: committed 0.5, made 0.50002"]);
        check_json("[100.0, 0.5]", "[100.0, 0.50002]", &[]);
        check_json(r#"{"a": 1e-12}"#, r#"{"a": 2e-12}"#, &["/a: committed 1e-12, made 2e-12"]);
        check_json("[1, 2.0]", "[2, 2]", &["/0: committed 1, made 2"]);
        check_json("[1, 2]", "[1]", &[": committed 2 elements, made 1"]);
        check_json(r#"{"a": {"b": "x"}}"#, r#"{"a": {}}"#, &["/a/b: committed, but not made"]);
        check_json("{}", r#"{"a": null}"#, &["/a: made, but not committed"]);
        check_json(r#"["x"]"#, "[null]", &["/0: committed \"x\", made null"]);
    }

    #[test]
    fn tensors_are_compared_by_value() {
        check_floats([1.0, f32::NAN], [1.000_003, f32::NAN], &[]);
        check_floats([1.0, f32::INFINITY], [1.0, f32::INFINITY], &[]);
        let one = "tensor `x`: 1 value off, first at 1: committed 2.0, made NaN";
        check_floats([1.0, 2.0], [1.0, f32::NAN], &[one]);
        let two = "tensor `x`: 2 values off, first at 0: committed 1.0, made 1.5";
        check_floats([1.0, 2.0], [1.5, 2.5], &[two]);
    }

    /// The smallest change that a golden holds: 300 steps move a weight by 1.8e-5 at most.
    #[test]
    fn half_of_what_was_learned_is_missed() {
        let path = "crates/gating-core/testdata/learning/learning.safetensors";
        let bytes = files::read(&workspace::root().join(path)).expect("the golden is committed");
        let golden = safetensors::read(&bytes).expect("make.py writes safetensors");
        let [initial, learned] = ["initial.weight", "per_step.weight"]
            .map(|name| golden[name].floats().expect("the weights are f32"));
        let half = initial.iter().zip(&learned).map(|(initial, learned)| (initial + learned) / 2.0);
        assert_eq!(floats(&learned, &learned), None);
        assert!(floats(&learned, &half.collect::<Vec<_>>()).is_some());
    }

    #[test]
    fn tensors_are_compared_by_form() {
        let file = safetensors::file;
        let (committed, name) = (file("x", "I32", "[1]", &[0; 4]), "a.safetensors");
        check(name, &committed, &file("x", "I32", "[1]", &[0; 4]), &[]);
        let bytes = "tensor `x`: the bytes differ from byte 3 on";
        check(name, &committed, &file("x", "I32", "[1]", &[0, 0, 0, 1]), &[bytes]);
        let form = "tensor `x`: committed I32 [1], made F32 [1, 1]";
        check(name, &committed, &file("x", "F32", "[1,1]", &[0; 4]), &[form]);
        let names = ["tensor `x`: committed, but not made", "tensor `y`: made, but not committed"];
        check(name, &committed, &file("y", "I32", "[1]", &[0; 4]), &names);
    }

    #[test]
    fn other_files_are_compared_by_byte() {
        check("vocab.txt", b"one\n", b"one\n", &[]);
        check("vocab.txt", b"one\n", b"one", &["the bytes differ from byte 3 on"]);
        check("vocab.txt", b"one", b"ore", &["the bytes differ from byte 1 on"]);
    }
}
