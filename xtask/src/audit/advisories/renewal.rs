//! Takes a new snapshot from the database.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::advisory::Advisory;
use super::snapshot::Snapshot;
use super::{DATABASE, locked};
use crate::counted::counted;
use crate::{files, git, workspace};

/// An advisory that has no name yet.
const DRAFT: &str = "RUSTSEC-0000-0000";

/// Clones the database and keeps what decides on the packages that are locked.
pub(crate) fn renew() -> Result<()> {
    let clone = workspace::root().join("target/advisory-db");
    if clone.exists() {
        fs::remove_dir_all(&clone)?;
    }
    let mut git = git::command(workspace::root());
    git.args(["clone", "--quiet", "--depth", "1", "--branch", "main"]);
    // The parser of advisories takes lines as they were committed.
    git.args(["-c", "core.autocrlf=false", DATABASE]).arg(&clone);
    workspace::run(&mut git)?;
    let snapshot = Snapshot::committed();
    let locked = locked()?;
    let count = take(&clone, &locked, &snapshot)?;
    let packages = counted(locked.len(), "package");
    println!("advisories on {packages}: {count}; {}", snapshot.told(&locked)?);
    Ok(())
}

/// Replaces a snapshot by what a clone of the database has of these packages; says how many
/// advisories it is.
fn take(clone: &Path, packages: &BTreeSet<String>, snapshot: &Snapshot) -> Result<usize> {
    let advisories = read(clone, packages)?;
    ensure!(
        !advisories.is_empty(),
        "the database knows none of {}",
        counted(packages.len(), "package")
    );
    let date = git::output(clone, &["log", "-1", "--format=%cs"])?;
    if snapshot.crates().exists() {
        fs::remove_dir_all(snapshot.crates())?;
    }
    for advisory in &advisories {
        let folder = snapshot.crates().join(&advisory.package);
        fs::create_dir_all(&folder)?;
        files::replace(&folder.join(format!("{}.md", advisory.id)), &advisory.to_string())?;
    }
    let names: String = packages.iter().map(|name| format!("{name}\n")).collect();
    files::replace(&snapshot.packages(), &names)?;
    files::replace(&snapshot.date(), &format!("{date}\n"))?;
    files::replace(&snapshot.source(), &format!("cloned from {DATABASE}\n"))?;
    Ok(advisories.len())
}

fn read(clone: &Path, packages: &BTreeSet<String>) -> Result<Vec<Advisory>> {
    let mut advisories = Vec::new();
    let folders = packages.iter().map(|package| clone.join("crates").join(package));
    for folder in folders.filter(|folder| folder.is_dir()) {
        for path in files::under(&folder)? {
            let path_told = files::relative(&path, clone);
            let text = files::read_text(&path)?;
            let advisory = Advisory::parse(&text).with_context(|| format!("in `{path_told}`"))?;
            let expected = advisory.path();
            ensure!(path_told == expected, "expected `{path_told}` at `{expected}`");
            if advisory.id != DRAFT {
                advisories.push(advisory);
            }
        }
    }
    Ok(advisories)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::{env, process};

    use super::*;

    /// A clone of a database, and a snapshot of it.
    struct Folders(PathBuf);

    impl Folders {
        fn new(name: &str, database: &[(&str, String)]) -> Self {
            let root = env::temp_dir().join(format!("gating-{name}-{}", process::id()));
            let clone = root.join("clone");
            for (path, text) in database {
                let path = clone.join(path);
                fs::create_dir_all(path.parent().expect("it has a folder")).expect("it is made");
                fs::write(&path, text).expect("it is written");
            }
            git::output(&clone, &["init", "--quiet"]).expect("git is there");
            git::output(&clone, &["add", "."]).expect("git is there");
            let mut commit = git::command(&clone);
            commit.args(["-c", "user.name=nobody", "-c", "user.email=nobody@localhost", "commit"]);
            commit.args(["--quiet", "--no-gpg-sign", "--message", "Database"]);
            commit.env("GIT_COMMITTER_DATE", "2026-10-09T12:00:00Z");
            workspace::run(&mut commit).expect("git is there");
            Self(root)
        }

        fn take(&self, packages: &[&str]) -> Result<usize, String> {
            let packages = packages.iter().map(|name| (*name).to_owned()).collect();
            take(&self.0.join("clone"), &packages, &self.snapshot()).map_err(|e| format!("{e:#}"))
        }

        fn snapshot(&self) -> Snapshot {
            Snapshot::new(&self.0.join("snapshot"))
        }

        /// The files of the snapshot, with what they hold.
        fn found(&self) -> Vec<(String, String)> {
            let folder = self.0.join("snapshot");
            let paths = files::under(&folder).expect("it is there").into_iter();
            let text = |path: &Path| files::read_text(path).expect("it can be read");
            paths.map(|path| (files::relative(&path, &folder), text(&path))).collect()
        }
    }

    impl Drop for Folders {
        fn drop(&mut self) {
            // What stays is in a folder for what does not have to.
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn advisory(id: &str, package: &str, rest: &str) -> String {
        let block = format!("id = \"{id}\"\npackage = \"{package}\"\ndate = \"2026-10-08\"\n");
        format!("```toml\n[advisory]\n{block}\n[versions]\npatched = [\">= 2.0.0\"]\n```\n{rest}")
    }

    #[test]
    fn a_snapshot_has_what_decides_on_the_packages() {
        let [draft, one, other] = [DRAFT, "RUSTSEC-2026-0001", "RUSTSEC-2026-0002"];
        let folders = Folders::new(
            "renewal",
            &[
                ("crates/a/RUSTSEC-0000-0000.md", advisory(draft, "a", "\n# A draft\n")),
                ("crates/a/RUSTSEC-2026-0001.md", advisory(one, "a", "\n# A flaw\n\nProse.\n")),
                ("crates/c/RUSTSEC-2026-0002.md", advisory(other, "c", "\n# Not ours\n")),
            ],
        );
        fs::create_dir_all(folders.snapshot().crates().join("old")).expect("it is made");
        assert_eq!(folders.take(&["a", "b"]), Ok(1));
        let title = "\n# See https://rustsec.org/advisories/RUSTSEC-2026-0001.html\n";
        let expected = [
            ("crates/a/RUSTSEC-2026-0001.md", advisory(one, "a", title)),
            ("date.txt", "2026-10-09\n".to_owned()),
            ("packages.txt", "a\nb\n".to_owned()),
            ("source.txt", format!("cloned from {DATABASE}\n")),
        ];
        let expected = expected.map(|(path, text)| (path.to_owned(), text));
        assert_eq!(folders.found(), expected);
        assert!(!folders.snapshot().crates().join("old").exists());

        let none = "the database knows none of 1 package".to_owned();
        assert_eq!(folders.take(&["b"]), Err(none));
        assert_eq!(folders.found(), expected);
    }

    #[test]
    fn a_file_that_lies_elsewhere_is_refused() {
        let text = advisory("RUSTSEC-2026-0001", "b", "");
        let folders = Folders::new("elsewhere", &[("crates/a/RUSTSEC-2026-0001.md", text)]);
        let path = |package| format!("`crates/{package}/RUSTSEC-2026-0001.md`");
        let expected = format!("expected {} at {}", path("a"), path("b"));
        assert_eq!(folders.take(&["a"]), Err(expected));
    }
}
