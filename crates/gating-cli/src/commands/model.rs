//! `gating model`: encoders on this machine.

use std::path::Path;

use serde::Serialize;

use crate::args::ModelCommand;
use crate::failure::Failure;
use crate::models;
use crate::output::Output;
use crate::settings::Settings;

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
