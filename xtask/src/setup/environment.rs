//! What building and running with prepared devices need to be told.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

/// Where the loader of Linux looks for libraries first.
const SEARCH_PATH: &str = "LD_LIBRARY_PATH";

/// Environment variables; as text, lines that a shell takes.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    variables: Vec<(&'static str, OsString)>,
    /// Folders of libraries, which go before those that are searched already.
    libraries: Vec<PathBuf>,
}

impl Environment {
    pub(super) fn with(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    pub(super) fn with_libraries(mut self, folder: PathBuf) -> Self {
        self.libraries.push(folder);
        self
    }

    /// This one, and then the other.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.variables.extend(other.variables);
        self.libraries.extend(other.libraries);
        self
    }

    /// Gives a command the variables.
    pub(crate) fn give(&self, command: &mut Command) -> Result<()> {
        let searched = env::var_os(SEARCH_PATH).unwrap_or_default();
        let searched = env::split_paths(&searched).filter(|path| !path.as_os_str().is_empty());
        let libraries = env::join_paths(self.libraries.iter().cloned().chain(searched));
        let libraries = libraries.context("a folder of libraries has a colon in its name")?;
        command.env(SEARCH_PATH, libraries);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        Ok(())
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.variables {
            writeln!(f, "export {name}={}", quoted(&value.to_string_lossy()))?;
        }
        if self.libraries.is_empty() {
            return Ok(());
        }
        let libraries = self.libraries.iter().map(|folder| quoted(&folder.to_string_lossy()));
        let libraries = libraries.collect::<Vec<_>>().join(":");
        // The shell adds its own: cargo adds folders to those that this process has.
        writeln!(f, "export {SEARCH_PATH}={libraries}${{{SEARCH_PATH}:+:${SEARCH_PATH}}}")
    }
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:+,@".contains(c);
    if word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(environment: Environment, expected: &str) {
        assert_eq!(environment.to_string(), expected);
    }

    #[test]
    fn a_shell_takes_the_lines() {
        let driver = || Environment::default().with("VK_DRIVER_FILES", "/mesa/lvp icd.json");
        let libtorch = || Environment::default().with("LIBTORCH", "/it's here");
        let path = |environment: Environment, folder: &str| {
            environment.with_libraries(PathBuf::from(folder))
        };
        let rest = "${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}";
        check(driver(), "export VK_DRIVER_FILES='/mesa/lvp icd.json'\n");
        check(libtorch(), "export LIBTORCH='/it'\\''s here'\n");
        check(path(Environment::default(), "/a"), &format!("export LD_LIBRARY_PATH=/a{rest}\n"));
        let both = path(Environment::default().with("A", "1"), "/a b")
            .and(path(Environment::default().with("B", "2"), "/c"));
        let lines = format!("export A=1\nexport B=2\nexport LD_LIBRARY_PATH='/a b':/c{rest}\n");
        check(both, &lines);
    }

    #[test]
    fn a_command_searches_the_folders_first() {
        let environment = Environment::default().with("A", "1").with_libraries("/first".into());
        let mut command = Command::new("true");
        environment.give(&mut command).expect("paths can be joined");
        let given = |name: &str| {
            let value = command.get_envs().find(|(given, _)| *given == name);
            value.and_then(|(_, value)| value).map(|value| value.to_string_lossy().into_owned())
        };
        assert_eq!(given("A").as_deref(), Some("1"));
        let path = given(SEARCH_PATH).expect("it is given");
        assert_eq!(env::split_paths(&path).next(), Some(PathBuf::from("/first")));
    }
}
