//! A folder that git knows, and what git and cargo are asked there.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{files, workspace};

/// Who commits where git knows nobody, as on a server that only tries a release.
const NOBODY: [&str; 2] = ["nobody", "nobody@localhost"];

/// What has git work on the repository of a hook that it calls, wherever that calls it again; the rest of
/// `git rev-parse --local-env-vars` configures it, and stays.
const OF_HOOKS: [&str; 11] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// A working tree with its repository.
pub(super) struct Checkout {
    root: PathBuf,
}

impl Checkout {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(super) fn read(&self, name: &str) -> Result<String> {
        files::read_text(&self.path(name))
    }

    /// Runs git and takes what it prints, without white space around it.
    pub(super) fn git(&self, arguments: &[&str]) -> Result<String> {
        let output = workspace::output(self.program("git").args(arguments))?;
        Ok(String::from_utf8(output).context("git prints no UTF-8")?.trim().to_owned())
    }

    /// A program that works on this repository and on no other.
    fn program(&self, name: &str) -> Command {
        let mut program = Command::new(name);
        program.current_dir(&self.root);
        OF_HOOKS.iter().for_each(|variable| _ = program.env_remove(variable));
        program
    }

    /// The cargo that runs this task; what it builds stays in this folder.
    pub(super) fn cargo(&self) -> Command {
        let mut cargo = workspace::cargo();
        cargo.current_dir(&self.root);
        for variable in OF_HOOKS.iter().chain(&["CARGO_BUILD_TARGET_DIR", "CARGO_TARGET_DIR"]) {
            cargo.env_remove(variable);
        }
        cargo
    }

    /// Whether git knows who commits here.
    pub(super) fn knows_author(&self) -> bool {
        let is_known = |key| self.git(&["config", "--get", key]).is_ok_and(|it| !it.is_empty());
        ["user.name", "user.email"].into_iter().all(is_known)
    }

    /// What is not committed, as a problem.
    pub(super) fn unclean(&self) -> Result<Option<String>> {
        let changes = self.git(&["status", "--porcelain", "--untracked-files=normal"])?;
        Ok(match changes.lines().collect::<Vec<_>>().as_slice() {
            [] => None,
            [only] => Some(format!("not committed: {}", name(only))),
            [first, further @ ..] => {
                Some(format!("not committed: {} and {} more", name(first), further.len()))
            }
        })
    }

    /// The newest tag of this form that the history has.
    pub(super) fn last_tag(&self, pattern: &str) -> Option<String> {
        let mut git = self.program("git");
        git.args(["describe", "--tags", "--abbrev=0", "--match", pattern]);
        let output = git.output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
    }

    /// A clone of what is checked out, on a branch of this name, whose commits have the same author.
    pub(super) fn clone_to(&self, folder: &Path, branch: &str) -> Result<Self> {
        let home = self.root.to_str().context("the path of the workspace is no UTF-8")?;
        let target = folder.to_str().context("the path of the clone is no UTF-8")?;
        self.git(&["clone", "--quiet", "--local", home, target])?;
        let clone = Self::new(folder);
        clone.git(&["checkout", "--quiet", "-B", branch])?;
        for (key, nobody) in ["user.name", "user.email"].iter().zip(NOBODY) {
            let known = self.git(&["config", "--default", nobody, "--get", key])?;
            clone.git(&["config", key, &known])?;
        }
        Ok(clone)
    }

    /// Fetches a tag of a clone and goes on to it, which must be a fast-forward; else neither is done.
    pub(super) fn take(&self, clone: &Self, tag: &str) -> Result<()> {
        let folder = clone.root.to_str().context("the path of the clone is no UTF-8")?;
        let reference = format!("refs/tags/{tag}");
        let refspec = format!("{reference}:{reference}");
        // A tag of this name that came meanwhile is an error: it is not replaced.
        self.git(&["fetch", "--quiet", "--no-tags", folder, &refspec])?;
        let merged = self.git(&["merge", "--quiet", "--ff-only", &reference]);
        if merged.is_err() {
            self.git(&["tag", "--delete", tag])?;
        }
        merged.map(|_| ())
    }
}

/// The name in a line of `git status --porcelain`, behind two letters; [`Checkout::git`] may have taken
/// the first away, as a space.
fn name(line: &str) -> &str {
    line.trim_start().split_once(' ').map_or(line, |(_, name)| name.trim_start())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn a_hook_does_not_choose_the_repository() {
        let checkout = Checkout::new(Path::new("here"));
        for command in [checkout.program("git"), checkout.cargo()] {
            let removed = |name: &str| command.get_envs().any(|it| it == (OsStr::new(name), None));
            assert!(["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"].into_iter().all(removed));
            assert_eq!(command.get_current_dir(), Some(Path::new("here")));
        }
    }

    #[test]
    fn a_line_of_git_has_a_name() {
        let check = |line, expected| assert_eq!(name(line), expected, "{line}");
        check("?? one/new.txt", "one/new.txt");
        check(" M a b.rs", "a b.rs");
        check("M a.rs", "a.rs");
        check("R  a.rs -> b.rs", "a.rs -> b.rs");
    }
}
