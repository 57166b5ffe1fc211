//! Git, on the repository of one folder.

use std::env;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace;

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

/// How many pairs of a key and a value the environment configures git with.
const COUNT: &str = "GIT_CONFIG_COUNT";

/// Git, to be called in a folder.
pub(crate) fn command(folder: &Path) -> Command {
    let mut git = workspace::program("git");
    without_hook(git.current_dir(folder));
    git
}

/// Has a command, and the git that it may call, work on the repository that it is called in, and on no
/// other.
pub(crate) fn without_hook(command: &mut Command) {
    OF_HOOKS.iter().for_each(|variable| _ = command.env_remove(variable));
}

/// Runs git in a folder and takes what it prints, without white space around it.
pub(crate) fn output(folder: &Path, arguments: &[&str]) -> Result<String> {
    let output = workspace::output(command(folder).args(arguments))?;
    Ok(String::from_utf8(output).context("git prints no UTF-8")?.trim().to_owned())
}

/// Configures the git that a command calls, behind what the environment does so already.
pub(crate) fn configure(command: &mut Command, key: &str, value: &str) -> Result<()> {
    configure_behind(command, env::var_os(COUNT).as_deref(), key, value)
}

fn configure_behind(
    command: &mut Command,
    count: Option<&OsStr>,
    key: &str,
    value: &str,
) -> Result<()> {
    // Git takes none for 0 too.
    let text = count.unwrap_or_default().to_string_lossy();
    let count: usize = match text.as_ref() {
        "" => 0,
        text => text.parse().with_context(|| format!("`{COUNT}` is `{text}`"))?,
    };
    command.env(COUNT, (count + 1).to_string());
    command.env(format!("GIT_CONFIG_KEY_{count}"), key);
    command.env(format!("GIT_CONFIG_VALUE_{count}"), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_does_not_choose_the_repository() {
        let git = command(Path::new("here"));
        let removed = |name: &str| git.get_envs().any(|it| it == (OsStr::new(name), None));
        assert!(["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"].into_iter().all(removed));
        assert_eq!(git.get_current_dir(), Some(Path::new("here")));
    }

    #[test]
    fn what_the_environment_configures_stays() {
        let check = |count: Option<&str>, expected: [(&str, &str); 3]| {
            let mut command = Command::new("git");
            configure_behind(&mut command, count.map(OsStr::new), "a.b", "c").expect("a count");
            let expected =
                expected.map(|(name, value)| (OsStr::new(name), Some(OsStr::new(value))));
            assert!(command.get_envs().eq(expected), "{command:?}");
        };
        let first = [(COUNT, "1"), ("GIT_CONFIG_KEY_0", "a.b"), ("GIT_CONFIG_VALUE_0", "c")];
        check(None, first);
        check(Some(""), first);
        check(Some("2"), [(COUNT, "3"), ("GIT_CONFIG_KEY_2", "a.b"), ("GIT_CONFIG_VALUE_2", "c")]);
        let error = configure_behind(&mut Command::new("git"), Some(OsStr::new("x")), "a.b", "c");
        assert_eq!(error.expect_err("no count").to_string(), "`GIT_CONFIG_COUNT` is `x`");
    }
}
