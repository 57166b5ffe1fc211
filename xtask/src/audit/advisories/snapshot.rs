//! The part of the database that is committed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::{DATABASE, command};
use crate::{files, git, workspace};

/// A folder with what the database knew of our packages on one day.
pub(super) struct Snapshot {
    folder: PathBuf,
}

impl Snapshot {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    pub(super) fn committed() -> Self {
        Self::new(&workspace::root().join("xtask/advisories"))
    }

    /// The advisories, in folders named after packages.
    pub(super) fn crates(&self) -> PathBuf {
        self.folder.join("crates")
    }

    /// Has the day of the database's last change.
    pub(super) fn date(&self) -> PathBuf {
        self.folder.join("date.txt")
    }

    /// Has the names of the packages that the database was asked about, a line for each.
    pub(super) fn packages(&self) -> PathBuf {
        self.folder.join("packages.txt")
    }

    /// Says where it was taken from.
    pub(super) fn source(&self) -> PathBuf {
        self.folder.join("source.txt")
    }

    /// What it is, for people, and what it does not know of these packages.
    pub(super) fn told(&self, locked: &BTreeSet<String>) -> Result<String> {
        let date = files::read_text(&self.date())?;
        let asked = files::read_text(&self.packages())?;
        let asked: BTreeSet<&str> = asked.lines().collect();
        let unasked: Vec<&str> =
            locked.iter().map(String::as_str).filter(|name| !asked.contains(name)).collect();
        let told = format!("the snapshot of {}", date.trim_end());
        Ok(if unasked.is_empty() {
            told
        } else {
            format!("{told}, which does not know {}", unasked.join(", "))
        })
    }

    /// The command that checks against it, for which a repository and a configuration are laid in
    /// a folder: cargo-deny takes a database from git alone.
    pub(super) fn served(&self, folder: &Path) -> Result<Command> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        let (repository, database) = (folder.join("repository"), folder.join("database"));
        self.commit_to(&repository)?;
        let config = files::read_text(&workspace::root().join("deny.toml"))?;
        let own = format!("[advisories]\ndb-path = {:?}\n", slashed(&database));
        ensure!(config.contains("[advisories]\n"), "`deny.toml` has no `[advisories]`");
        let path = folder.join("deny.toml");
        files::replace(&path, &config.replacen("[advisories]\n", &own, 1))?;
        let mut check = command("cargo deny --locked --config");
        check.arg(path).args(["check", "advisories"]);
        let key = format!("url.{}.insteadOf", slashed(&repository));
        git::configure(&mut check, &key, DATABASE)?;
        Ok(check)
    }

    fn commit_to(&self, repository: &Path) -> Result<()> {
        for path in files::under(&self.crates())? {
            let to = repository.join(files::relative(&path, &self.folder));
            fs::create_dir_all(to.parent().expect("it lies below the repository"))?;
            fs::copy(&path, &to).with_context(|| format!("cannot write `{}`", to.display()))?;
        }
        git::output(repository, &["init", "--quiet", "--initial-branch", "main"])?;
        git::output(repository, &["config", "core.autocrlf", "false"])?;
        git::output(repository, &["add", "--force", "."])?;
        let nobody = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"];
        let commit = ["commit", "--quiet", "--no-verify", "--no-gpg-sign", "--message", "Snapshot"];
        git::output(repository, &[&nobody[..], &commit].concat())?;
        Ok(())
    }
}

/// A path as git and TOML take it on every system.
fn slashed(path: &Path) -> String {
    files::relative(path, Path::new(""))
}

#[cfg(test)]
mod tests {
    use std::{env, process};

    use super::super::advisory::Advisory;
    use super::*;

    #[test]
    fn every_advisory_is_one_of_a_package_that_was_asked_about() {
        let snapshot = Snapshot::committed();
        let date = files::read_text(&snapshot.date()).expect("it has a day");
        let packages = files::read_text(&snapshot.packages()).expect("it has packages");
        let packages: Vec<&str> = packages.lines().collect();
        assert!(packages.is_sorted(), "{packages:?}");
        let paths = files::under(&snapshot.crates()).expect("it has advisories");
        assert!(!paths.is_empty());
        for path in paths {
            let text = files::read_text(&path).expect("it can be read");
            let advisory = Advisory::parse(&text).expect("it is an advisory");
            assert_eq!(files::relative(&path, &snapshot.folder), advisory.path());
            assert_eq!(text, advisory.to_string(), "{}", advisory.id);
            assert!(packages.binary_search(&advisory.package.as_str()).is_ok(), "{}", advisory.id);
            assert!(advisory.date.as_str() <= date.trim_end(), "{}", advisory.id);
        }
    }

    #[test]
    fn a_repository_of_its_own_keeps_lines_as_they_are() {
        let folder = env::temp_dir().join(format!("gating-snapshot-{}", process::id()));
        Snapshot::committed().commit_to(&folder).expect("git is there");
        let ask = |arguments: &[&str]| git::output(&folder, arguments).expect("git is there");
        assert_eq!(ask(&["config", "--local", "core.autocrlf"]), "false");
        assert_eq!(ask(&["log", "--format=%s"]), "Snapshot");
        fs::remove_dir_all(&folder).expect("the folder is ours");
    }

    #[test]
    fn packages_that_came_later_are_told() {
        let check = |names: &[&str], expected: &str| {
            let locked = names.iter().map(|name| (*name).to_owned()).collect();
            let told = Snapshot::committed().told(&locked).expect("the snapshot can be read");
            let (_, rest) = told.split_once("the snapshot of 20").expect("it has a day");
            assert_eq!(rest.get("26-10-09".len()..), Some(expected), "{names:?}");
        };
        check(&["anyhow"], "");
        check(&["made-up", "anyhow", "else"], ", which does not know else, made-up");
    }
}
