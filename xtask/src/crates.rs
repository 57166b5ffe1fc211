//! What every crate has and costs: its features, what it depends on, and, as far as that was
//! measured, how long it builds and how large a program with it is.

mod measure;

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::Value;

pub(crate) use self::measure::measure;
use self::measure::{Cost, Measured};
use crate::workspace::{self, LIBRARIES};

/// The crate that is a program itself, and its program.
const COMMAND: (&str, &str) = ("gating-cli", "gating");

/// What packages are counted for, so that every machine counts the same.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// The feature of the CPU device, which nothing is computed without where there are tensors.
const CPU: &str = "flex";

/// What is known of one crate.
struct Crate {
    name: String,
    /// Its features but `default`, and whether each is on by default.
    features: Vec<(String, bool)>,
    /// How many packages it is built of by default, itself left out.
    packages: usize,
    /// The same with the CPU device, where that is not on by default.
    with_cpu: Option<usize>,
}

/// The crates that have a row, in its order.
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    LIBRARIES.into_iter().chain([COMMAND.0])
}

/// A table of all crates, as the README has it.
pub(crate) fn table() -> Result<String> {
    let metadata = workspace::metadata("Cargo.toml")?;
    let crates: Vec<Crate> =
        all().map(|name| Crate::read(name, &metadata)).collect::<Result<_>>()?;
    Ok(table_of(&crates, Measured::read()?.as_ref()))
}

impl Crate {
    fn read(name: &str, metadata: &Value) -> Result<Self> {
        let features = features(name, metadata)?;
        let packages = |features: &[&str]| Ok(tree("Cargo.toml", name, features)?.len());
        let is_off = features.iter().any(|(feature, is_default)| feature == CPU && !is_default);
        let with_cpu: Option<Result<usize>> = is_off.then(|| packages(&["--features", CPU]));
        Ok(Self {
            name: name.to_owned(),
            features,
            packages: packages(&[])?,
            with_cpu: with_cpu.transpose()?,
        })
    }
}

/// The features of a crate but `default`, and whether each is on by default.
fn features(name: &str, metadata: &Value) -> Result<Vec<(String, bool)>> {
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let package = packages.find(|package| package["name"] == name);
    let features = package.and_then(|package| package["features"].as_object());
    let features = features.with_context(|| format!("cargo knows no crate `{name}`"))?;
    let defaults = features.get("default").and_then(Value::as_array);
    let is_default = |name: &String| defaults.is_some_and(|it| it.iter().any(|it| it == name));
    let named = features.keys().filter(|name| *name != "default");
    Ok(named.map(|name| (name.clone(), is_default(name))).collect())
}

/// The packages that one is built of, itself left out: each with its version. Tests need others too.
pub(crate) fn tree(manifest: &str, package: &str, features: &[&str]) -> Result<BTreeSet<String>> {
    let mut tree = workspace::cargo();
    tree.args(["tree", "--locked", "--manifest-path", manifest, "--package", package]);
    tree.args(["--edges", "normal,build", "--prefix", "none", "--target", PLATFORM]);
    let tree = workspace::output(tree.args(features))?;
    Ok(packages(&String::from_utf8_lossy(&tree)))
}

/// The packages in a tree whose root is its first line; behind a version may stand a folder, or that
/// a package was shown before.
fn packages(tree: &str) -> BTreeSet<String> {
    let package = |line: &str| {
        let mut words = line.split(' ');
        Some(format!("{} {}", words.next()?, words.next()?))
    };
    tree.lines().skip(1).filter_map(package).collect()
}

fn table_of(crates: &[Crate], measured: Option<&Measured>) -> String {
    let mut table = match measured {
        Some(_) => {
            "| crate | features | packages below it | built in | program |\n|---|---|---|---|---|\n"
        }
        None => "| crate | features | packages below it |\n|---|---|---|\n",
    }
    .to_owned();
    for it in crates {
        table.push_str(&row(it, measured));
    }
    if let Some(Measured { machine, .. }) = measured {
        let command = COMMAND.0;
        table.push_str(&format!(
            "\nBuilt from nothing by `cargo build --release`, on {machine}: the example of each crate, which \
             has the CPU device where there is one, and the command of `{command}`.\n"
        ));
    }
    table
}

fn row(it: &Crate, measured: Option<&Measured>) -> String {
    let Crate { name, features, packages, with_cpu } = it;
    let feature = |(name, is_default): &(String, bool)| match is_default {
        true => format!("`{name}` (on)"),
        false => format!("`{name}`"),
    };
    let features = match features.as_slice() {
        [] => "none".to_owned(),
        features => features.iter().map(feature).collect::<Vec<_>>().join(", "),
    };
    let with_cpu = with_cpu.map(|count| format!("; {count} with `{CPU}`")).unwrap_or_default();
    let row = format!("| `{name}` | {features} | {packages}{with_cpu} |");
    let cost = |measured: &Measured| match measured.costs.get(name) {
        Some(Cost { seconds, bytes }) => format!(" {} | {} |", time(*seconds), size(*bytes)),
        None => " not measured | not measured |".to_owned(),
    };
    format!("{row}{}\n", measured.map(cost).unwrap_or_default())
}

fn time(seconds: f64) -> String {
    if seconds < 99.5 { format!("{seconds:.0} s") } else { format!("{:.1} min", seconds / 60.0) }
}

fn size(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn core() -> Crate {
        let features = [("flex", true), ("wgpu", false)];
        let features = features.map(|(name, is_default)| (name.to_owned(), is_default)).to_vec();
        Crate { name: "gating-core".to_owned(), features, packages: 7, with_cpu: Some(9) }
    }

    #[test]
    fn a_row_has_what_is_known() {
        let counted = "| `gating-core` | `flex` (on), `wgpu` | 7; 9 with `flex` |";
        assert_eq!(row(&core(), None), format!("{counted}\n"));
        let alone = Crate { features: Vec::new(), with_cpu: None, ..core() };
        assert_eq!(row(&alone, None), "| `gating-core` | none | 7 |\n");
        let cost = |name: &str| (name.to_owned(), Cost { seconds: 130.2, bytes: 1_260_000 });
        let measured = |name| Measured { machine: "one".to_owned(), costs: [cost(name)].into() };
        let found = row(&core(), Some(&measured("gating-core")));
        assert_eq!(found, format!("{counted} 2.2 min | 1.3 MB |\n"));
        let found = row(&core(), Some(&measured("gating-log")));
        assert_eq!(found, format!("{counted} not measured | not measured |\n"));
    }

    #[test]
    fn every_package_counts_once() {
        let tree = "a v1.0.0 (/a)\nb v1.0.0\nc v1.0.0 (proc-macro)\nb v1.0.0 (*)\nb v2.0.0\n\n";
        let found: Vec<String> = packages(tree).into_iter().collect();
        assert_eq!(found, ["b v1.0.0", "b v2.0.0", "c v1.0.0"]);
    }

    #[test]
    fn features_say_what_is_on() {
        let features = json!({"default": ["b"], "a": [], "b": ["a"]});
        let metadata = json!({"packages": [{"name": "x", "features": features}]});
        let expected = [("a".to_owned(), false), ("b".to_owned(), true)];
        assert_eq!(super::features("x", &metadata).expect("it is there"), expected);
        let error = super::features("y", &metadata).expect_err("it is not there");
        assert_eq!(error.to_string(), "cargo knows no crate `y`");
    }
}
