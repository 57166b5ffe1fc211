//! The crates that are published, those first that others depend on.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::checkout::Checkout;
use crate::workspace;

/// Names and versions, in the order in which they can be published.
pub(super) fn publishable(checkout: &Checkout) -> Result<Vec<(String, String)>> {
    in_order(&packages(checkout)?)
}

/// A crate that others can use, and its features.
pub(super) struct Library {
    pub(super) name: String,
    pub(super) features: Vec<String>,
}

/// Those with a library, in the same order.
pub(super) fn libraries(checkout: &Checkout) -> Result<Vec<Library>> {
    let packages = packages(checkout)?;
    let library = |name: String| {
        let is_it = |package: &&Value| package["name"] == *name && is_library(package);
        let features = packages.iter().find(is_it)?["features"].as_object().into_iter().flatten();
        let features = features.map(|(feature, _)| feature.clone()).collect();
        Some(Library { name, features })
    };
    let names = in_order(&packages)?.into_iter().map(|(name, _)| name);
    Ok(names.filter_map(library).collect())
}

fn is_library(package: &Value) -> bool {
    let targets = package["targets"].as_array().into_iter().flatten();
    let mut kinds = targets.flat_map(|target| target["kind"].as_array()).flatten();
    kinds.any(|kind| kind == "lib")
}

fn packages(checkout: &Checkout) -> Result<Vec<Value>> {
    let mut metadata = checkout.cargo();
    metadata.args(["metadata", "--no-deps", "--locked", "--format-version", "1"]);
    let mut metadata: Value = serde_json::from_slice(&workspace::output(&mut metadata)?)?;
    match metadata["packages"].take() {
        Value::Array(packages) => Ok(packages),
        _ => bail!("`cargo metadata` gives no packages"),
    }
}

/// The options of cargo that choose crates.
pub(super) fn options(crates: &[(String, String)]) -> impl Iterator<Item = &str> {
    crates.iter().flat_map(|(name, _)| ["--package", name])
}

fn in_order(packages: &[Value]) -> Result<Vec<(String, String)>> {
    // `publish = false` is an empty list of registries.
    let is_published =
        |package: &&Value| package["publish"].as_array().is_none_or(|to| !to.is_empty());
    let mut left: Vec<&Value> = packages.iter().filter(is_published).collect();
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let names: Vec<&str> = left.iter().filter_map(|package| package["name"].as_str()).collect();
        let waits = |package: &Value| needs(package).any(|name| names.contains(&name));
        let (waiting, ready): (Vec<_>, Vec<_>) = left.iter().partition(|package| waits(package));
        ensure!(!ready.is_empty(), "{} depend on each other", names.join(", "));
        ordered.extend(ready);
        left = waiting;
    }
    let text = |package: &Value, key: &str| Some(package[key].as_str()?.to_owned());
    let named = ordered
        .into_iter()
        .map(|package| Some((text(package, "name")?, text(package, "version")?)));
    named.collect::<Option<_>>().context("`cargo metadata` gives a package without name or version")
}

/// The names of all dependencies that have to be published before; those of tests are.
fn needs(package: &Value) -> impl Iterator<Item = &str> {
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    dependencies.filter_map(|dependency| dependency["name"].as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn package(name: &str, dependencies: &[&str], publish: &Value) -> Value {
        let dependencies: Vec<Value> =
            dependencies.iter().map(|name| json!({"name": name})).collect();
        json!({"name": name, "version": "1.0.0", "publish": publish, "dependencies": dependencies})
    }

    #[test]
    fn dependencies_come_first() {
        let packages = [
            package("top", &["middle", "serde"], &Value::Null),
            package("tool", &["top"], &json!([])),
            package("middle", &["low"], &Value::Null),
            package("low", &[], &Value::Null),
        ];
        let ordered = in_order(&packages).expect("nothing goes in circles");
        let names: Vec<&str> = ordered.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["low", "middle", "top"]);
    }

    #[test]
    fn a_program_is_no_library() {
        let package =
            |kinds: [&str; 2]| json!({"targets": kinds.map(|kind| json!({"kind": [kind]}))});
        assert!(is_library(&package(["test", "lib"])));
        assert!(!is_library(&package(["test", "bin"])));
    }

    #[test]
    fn circles_are_an_error() {
        let packages = [package("a", &["b"], &Value::Null), package("b", &["a"], &Value::Null)];
        let error = in_order(&packages).expect_err("neither can be first");
        assert_eq!(error.to_string(), "a, b depend on each other");
    }
}
