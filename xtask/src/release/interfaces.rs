//! Public interfaces, compared with those of the last release by cargo-semver-checks.

use std::process::Stdio;

use anyhow::{Result, ensure};

use super::checkout::Checkout;
use super::members::{self, Library};
use crate::workspace;

/// The form of a release's tag.
const TAGS: &str = "v[0-9]*";

/// The features that are compared. All that the tool would choose by itself are those of devices too,
/// whose libraries need not be here.
const FEATURES: [&str; 3] = ["chain", "flex", "hub"];

/// Compares every library with the last release, where there is one and the tool is installed. What may
/// change is told by the versions of both.
pub(super) fn compare(clone: &Checkout) -> Result<()> {
    println!("\n== interfaces");
    let Some(last) = clone.last_tag(TAGS) else {
        println!("not compared: no earlier release is known here");
        return Ok(());
    };
    if !is_installed(clone) {
        println!(
            "not compared with {last}, since cargo-semver-checks is not installed: \
             cargo install --locked cargo-semver-checks"
        );
        return Ok(());
    }
    let mut refused = Vec::new();
    for library in members::libraries(clone)? {
        if !was_released(clone, &library, &last)? {
            println!("not compared: {last} has no `{}`", library.name);
        } else if let Err(error) = workspace::run(clone.cargo().args(call(&library, &last))) {
            eprintln!("{error}");
            refused.push(library.name);
        }
    }
    ensure!(refused.is_empty(), "no interface to release after {last}: {}", refused.join(", "));
    Ok(())
}

fn is_installed(clone: &Checkout) -> bool {
    let mut version = clone.cargo();
    version.args(["semver-checks", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

/// Whether a manifest of the release names the library.
pub(super) fn was_released(clone: &Checkout, library: &Library, tag: &str) -> Result<bool> {
    let line = format!("^name = \"{}\"$", library.name);
    clone.has_line(tag, &line, "*Cargo.toml")
}

fn call(library: &Library, last: &str) -> Vec<String> {
    let mut call = vec!["semver-checks", "--package", &library.name, "--baseline-rev", last];
    call.push("--only-explicit-features");
    for feature in library.features.iter().filter(|it| FEATURES.contains(&it.as_str())) {
        call.extend(["--features", feature]);
    }
    call.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_device_is_compared_but_the_cpu() {
        let check = |features: &[&str], expected: &str| {
            let features = features.iter().map(|&feature| feature.to_owned()).collect();
            let library = Library { name: "a".to_owned(), features };
            let begin = "semver-checks --package a --baseline-rev v0.1.0 --only-explicit-features";
            assert_eq!(call(&library, "v0.1.0").join(" "), format!("{begin}{expected}"));
        };
        check(&[], "");
        check(&["cuda", "flex", "hub", "libtorch"], " --features flex --features hub");
    }
}
