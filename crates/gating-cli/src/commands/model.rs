//! `gating model`: encoders on this machine.

use std::path::Path;

use serde::Serialize;

use crate::args::ModelCommand;
use crate::device;
use crate::failure::{Failure, Kind};
use crate::models::{self, Pooling};
use crate::output::Output;
use crate::settings::Settings;

/// What a model encodes to show that it can.
const MESSAGE: &str = "Who answers this?";

#[derive(Serialize)]
struct Line {
    model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
    folder: String,
}

#[derive(Serialize)]
struct Details {
    model: String,
    folder: String,
    network: String,
    usual_pooling: &'static str,
    fingerprint: String,
}

#[derive(Serialize)]
struct Verdict {
    model: String,
    folder: String,
    /// How many files have the checksum that they should have; others have none that is known.
    checksums: usize,
    network: String,
    hidden_size: usize,
    encoder: String,
}

pub(crate) fn run(
    command: &ModelCommand,
    settings: &Settings,
    output: &Output,
) -> Result<(), Failure> {
    let named = |model: &Option<String>| model.clone().unwrap_or(settings.model_name.clone());
    match command {
        ModelCommand::Pull { model } => {
            let model = named(model);
            let folder = models::pull(&model, output)?;
            print(model, None, &folder, output)
        }
        ModelCommand::List => {
            for (model, revision, folder) in models::list() {
                print(model, Some(revision), &folder, output)?;
            }
            Ok(())
        }
        ModelCommand::Show { model } => show(&named(model), output),
        ModelCommand::Verify { model } => verify(&named(model), settings, output),
    }
}

fn print(
    model: String,
    revision: Option<String>,
    folder: &Path,
    output: &Output,
) -> Result<(), Failure> {
    let line = Line { model, revision, folder: folder.display().to_string() };
    output.result(&line, |Line { model, folder, .. }| format!("{model}\n  {folder}"))
}

fn show(name: &str, output: &Output) -> Result<(), Failure> {
    let located = models::locate(name)?;
    let kind = located.files.kind()?;
    let details = Details {
        folder: located.files.folder().display().to_string(),
        network: kind.to_string(),
        usual_pooling: if kind.is_causal() { "last token" } else { "mean" },
        fingerprint: located.files.fingerprint()?,
        model: located.name,
    };
    output.result(&details, |details| {
        format!(
            "{}\n  folder        {}\n  network       {}\n  usual pooling {}\n  fingerprint   {}",
            details.model,
            details.folder,
            details.network,
            details.usual_pooling,
            details.fingerprint
        )
    })
}

/// Reads all of a model, and uses it once.
fn verify(name: &str, settings: &Settings, output: &Output) -> Result<(), Failure> {
    let located = models::locate(name)?;
    let checksums = models::verify(&located)?;
    let network = located.files.kind()?;
    let pooling = if network.is_causal() { Pooling::LastToken } else { Pooling::Mean };
    let device = device::choose(settings, output)?;
    let encoder = models::load(&located, pooling, (&device, device::dtype(settings)))?;
    let numbers = encoder.encode(MESSAGE)?.to_vec()?;
    if let Some(found) = numbers.iter().find(|number| !number.is_finite()) {
        let message = format!("an embedding holds {found}, expected finite numbers");
        return Err(Failure::new(Kind::Model, anyhow::Error::msg(message)));
    }
    let verdict = Verdict {
        folder: located.files.folder().display().to_string(),
        checksums,
        network: network.to_string(),
        hidden_size: numbers.len(),
        encoder: encoder.id().to_owned(),
        model: located.name,
    };
    output.result(&verdict, |verdict| {
        let Verdict { model, folder, checksums, network, hidden_size, encoder } = verdict;
        let compared = match checksums {
            0 => "none known".to_owned(),
            count => format!("{count} compared"),
        };
        format!(
            "{model} is whole\n  folder        {folder}\n  checksums     {compared}\n  \
             network       {network}, {hidden_size} numbers\n  encoder       {encoder}"
        )
    })
}
