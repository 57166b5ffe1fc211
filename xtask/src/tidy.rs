//! The layout rules of the workspace, as code.

mod dependencies;
mod edges;
mod evidence;
mod links;
mod locks;
mod manifest;
mod member;
mod source;
mod tree;

use std::fmt;

use anyhow::{Result, ensure};

use self::manifest::Manifest;
use self::member::Member;
use self::source::Source;
use crate::counted::counted;
use crate::{examples, files, workspace};

/// The folders whose sources the rules hold for.
const SOURCES: [&str; 4] = ["benches", "crates", "examples", "xtask"];

/// The manifest of the workspace.
const ROOT: &str = "Cargo.toml";

/// Where the tree breaks a rule; lines count from 1.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Violation {
    path: String,
    line: usize,
    message: String,
}

impl Violation {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Prints every violation; any is an error.
pub(crate) fn run() -> Result<()> {
    let violations = violations()?;
    violations.iter().for_each(|violation| println!("{violation}"));
    ensure!(
        violations.is_empty(),
        "{} of the layout rules",
        counted(violations.len(), "violation")
    );
    Ok(())
}

fn violations() -> Result<Vec<Violation>> {
    let manifest = Manifest::read(ROOT)?;
    let members = Member::all(ROOT)?;
    let mut violations = Vec::new();
    for (manifest, members) in [
        (&manifest, &members),
        (&Manifest::read(examples::MANIFEST)?, &Member::all(examples::MANIFEST)?),
    ] {
        violations.extend(edges::unexpected(members));
        violations.extend(members.iter().flat_map(|member| manifest::check(&member.manifest)));
        violations.extend(manifest::unsorted(manifest));
    }
    violations.extend(dependencies::unused(&manifest, &members));
    violations.extend(dependencies::undocumented(&manifest)?);
    violations.extend(source_violations()?);
    violations.extend(evidence::missing()?);
    violations.extend(links::broken()?);
    violations.extend(locks::different()?);
    violations.extend(tree::missing());
    violations.extend(tree::large()?);
    violations.sort();
    violations.dedup();
    Ok(violations)
}

fn source_violations() -> Result<Vec<Violation>> {
    let root = workspace::root();
    let mut violations = Vec::new();
    for folder in SOURCES {
        for path in files::under(&root.join(folder))? {
            if path.extension().is_some_and(|extension| extension == "rs") {
                let text = files::read_text(&path)?;
                violations
                    .extend(source::check(&Source::new(&files::relative(&path, root), &text)));
            }
        }
    }
    Ok(violations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let violations = violations().expect("the tree can be read");
        let lines: Vec<String> = violations.iter().map(Violation::to_string).collect();
        assert!(lines.is_empty(), "the layout rules are broken:\n{}", lines.join("\n"));
    }
}
