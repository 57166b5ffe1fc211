//! `gating checkpoint`: what a checkpoint knows, whether it is whole, and heads of other programs.

mod export;
mod import;

use std::collections::BTreeMap;
use std::error::Error as _;
use std::path::{Path, PathBuf};

use gating_core::{Checkpoint, CheckpointError, CheckpointFolder, CheckpointStatus, Error};
use serde::Serialize;

use super::metagraph::known;
use crate::args::CheckpointCommand;
use crate::failure::Failure;
use crate::output::{Output, counted};
use crate::settings::Settings;

#[derive(Serialize)]
struct Line<'a> {
    folder: String,
    step: u64,
    encoder: &'a str,
    num_uids: usize,
    hidden_size: usize,
    learning_rate: f64,
    momentum: f64,
    gradient: String,
    identity: String,
    seed: u64,
    metagraph: Option<MetagraphLine>,
    notes: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct MetagraphLine {
    netuid: Option<u16>,
    block: Option<u64>,
    n: usize,
}

#[derive(Serialize)]
struct Verdict {
    folder: String,
    step: u64,
    whole: bool,
    /// Every checkpoint that is kept, from the oldest to the newest.
    checkpoints: Vec<StatusLine>,
}

#[derive(Serialize)]
struct StatusLine {
    file: String,
    newest: bool,
    whole: bool,
    step: Option<u64>,
    /// What is wrong with it, if something is.
    problem: Option<String>,
}

pub(crate) fn run(
    command: &CheckpointCommand,
    settings: &Settings,
    output: &Output,
) -> Result<(), Failure> {
    let or_setting = |folder: &'_ Option<PathBuf>| match folder {
        Some(folder) => Ok(folder.clone()),
        None => settings.checkpoint().map(Path::to_owned),
    };
    match command {
        CheckpointCommand::Show { folder } => {
            let folder = or_setting(folder)?;
            show(&folder, &Checkpoint::read(&folder)?, output)
        }
        CheckpointCommand::Verify { folder, fall_back } => {
            verify(&or_setting(folder)?, *fall_back, output)
        }
        CheckpointCommand::Import(args) => import::run(args, settings, output),
        CheckpointCommand::Export { file, folder } => {
            export::run(file, &or_setting(folder)?, output)
        }
    }
}

fn verify(folder: &Path, may_fall_back: bool, output: &Output) -> Result<(), Failure> {
    let checkpoint = match Checkpoint::read(folder) {
        Err(error @ Error::Checkpoint { .. }) if may_fall_back => fall_back(folder, error, output)?,
        Err(error) => return Err(damaged(folder, error)),
        Ok(checkpoint) => checkpoint,
    };
    let verdict = Verdict {
        folder: folder.display().to_string(),
        step: checkpoint.step(),
        whole: true,
        checkpoints: Checkpoint::verify(folder)?.iter().map(status).collect(),
    };
    output.result(&verdict, |verdict| {
        let damaged = verdict.checkpoints.iter().filter_map(|line| {
            let problem = line.problem.as_deref()?;
            Some(format!("\n{} is damaged: {problem}", line.file))
        });
        let Verdict { folder, step, .. } = verdict;
        format!("{folder} is whole: step {step}{}", damaged.collect::<String>())
    })
}

fn fall_back(folder: &Path, error: Error, output: &Output) -> Result<Checkpoint, Failure> {
    let checkpoint = CheckpointFolder::open(folder)?.fall_back()?;
    let reason = Failure::from(error).line();
    output.warning(format_args!("{reason}; going on from step {}", checkpoint.step()));
    Ok(checkpoint)
}

/// Says which checkpoint could be gone back to, if one can.
fn damaged(folder: &Path, error: Error) -> Failure {
    let is_damage = matches!(error, Error::Checkpoint { .. });
    let is_of_other_version =
        matches!(error, Error::Checkpoint { source: CheckpointError::Version { .. }, .. });
    let failure = Failure::from(error);
    let others = Checkpoint::verify(folder).unwrap_or_default();
    match others.iter().rev().find_map(|status| status.step.as_ref().ok()) {
        Some(step) if is_damage => failure.hint(format!(
            "`gating checkpoint verify {} --fall-back` goes back to step {step}, the newest whole \
             checkpoint",
            folder.display()
        )),
        None if is_damage && !is_of_other_version => {
            failure.hint("restore the folder from a backup, or begin a new one")
        }
        _ => failure,
    }
}

fn status(status: &CheckpointStatus) -> StatusLine {
    let file = status.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let problem = |error: &Error| {
        let causes = std::iter::successors(error.source(), |&error| error.source());
        causes.map(ToString::to_string).last().unwrap_or_else(|| error.to_string())
    };
    StatusLine {
        file,
        newest: status.is_newest,
        whole: status.step.is_ok(),
        step: status.step.as_ref().ok().copied(),
        problem: status.step.as_ref().err().map(problem),
    }
}

fn show(folder: &Path, checkpoint: &Checkpoint, output: &Output) -> Result<(), Failure> {
    let config = checkpoint.config();
    let metagraph = checkpoint.metagraph().map(|metagraph| MetagraphLine {
        netuid: metagraph.netuid(),
        block: metagraph.block(),
        n: metagraph.num_uids(),
    });
    let line = Line {
        folder: folder.display().to_string(),
        step: checkpoint.step(),
        encoder: checkpoint.encoder_id(),
        num_uids: checkpoint.num_uids(),
        hidden_size: checkpoint.hidden_size(),
        learning_rate: config.learning_rate,
        momentum: config.momentum,
        gradient: config.gradient.to_string(),
        identity: config.identity.to_string(),
        seed: config.seed,
        metagraph,
        notes: &checkpoint.notes,
    };
    output.result(&line, text)
}

fn text(line: &Line) -> String {
    let metagraph = match &line.metagraph {
        Some(MetagraphLine { netuid, block, n }) => {
            let uids = counted(*n, "uid");
            format!("subnet {} at block {} ({uids})", known(*netuid), known(*block))
        }
        None => "not known".to_owned(),
    };
    let (uids, numbers) = (counted(line.num_uids, "uid"), counted(line.hidden_size, "number"));
    let mut rows = vec![
        ("folder", line.folder.clone()),
        ("steps", line.step.to_string()),
        ("encoder", line.encoder.to_owned()),
        ("head", format!("{uids} x {numbers}")),
        ("learning rate", line.learning_rate.to_string()),
        ("momentum", line.momentum.to_string()),
        ("gradient", line.gradient.clone()),
        ("identity", line.identity.clone()),
        ("seed", line.seed.to_string()),
        ("rows belong to", metagraph),
    ];
    rows.extend(line.notes.iter().map(|(name, note)| (name.as_str(), note.clone())));
    let rows: Vec<String> =
        rows.into_iter().map(|(name, value)| format!("{name:<31} {value}")).collect();
    rows.join("\n")
}
