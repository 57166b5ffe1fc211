//! `gating checkpoint import`: a head that another program learned becomes a checkpoint.

use std::path::{Path, PathBuf};

use gating_core::{Checkpoint, CheckpointFolder, Error, Head};
use gating_metagraph::Metagraph;

use super::show;
use crate::args::ImportArgs;
use crate::commands::metagraph::read_of_subnet;
use crate::device;
use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::session::{self, Session};
use crate::settings::Settings;

/// What the reference writes beside the head: whose the rows are.
const HOTKEYS: &str = "model.torch";

/// What the reference ends the name of a head in; the name of its encoder comes before.
const ENDING: &str = "_gating_linear_layer";

pub(super) fn run(args: &ImportArgs, settings: &Settings, output: &Output) -> Result<(), Failure> {
    let path = settings.checkpoint()?;
    let head = Head::read(&args.file)?;
    check_num_uids(&head, settings)?;
    let metagraph = metagraph(args, settings, output)?;
    warn_of_name(&args.file, settings, output);
    refuse_existing(path, Checkpoint::read(path))?;
    let device = device::choose(settings, output)?;
    let checkpoint = Session::import(settings, head, &device, output).map_err(|failure| {
        let file = args.file.display();
        failure.context(format!("the head in {file} cannot go on with {}", settings.model_name))
    })?;
    let checkpoint = match metagraph {
        Some(metagraph) => checkpoint.with_metagraph(metagraph)?,
        None => checkpoint,
    };
    // The folder is made last: what cannot be imported leaves none behind.
    let folder = CheckpointFolder::open(path)?;
    refuse_existing(path, Checkpoint::read(path))?;
    folder.write(&checkpoint)?;
    show(path, &checkpoint, output)
}

/// A head has as many rows as it has, whatever the settings ask for.
fn check_num_uids(head: &Head, settings: &Settings) -> Result<(), Failure> {
    let (expected, found) = (head.num_uids(), settings.gate.num_uids);
    if settings.given("gating.num_uids").is_none() || expected == found {
        return Ok(());
    }
    let (expected, found) = (expected.to_string(), found.to_string());
    Err(session::refuse(Error::FixedSetting { name: "num_uids", expected, found }, settings))
}

/// Whose the rows are, if a file says it.
fn metagraph(
    args: &ImportArgs,
    settings: &Settings,
    output: &Output,
) -> Result<Option<Metagraph>, Failure> {
    let beside = Some(args.file.with_file_name(HOTKEYS)).filter(|path| path.is_file());
    let Some(path): Option<PathBuf> = args.metagraph.clone().or(beside) else {
        output.note(format_args!(
            "nobody said whose the rows are: there is no {HOTKEYS} beside the head, and no \
             --metagraph; the first resync takes them for those of its metagraph"
        ));
        return Ok(None);
    };
    output.detail(format_args!("whose the rows are: {}", path.display()));
    read_of_subnet(&path, settings).map(Some)
}

/// Says where the name of a file and the settings disagree: a head is of no use with another
/// encoder, even one of the same size.
fn warn_of_name(file: &Path, settings: &Settings, output: &Output) {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    let model = &settings.model_name;
    if let Some(saved) = stem.strip_suffix(ENDING)
        && !Path::new(model).is_dir()
        && saved != model.replace('/', "_")
    {
        let name = file.display();
        output.warning(format_args!(
            "{name} was saved for an encoder `{saved}`, but goes on with {model}"
        ));
    }
}

/// An import takes no checkpoint's place.
fn refuse_existing(folder: &Path, found: Result<Checkpoint, Error>) -> Result<(), Failure> {
    match found {
        Err(Error::NoCheckpoint { .. }) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(_) => {
            let message = format!("there is a checkpoint in {} already", folder.display());
            let failure = Failure::new(Kind::Checkpoint, anyhow::Error::msg(message));
            Err(failure.hint("name another folder with --checkpoint DIR"))
        }
    }
}
