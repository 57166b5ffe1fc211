//! Every file and test that the threat model names is there.

use std::collections::HashSet;

use anyhow::Result;

use super::Violation;
use crate::{files, workspace};

const THREATS: &str = "docs/threat-model.md";

/// Where the fuzz targets are.
const TARGETS: &str = "fuzz/fuzz_targets";

/// What the threat model names and the tree lacks.
pub(super) fn missing() -> Result<Vec<Violation>> {
    let root = workspace::root();
    let mut known = HashSet::new();
    for path in files::under(&root.join("crates"))? {
        if path.extension().is_some_and(|extension| extension == "rs") {
            known.extend(test_names(&files::read_text(&path)?).map(str::to_owned));
            known.insert(files::relative(&path, root));
        }
    }
    for path in files::under(&root.join(TARGETS))? {
        known.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    Ok(missing_in(&files::read_text(&root.join(THREATS))?, &known))
}

/// The names of the tests in a source.
fn test_names(source: &str) -> impl Iterator<Item = &str> {
    let blocks = source.split("#[test]").skip(1);
    blocks.filter_map(|block| block.split_once("fn ")?.1.split_once('(').map(|(name, _)| name))
}

/// Sources are named anywhere; tests and targets in the last column of a table.
fn missing_in(text: &str, known: &HashSet<String>) -> Vec<Violation> {
    let violation = |line: usize, name: &str| {
        let message = || format!("`{name}` is no source, test or fuzz target");
        (!known.contains(name)).then(|| Violation::new(THREATS, line, message()))
    };
    let lines = text.lines().enumerate();
    let named = lines.flat_map(|(index, line)| {
        let evidence = line.trim_end_matches([' ', '|']).rfind('|').unwrap_or(line.len());
        let sources = quoted(line).filter(|name| name.ends_with(".rs"));
        sources.chain(quoted(&line[evidence..])).map(move |name| (index + 1, name))
    });
    named.filter_map(|(line, name)| violation(line, name)).collect()
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &[&str]) {
        let known = ["crates/a.rs", "it_holds", "json"].map(str::to_owned).into();
        let found: Vec<_> = missing_in(line, &known).iter().map(Violation::to_string).collect();
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn what_is_named_must_be_there() {
        check("| `lies` | read: `crates/a.rs` | `it_holds`; target `json` |", &[]);
        check("because of `crates/a.rs` and `gating`", &[]);
        let source = "docs/threat-model.md:1: `crates/b.rs` is no source, test or fuzz target";
        check("because of `crates/b.rs`", &[source]);
        check("| lies | `crates/b.rs` | `it_holds` |", &[source]);
        let test = "docs/threat-model.md:1: `it_held` is no source, test or fuzz target";
        check("| lies | `crates/a.rs` | `it_holds`, `it_held` |", &[test]);
    }

    #[test]
    fn tests_are_known_by_their_attribute() {
        let source = "fn helper() {}\n#[test]\nfn one() {}\n#[test]\n#[cfg(unix)]\nfn two() {}\n";
        assert_eq!(test_names(source).collect::<Vec<_>>(), ["one", "two"]);
    }
}
