//! `gating doctor`: what is compiled in, what is found here, and what is wrong.

mod devices;

use std::path::PathBuf;

use gating_core::{Checkpoint, Error};
use gating_devices::DeviceFamily;
use serde::Serialize;

use crate::failure::{Failure, Kind};
use crate::output::{Output, counted};
use crate::session::model_name;
use crate::settings::{SettingArgs, Settings};
use crate::{device, models};
use devices::DeviceReport;

#[derive(Serialize)]
struct Report {
    version: &'static str,
    target: String,
    threads: usize,
    compiled: String,
    devices: Vec<DeviceReport>,
    hub_cache: Option<String>,
    models: Vec<ModelReport>,
    settings_file: Option<String>,
    settings: String,
    /// What is known of the checkpoint that the settings name.
    checkpoint: Option<String>,
    problems: Vec<String>,
}

/// A model on this machine.
#[derive(Serialize)]
struct ModelReport {
    model: String,
    folder: String,
}

pub(crate) fn run(args: &SettingArgs, output: &Output) -> Result<(), Failure> {
    let (resolved, settings, wrong) = settings(args);
    let devices = devices::examine();
    let (checkpoint, failures) = resolved.as_ref().map(wanted).unwrap_or_default();
    let kind = match failures.first() {
        _ if !wrong.is_empty() => Kind::Configuration,
        Some(failure) => failure.kind,
        None => Kind::Device,
    };
    let mut problems = wrong;
    problems.extend(devices.iter().filter_map(|report| {
        let problem = report.problem.as_ref()?;
        Some(format!("device {}: {problem}", report.device))
    }));
    problems.extend(failures.iter().map(Failure::line));
    let cache = models::cache();
    if cache.is_none() {
        problems.push("there is no folder to keep models in: set HOME or HF_HOME".to_owned());
    }
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        compiled: DeviceFamily::compiled(),
        devices,
        hub_cache: cache.map(|cache| cache.display().to_string()),
        models: models::list().into_iter().map(ModelReport::new).collect(),
        settings_file: Settings::file(args).map(|file| file.display().to_string()),
        settings,
        checkpoint,
        problems,
    };
    output.result(&report, text)?;
    if report.problems.is_empty() {
        return Ok(());
    }
    let message = format!("the doctor found problems: {}", report.problems.len());
    Err(Failure::new(kind, anyhow::Error::msg(message)))
}

impl ModelReport {
    fn new((model, _, folder): (String, String, PathBuf)) -> Self {
        Self { model, folder: folder.display().to_string() }
    }
}

/// The checkpoint that the settings name, and why it, its model or the device that they ask for cannot
/// be had.
fn wanted(settings: &Settings) -> (Option<String>, Vec<Failure>) {
    let mut failures: Vec<Failure> = device::open(settings).err().into_iter().collect();
    let read =
        settings.checkpoint.as_ref().map(|folder| (folder.display(), Checkpoint::read(folder)));
    let checkpoint = read.as_ref().and_then(|(_, checkpoint)| checkpoint.as_ref().ok());
    let located = model_name(settings, checkpoint).map(models::locate);
    failures.extend(located.and_then(Result::err));
    let about = read.map(|(folder, checkpoint)| match checkpoint {
        Ok(checkpoint) => {
            let (step, uids) = (checkpoint.step(), counted(checkpoint.num_uids(), "uid"));
            format!("{folder} is whole: step {step}, {uids}")
        }
        Err(Error::NoCheckpoint { .. }) => format!("{folder} is not there yet"),
        Err(error) => {
            failures.push(error.into());
            format!("{folder} cannot be used")
        }
    });
    (about, failures)
}

/// The settings where they are right, how they are, and what is wrong with them.
fn settings(args: &SettingArgs) -> (Option<Settings>, String, Vec<String>) {
    match Settings::resolve(args, &[]) {
        Ok(settings) => {
            let given = settings.entries().filter_map(|(_, entry)| entry);
            let given = given.filter(|entry| entry.is_given()).count();
            (Some(settings), format!("right, {given} given"), Vec::new())
        }
        Err(failure) => (None, "wrong".to_owned(), failure.problems()),
    }
}

fn text(report: &Report) -> String {
    let mut lines = vec![format!("gating {} on {}", report.version, report.target)];
    lines.push(format!("threads    {}", report.threads));
    lines.push(format!("compiled   {}", report.compiled));
    lines.extend(report.devices.iter().flat_map(DeviceReport::lines));
    lines.push(format!("hub cache  {}", report.hub_cache.as_deref().unwrap_or("nowhere")));
    let model = |ModelReport { model, folder }: &_| format!("           {model} in {folder}");
    lines.extend(report.models.iter().map(model));
    let file = report.settings_file.as_deref().unwrap_or("no file");
    lines.push(format!("settings   {} ({file})", report.settings));
    lines.extend(report.checkpoint.iter().map(|checkpoint| format!("checkpoint {checkpoint}")));
    lines.extend(report.problems.iter().map(|problem| format!("problem    {problem}")));
    lines.join("\n")
}
