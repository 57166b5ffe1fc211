//! How long a program with each crate is built from nothing, and how large it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use super::{COMMAND, all};
use crate::{bench, examples, files, workspace};

/// Where it is kept.
const FILE: &str = "examples/measured.json";

/// What was measured, and on what.
#[derive(Debug, PartialEq)]
pub(super) struct Measured {
    /// The machine.
    pub(super) machine: String,
    /// What each crate costs, by its name.
    pub(super) costs: BTreeMap<String, Cost>,
}

/// What a crate costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cost {
    pub(super) seconds: f64,
    pub(super) bytes: u64,
}

/// A program that is built for its crate's sake.
struct Program {
    manifest: &'static str,
    package: String,
    name: String,
}

/// Builds a program with each crate, or with the only one named, from nothing, one after another, and
/// keeps what that took.
pub(crate) fn measure(only: Option<&str>) -> Result<()> {
    let machine = format!("{} with {} threads", bench::processor(), bench::threads());
    let mut measured = match only {
        Some(_) => Measured::of(&machine, Measured::read()?)?,
        None => Measured { machine, costs: BTreeMap::new() },
    };
    let folder = workspace::target()?.join("crates");
    for name in all().filter(|name| only.is_none_or(|only| only == *name)) {
        println!("\n-- {name}");
        let cost = Program::of(name).cost(&folder)?;
        println!("{:.1} s, {} bytes", cost.seconds, cost.bytes);
        measured.costs.insert(name.to_owned(), cost);
    }
    let text = serde_json::to_string_pretty(&measured.to_json())?;
    files::replace(&workspace::root().join(FILE), &format!("{text}\n"))?;
    println!("\n{FILE} is written: `cargo xtask docs` shows it in the README");
    Ok(())
}

impl Program {
    fn of(name: &str) -> Self {
        let example = examples::package(name);
        match name == COMMAND.0 {
            true => Self {
                manifest: "Cargo.toml",
                package: name.to_owned(),
                name: COMMAND.1.to_owned(),
            },
            false => Self { manifest: examples::MANIFEST, package: example.clone(), name: example },
        }
    }

    /// Builds it in a folder that is not there before, and not after.
    fn cost(&self, folder: &Path) -> Result<Cost> {
        remove(folder)?;
        // What has to be downloaded does not count.
        let mut fetch = workspace::cargo();
        workspace::run(fetch.args(["fetch", "--locked", "--manifest-path", self.manifest]))?;
        let mut build = workspace::cargo();
        build.args(["build", "--release", "--locked", "--manifest-path", self.manifest]);
        build.args(["--package", &self.package, "--target-dir"]).arg(folder);
        let start = Instant::now();
        workspace::run(&mut build)?;
        let seconds = start.elapsed().as_secs_f64();
        let program = folder.join("release").join(workspace::executable(&self.name));
        let found = fs::metadata(&program);
        let found = found.with_context(|| format!("`{}` is missing", program.display()))?;
        remove(folder)?;
        Ok(Cost { seconds, bytes: found.len() })
    }
}

fn remove(folder: &Path) -> Result<()> {
    match folder.exists() {
        true => fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove `{}`", folder.display())),
        false => Ok(()),
    }
}

impl Measured {
    /// What this machine measured: one table never has the times of two.
    fn of(machine: &str, found: Option<Self>) -> Result<Self> {
        let found = found.with_context(|| format!("`{FILE}` is missing: measure all crates"))?;
        ensure!(
            found.machine == machine,
            "expected `{FILE}` of this machine, {machine}, found {}: measure all crates",
            found.machine
        );
        Ok(found)
    }

    /// What was kept, if it was ever measured.
    pub(super) fn read() -> Result<Option<Self>> {
        let path = workspace::root().join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let value = serde_json::from_slice(&files::read(&path)?)?;
        Self::from_json(&value)
            .with_context(|| format!("`{FILE}` is not what was written"))
            .map(Some)
    }

    fn from_json(value: &Value) -> Option<Self> {
        let cost = |(name, cost): (&String, &Value)| {
            let (seconds, bytes) = (cost["seconds"].as_f64()?, cost["bytes"].as_u64()?);
            Some((name.clone(), Cost { seconds, bytes }))
        };
        Some(Self {
            machine: value["machine"].as_str()?.to_owned(),
            costs: value["crates"].as_object()?.iter().map(cost).collect::<Option<_>>()?,
        })
    }

    fn to_json(&self) -> Value {
        let cost = |(name, cost): (&String, &Cost)| {
            // A tenth of a second is more than two builds agree in.
            let seconds = (cost.seconds * 10.0).round() / 10.0;
            (name.clone(), json!({"seconds": seconds, "bytes": cost.bytes}))
        };
        let crates: Map<String, Value> = self.costs.iter().map(cost).collect();
        json!({"machine": self.machine, "crates": crates})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_is_read_again() {
        let cost = Cost { seconds: 12.5, bytes: 345_678 };
        let costs = [("gating-log".to_owned(), cost)].into();
        let measured = Measured { machine: "a machine with 2 threads".to_owned(), costs };
        let written = measured.to_json();
        assert_eq!(Measured::from_json(&written), Some(measured));
        assert_eq!(Measured::from_json(&json!({"machine": "one", "crates": {"a": {}}})), None);
    }

    #[test]
    fn one_table_has_the_times_of_one_machine() {
        let found = || Measured { machine: "one".to_owned(), costs: BTreeMap::new() };
        assert_eq!(Measured::of("one", Some(found())).expect("it is of this machine"), found());
        let error = |found| Measured::of("two", found).expect_err("it is not").to_string();
        let other =
            "expected `examples/measured.json` of this machine, two, found one: measure all crates";
        assert_eq!(error(Some(found())), other);
        assert_eq!(error(None), "`examples/measured.json` is missing: measure all crates");
    }

    #[test]
    fn a_crate_has_a_program() {
        let of = |name| {
            let Program { manifest, package, name } = Program::of(name);
            [manifest.to_owned(), package, name]
        };
        assert_eq!(of("gating-cli"), ["Cargo.toml", "gating-cli", "gating"]);
        let example = "gating-log-example";
        assert_eq!(of("gating-log"), ["examples/Cargo.toml", example, example]);
    }
}
