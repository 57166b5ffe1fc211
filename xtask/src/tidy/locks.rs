//! The examples are built with the versions that everything else is built with.

use std::collections::HashSet;

use anyhow::Result;

use super::Violation;
use crate::lock::{Package, packages};
use crate::{files, workspace};

/// What is locked for the workspace, and for the examples.
const LOCKS: [&str; 2] = ["Cargo.lock", "examples/Cargo.lock"];

/// Packages that only the examples have.
pub(super) fn different() -> Result<Vec<Violation>> {
    let [root, examples] = LOCKS.map(|lock| files::read_text(&workspace::root().join(lock)));
    Ok(different_in(&root?, &examples?))
}

fn different_in(root: &str, examples: &str) -> Vec<Violation> {
    let known: HashSet<Package<'_>> = packages(root).map(|(_, package)| package).collect();
    let packages = packages(examples).filter(|(_, package)| !known.contains(package));
    // Those without a source are the examples themselves, and our crates, which have one version.
    let foreign = packages.filter(|(_, package)| package.source.is_some());
    let violation = |(line, Package { name, version, .. })| {
        let message = format!("`{name}` {version} is not in `{}`", LOCKS[0]);
        Violation::new(LOCKS[1], line, message)
    };
    foreign.map(violation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "\
version = 4

[[package]]
name = \"burn\"
version = \"0.22.1\"
source = \"registry\"
checksum = \"aa\"

[[package]]
name = \"gating-core\"
version = \"0.1.0\"
dependencies = [
 \"burn\",
]
";

    fn check(from: &str, to: &str, expected: &[&str]) {
        let found = different_in(ROOT, &ROOT.replace(from, to));
        let found: Vec<String> = found.iter().map(Violation::to_string).collect();
        assert_eq!(found, expected, "{to}");
    }

    #[test]
    fn the_examples_have_no_other_versions() {
        check("", "", &[]);
        check("gating-core", "gating-core-example", &[]);
        let expected = "examples/Cargo.lock:4: `burn` 0.22.2 is not in `Cargo.lock`";
        check("0.22.1", "0.22.2", &[expected]);
        let expected = "examples/Cargo.lock:4: `burn` 0.22.1 is not in `Cargo.lock`";
        check("aa", "bb", &[expected]);
        let expected = "examples/Cargo.lock:4: `rand` 0.22.1 is not in `Cargo.lock`";
        check("name = \"burn\"", "name = \"rand\"", &[expected]);
    }
}
