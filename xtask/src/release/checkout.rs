//! A folder that git knows, and what git and cargo are asked there.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{files, git, workspace};

/// Who commits where git knows nobody, as on a server that only tries a release.
const NOBODY: [&str; 2] = ["nobody", "nobody@localhost"];

/// The settings that say who makes a commit, and what git is asked for them.
const IDENTITIES: [(&str, &str); 2] =
    [("author", "GIT_AUTHOR_IDENT"), ("committer", "GIT_COMMITTER_IDENT")];

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
        git::output(&self.root, arguments)
    }

    /// The cargo that runs this task; what it builds stays in this folder.
    pub(super) fn cargo(&self) -> Command {
        let mut cargo = workspace::cargo();
        git::without_hook(cargo.current_dir(&self.root));
        cargo.env_remove("CARGO_BUILD_TARGET_DIR").env_remove("CARGO_TARGET_DIR");
        cargo
    }

    /// Whether git knows who commits here.
    pub(super) fn knows_author(&self) -> bool {
        IDENTITIES.iter().all(|(_, variable)| self.identity(variable).is_some())
    }

    /// Name and mail that git was told, by its settings or the environment; not what it would guess.
    fn identity(&self, variable: &str) -> Option<[String; 2]> {
        let identity = self.answer(&["-c", "user.useConfigOnly=true", "var", variable])?;
        let (name, rest) = identity.split_once(" <")?;
        let (email, _) = rest.split_once('>')?;
        Some([name, email].map(str::to_owned))
    }

    /// What git prints, where it does not fail.
    fn answer(&self, arguments: &[&str]) -> Option<String> {
        let output = git::command(&self.root).args(arguments).output().ok()?;
        let text = output.status.success().then(|| String::from_utf8(output.stdout))?;
        Some(text.ok()?.trim().to_owned())
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

    /// Whether a revision has a line of this form in files of this form.
    pub(super) fn has_line(&self, revision: &str, line: &str, files: &str) -> Result<bool> {
        let mut git = git::command(&self.root);
        git.args(["grep", "--quiet", "-e", line, revision, "--", files]);
        let status = git.status().context("cannot run `git grep`")?;
        match status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => bail!("`git grep` in `{revision}` ended with {status}"),
        }
    }

    /// The newest tag of this form that the history has.
    pub(super) fn last_tag(&self, pattern: &str) -> Option<String> {
        self.answer(&["describe", "--tags", "--abbrev=0", "--match", pattern])
    }

    /// A clone of what is checked out, on a branch of this name, whose commits have the same author.
    pub(super) fn clone_to(&self, folder: &Path, branch: &str) -> Result<Self> {
        let home = self.root.to_str().context("the path of the workspace is no UTF-8")?;
        let target = folder.to_str().context("the path of the clone is no UTF-8")?;
        self.git(&["clone", "--quiet", "--local", home, target])?;
        let clone = Self::new(folder);
        clone.git(&["checkout", "--quiet", "-B", branch])?;
        for (who, variable) in IDENTITIES {
            let [name, email] = self.identity(variable).unwrap_or(NOBODY.map(str::to_owned));
            clone.git(&["config", &format!("{who}.name"), &name])?;
            clone.git(&["config", &format!("{who}.email"), &email])?;
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
        let cargo = Checkout::new(Path::new("here")).cargo();
        let removed = |name: &str| cargo.get_envs().any(|it| it == (OsStr::new(name), None));
        assert!(["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"].into_iter().all(removed));
        assert_eq!(cargo.get_current_dir(), Some(Path::new("here")));
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
