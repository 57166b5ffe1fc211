//! Every dependency has a reason and a user.

use anyhow::Result;

use super::Violation;
use super::manifest::{Entry, Manifest};
use super::member::Member;
use crate::{files, workspace};

/// Where the reasons are.
const REASONS: &str = "docs/dependencies.md";

/// Dependencies of the workspace that no member takes.
pub(super) fn unused(manifest: &Manifest, members: &[Member]) -> Vec<Violation> {
    let mut used = Vec::new();
    for member in members {
        used.extend(member.manifest.dependencies().map(Entry::name));
    }
    let unused = external(manifest).filter(|entry| !used.contains(&entry.name()));
    let message = |entry: &Entry| format!("`{}` is taken by no member", entry.name());
    unused.map(|entry| Violation::new(&manifest.path, entry.line, message(entry))).collect()
}

/// Dependencies of the workspace that the document of reasons does not name.
pub(super) fn undocumented(manifest: &Manifest) -> Result<Vec<Violation>> {
    let path = workspace::root().join(REASONS);
    if !path.exists() {
        return Ok(vec![Violation::new(REASONS, 1, "is missing")]);
    }
    Ok(undocumented_in(&files::read_text(&path)?, manifest))
}

fn undocumented_in(reasons: &str, manifest: &Manifest) -> Vec<Violation> {
    let unnamed =
        external(manifest).filter(|entry| !reasons.contains(&format!("`{}`", entry.name())));
    let message = |entry: &Entry| format!("`{}` has no entry in {REASONS}", entry.name());
    unnamed.map(|entry| Violation::new(&manifest.path, entry.line, message(entry))).collect()
}

/// The dependencies of the workspace that are not its own crates.
fn external(manifest: &Manifest) -> impl Iterator<Item = &Entry> {
    let dependencies = manifest.dependencies();
    dependencies.filter(|entry| entry.table == "workspace.dependencies" && !entry.has_path())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "[workspace.dependencies]\na = { path = \"a\" }\nb = \"1\"\nc-d = \"1\"";

    fn check(found: Vec<Violation>, expected: &[&str]) {
        let found: Vec<String> = found.iter().map(Violation::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn every_dependency_has_a_reason() {
        let manifest = Manifest::parse("Cargo.toml", ROOT);
        check(undocumented_in("- `b`: why\n- `c-d`: why", &manifest), &[]);
        let expected = "Cargo.toml:4: `c-d` has no entry in docs/dependencies.md";
        check(undocumented_in("- `b`: not c-d\n- `c`: why", &manifest), &[expected]);
    }

    #[test]
    fn every_dependency_has_a_user() {
        let text = "[dev-dependencies]\nc-d = { workspace = true, features = [\"x\"] }";
        let manifest = Manifest::parse("a/Cargo.toml", text);
        let member = Member { name: "a".to_owned(), manifest, edges: Vec::new() };
        let expected = "Cargo.toml:3: `b` is taken by no member";
        check(unused(&Manifest::parse("Cargo.toml", ROOT), &[member]), &[expected]);
    }
}
