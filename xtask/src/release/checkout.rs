//! A folder that git knows, and what git and cargo are asked there.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{files, workspace};

/// Who commits where git knows nobody, as on a server that only tries a release.
const NOBODY: [&str; 2] = ["nobody", "nobody@localhost"];

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
        let mut git = Command::new("git");
        let output = workspace::output(git.current_dir(&self.root).args(arguments))?;
        Ok(String::from_utf8(output).context("git prints no UTF-8")?.trim().to_owned())
    }

    /// The cargo that runs this task; what it builds stays in this folder.
    pub(super) fn cargo(&self) -> Command {
        let mut cargo = workspace::cargo();
        cargo.current_dir(&self.root).env_remove("CARGO_TARGET_DIR");
        cargo
    }

    /// The newest tag of this form that the history has.
    pub(super) fn last_tag(&self, pattern: &str) -> Option<String> {
        let mut git = Command::new("git");
        git.current_dir(&self.root).args(["describe", "--tags", "--abbrev=0", "--match", pattern]);
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

    /// Fetches a tag of a clone and goes on to it, which must be a fast-forward.
    pub(super) fn take(&self, clone: &Self, branch: &str, tag: &str) -> Result<()> {
        let author = clone.git(&["config", "--get", "user.email"])?;
        ensure!(author != NOBODY[1], "git knows no `user.name` and `user.email`");
        let folder = clone.root.to_str().context("the path of the clone is no UTF-8")?;
        let reference = format!("refs/tags/{tag}:refs/tags/{tag}");
        self.git(&["fetch", "--quiet", folder, branch, &reference])?;
        self.git(&["merge", "--quiet", "--ff-only", "FETCH_HEAD"])?;
        Ok(())
    }
}
