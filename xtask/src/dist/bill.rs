//! All that is in the binary, as CycloneDX 1.5 has it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::build;
use crate::{files, workspace};

/// The crate that the binary is.
const PROGRAM: &str = "gating-cli";

/// The bill of materials of the program.
pub(super) fn write(name: &str) -> Result<String> {
    let mut metadata = workspace::cargo();
    metadata.args(["metadata", "--locked", "--format-version", "1"]);
    metadata.args(["--filter-platform", &build::target()?]);
    let metadata: Value = serde_json::from_slice(&workspace::output(&mut metadata)?)?;
    let lock = files::read_text(&workspace::root().join("Cargo.lock"))?;
    let bill = bill(name, &metadata, &built(&tree()?), &checksums(&lock))?;
    Ok(format!("{}\n", serde_json::to_string_pretty(&bill)?))
}

/// What cargo says that the program is built of, with the features that it is built with; `cargo
/// metadata` knows only those of all crates together.
fn tree() -> Result<String> {
    let mut tree = workspace::cargo();
    tree.args(["tree", "--locked", "--package", PROGRAM, "--edges", "normal,build"]);
    tree.args(["--prefix", "none", "--format", "{p}", "--no-dedupe"]);
    Ok(String::from_utf8_lossy(&workspace::output(&mut tree)?).into_owned())
}

/// The crates in lines such as `half v2.7.1` or `xtask v0.1.0 (/folder)`, by [`purl`].
fn built(tree: &str) -> BTreeSet<String> {
    let line = |line: &str| {
        let mut words = line.split(' ');
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        Some(purl(&json!({"name": name, "version": version})))
    };
    tree.lines().filter_map(line).collect()
}

/// The crates that the program is built of, of which `built` says with its features.
fn bill(
    name: &str,
    metadata: &Value,
    built: &BTreeSet<String>,
    checksums: &BTreeMap<String, String>,
) -> Result<Value> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (packages, nodes) = (list(&metadata["packages"]), list(&metadata["resolve"]["nodes"]));
    let packages: BTreeMap<&str, &Value> =
        packages.iter().filter_map(|package| Some((package["id"].as_str()?, package))).collect();
    let is_built = |id: &&str| packages.get(id).is_some_and(|it| built.contains(&purl(it)));
    let built_of = |node| built_of(node).into_iter().filter(is_built).collect();
    let nodes: BTreeMap<&str, BTreeSet<&str>> =
        nodes.iter().filter_map(|node| Some((node["id"].as_str()?, built_of(node)))).collect();
    let mut program = packages.iter().filter(|(_, package)| package["name"] == PROGRAM);
    let (&root, package) = program.next().context("`cargo metadata` lacks the program")?;
    let reached = reached(root, &nodes);
    let crates = reached.iter().filter(|id| **id != root).map(|id| packages[id]);
    let purls = |ids: &BTreeSet<&str>| ids.iter().map(|id| purl(packages[id])).collect::<Vec<_>>();
    let links =
        reached.iter().map(|id| json!({"ref": purl(packages[id]), "dependsOn": purls(&nodes[id])}));
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": component(package, "application", checksums), "properties": [
            {"name": "gating:archive", "value": name},
        ]},
        "components": crates.map(|it| component(it, "library", checksums)).collect::<Vec<_>>(),
        "dependencies": links.collect::<Vec<_>>(),
    }))
}

/// What a crate is built of: dependencies of the code and of its build scripts.
fn built_of(node: &Value) -> BTreeSet<&str> {
    let is_built = |dependency: &&Value| {
        let kinds = dependency["dep_kinds"].as_array();
        kinds.into_iter().flatten().any(|kind| kind["kind"] != "dev")
    };
    let dependencies = node["deps"].as_array().into_iter().flatten().filter(is_built);
    dependencies.filter_map(|dependency| dependency["pkg"].as_str()).collect()
}

fn reached<'a>(root: &'a str, nodes: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let (mut reached, mut left) = (BTreeSet::new(), vec![root]);
    while let Some(id) = left.pop() {
        if reached.insert(id) {
            left.extend(nodes.get(id).into_iter().flatten());
        }
    }
    reached
}

fn component(package: &Value, kind: &str, checksums: &BTreeMap<String, String>) -> Value {
    let purl = purl(package);
    let mut component = json!({
        "type": kind,
        "bom-ref": purl,
        "name": package["name"],
        "version": package["version"],
        "purl": purl,
    });
    if let Some(license) = package["license"].as_str() {
        // A slash is how crates wrote OR before there were expressions.
        component["licenses"] = json!([{"expression": license.replace('/', " OR ")}]);
    }
    if let Some(checksum) = checksums.get(&purl) {
        component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
    }
    component
}

/// The name of a crate in every registry of packages.
fn purl(package: &Value) -> String {
    let text = |key: &str| package[key].as_str().unwrap_or_default();
    format!("pkg:cargo/{}@{}", text("name"), text("version").replace('+', "%2B"))
}

/// The checksums in `Cargo.lock`, by [`purl`].
fn checksums(lock: &str) -> BTreeMap<String, String> {
    let checksum = |block: &str| {
        let value = |key: &str| {
            let mut lines = block.lines();
            lines.find_map(|line| Some(line.strip_prefix(key)?.trim_matches('"').to_owned()))
        };
        let package = json!({"name": value("name = ")?, "version": value("version = ")?});
        Some((purl(&package), value("checksum = ")?))
    };
    lock.split("[[package]]").filter_map(checksum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, license: &str) -> Value {
        json!({"id": name, "name": name, "version": "1.0.0+a", "license": license})
    }

    fn dependency(name: &str, kind: Option<&str>) -> Value {
        json!({"pkg": name, "dep_kinds": [{"kind": kind}]})
    }

    #[test]
    fn what_is_built_is_listed_and_nothing_else() {
        let metadata = json!({
            "packages": [
                package(PROGRAM, "MIT"), package("code", "MIT/Apache-2.0"), package("script", "ISC"),
                package("test", "MIT"), package("other", "MIT"), package("optional", "MIT"),
            ],
            "resolve": {"nodes": [
                {"id": PROGRAM, "deps": [dependency("code", None), dependency("test", Some("dev"))]},
                {"id": "code", "deps": [
                    dependency("script", Some("build")), dependency("optional", None),
                ]},
                {"id": "script", "deps": []},
                {"id": "test", "deps": []},
                {"id": "optional", "deps": []},
                {"id": "other", "deps": [dependency("code", None)]},
            ]},
        });
        let lock = "[[package]]\nname = \"code\"\nversion = \"1.0.0+a\"\nchecksum = \"c0de\"\n";
        let tree = "gating-cli v1.0.0+a (/here)\ncode v1.0.0+a\nscript v1.0.0+a\ntest v1.0.0+a\n";
        let bill =
            bill("a", &metadata, &built(tree), &checksums(lock)).expect("the program is there");
        let names: Vec<&Value> =
            bill["components"].as_array().into_iter().flatten().map(|it| &it["name"]).collect();
        assert_eq!(names, ["code", "script"]);
        let code = &bill["components"][0];
        assert_eq!(code["purl"], "pkg:cargo/code@1.0.0%2Ba");
        assert_eq!(code["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(code["hashes"][0]["content"], "c0de");
        assert_eq!(bill["dependencies"][0]["dependsOn"], json!(["pkg:cargo/script@1.0.0%2Ba"]));
        assert_eq!(bill["metadata"]["component"]["name"], PROGRAM);
    }
}
