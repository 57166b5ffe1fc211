//! The programs in `examples`, each of which has one library crate alone.

use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::crates::tree;
use crate::workspace::{self, LIBRARIES, WITHOUT_TENSORS};

/// The workspace of the programs: one of their own, so that features of one are not those of another.
pub(crate) const MANIFEST: &str = "examples/Cargo.toml";

/// With which features a program is built.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Features {
    Default,
    None,
}

/// Runs every program with the default features and with none, and says how long each took.
pub(crate) fn run() -> Result<()> {
    for library in WITHOUT_TENSORS {
        no_tensors(library)?;
    }
    let target = workspace::target()?.join("examples");
    let mut times = Vec::new();
    for features in [Features::Default, Features::None] {
        for library in LIBRARIES {
            let call = call(library, features);
            println!("\n-- cargo {}", call.join(" "));
            let start = Instant::now();
            workspace::run(workspace::cargo().args(&call).arg("--target-dir").arg(&target))
                .with_context(|| format!("the example of `{library}` failed"))?;
            times.push((start.elapsed(), call));
        }
    }
    println!();
    for (time, call) in times {
        println!("{:8.1} s  cargo {}", time.as_secs_f64(), call.join(" "));
    }
    Ok(())
}

/// What cargo is called with for the program of a library: for one alone, since features of what is built
/// in one call add up.
fn call(library: &str, features: Features) -> Vec<String> {
    let package = package(library);
    let mut call = vec!["run", "--manifest-path", MANIFEST, "--locked", "--package", &package];
    call.extend((features == Features::None).then_some("--no-default-features"));
    call.into_iter().map(str::to_owned).collect()
}

/// The package of the program that has this library.
pub(crate) fn package(library: &str) -> String {
    format!("{library}-example")
}

/// An error where a library that has no tensors draws Burn in.
fn no_tensors(library: &str) -> Result<()> {
    let packages = tree(MANIFEST, &package(library), &[])?;
    match packages.iter().find(|package| is_burn(package)) {
        Some(found) => bail!("`{library}` draws in {found}, expected no tensor library"),
        None => Ok(()),
    }
}

/// Whether a package is Burn, or one of its parts.
pub(crate) fn is_burn(package: &str) -> bool {
    let name = package.split(' ').next().unwrap_or(package);
    name == "burn" || name.starts_with("burn-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_built_one_by_one() {
        let check = |library, features, expected: &str| {
            assert_eq!(call(library, features).join(" "), expected);
        };
        let run = "run --manifest-path examples/Cargo.toml --locked --package gating-log-example";
        check("gating-log", Features::Default, run);
        check("gating-log", Features::None, &format!("{run} --no-default-features"));
    }

    #[test]
    fn burn_is_known_by_its_name() {
        assert!(is_burn("burn v0.22.1") && is_burn("burn-tensor v0.22.1"));
        assert!(!is_burn("burning v1.0.0") && !is_burn("rand v1.0.0 (burn)"));
    }
}
