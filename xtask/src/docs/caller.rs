//! The settings of whoever calls this, which must not decide what a page shows.

use std::ffi::{OsStr, OsString};
use std::process::Command;

/// The variables of settings that stand in no table.
const ALONE: [&str; 3] = ["CHECKPOINT", "NETUID", "SEED"];

/// How those of all others begin: tables of ours, and of the reference, whose arguments are told of.
const TABLES: [&str; 9] = [
    "AXON__",
    "GATING__",
    "LOGGING__",
    "METAGRAPH__",
    "NEURON__",
    "REWARD__",
    "SUBTENSOR__",
    "WALLET__",
    "WANDB__",
];

/// Takes away what this environment sets. What names weights, drivers and libraries stays.
pub(super) fn without_settings(
    command: &mut Command,
    environment: impl Iterator<Item = (OsString, OsString)>,
) {
    for (variable, _) in environment.filter(|(variable, _)| is_setting(variable)) {
        command.env_remove(variable);
    }
}

fn is_setting(variable: &OsStr) -> bool {
    let variable = variable.to_string_lossy();
    ALONE.contains(&&*variable) || TABLES.iter().any(|table| variable.starts_with(table))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{files, workspace};

    /// The page is held against the program.
    #[test]
    fn every_setting_is_taken_away() {
        let page = workspace::root().join("docs/settings.md");
        let page = files::read_text(&page).expect("it is there");
        let rows = page.lines().filter(|line| line.starts_with("| `--"));
        let variables: Vec<&str> = rows.filter_map(|row| row.split('`').nth(3)).collect();
        assert!(variables.contains(&"GATING__MOMENTUM"), "{variables:?}");
        for variable in variables.iter().filter(|variable| !variable.starts_with("--")) {
            assert!(is_setting(OsStr::new(variable)), "{variable}");
        }
    }

    #[test]
    fn what_is_no_setting_stays() {
        let kept = ["GATING_MINILM", "GATING_SAMPLES", "HF_HOME", "LD_LIBRARY_PATH", "LIBTORCH"];
        let taken = ["GATING__MOMENTUM", "NEURON__NO_SUCH_THING", "SEED", "WANDB__OFF"];
        let environment = kept.into_iter().chain(["PATH", "SEEDS", "VK_DRIVER_FILES"]).chain(taken);
        let environment = environment.map(|name| (OsString::from(name), OsString::from("0")));
        let mut command = Command::new("sh");
        without_settings(&mut command, environment);
        let found: Vec<(&OsStr, Option<&OsStr>)> = command.get_envs().collect();
        assert_eq!(found, taken.map(|name| (OsStr::new(name), None)));
    }
}
