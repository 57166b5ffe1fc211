//! `gating doctor`: what is compiled in, what is found here, and what is wrong.

use std::time::{Duration, Instant};

use burn::tensor::activation::softmax;
use burn::tensor::{Tensor, TensorData};
use gating_core::{Checkpoint, Error};
use serde::Serialize;

use crate::failure::{Failure, Kind};
use crate::output::{Output, seconds};
use crate::settings::{SettingArgs, Settings};
use crate::{device, models};

/// How far f32 may be from the exact result of the test computation.
const TOLERANCE: f64 = 1e-5;

#[derive(Serialize)]
struct Report {
    version: &'static str,
    target: String,
    threads: usize,
    devices: Vec<DeviceReport>,
    hub_cache: Option<String>,
    models: Vec<String>,
    settings_file: Option<String>,
    settings: String,
    /// What is known of the checkpoint that the settings name.
    checkpoint: Option<String>,
    problems: Vec<String>,
}

#[derive(Serialize)]
struct DeviceReport {
    device: &'static str,
    answers: bool,
    seconds: f64,
    error: f64,
    problem: Option<String>,
}

pub(crate) fn run(args: &SettingArgs, output: &Output) -> Result<(), Failure> {
    let (resolved, settings, wrong) = settings(args);
    let devices: Vec<DeviceReport> = device::COMPILED.iter().map(|name| examine(name)).collect();
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
    problems.extend(failures.into_iter().map(|failure| {
        let causes = std::iter::once(failure.message()).chain(failure.chain());
        causes.collect::<Vec<_>>().join(": ")
    }));
    let cache = models::cache();
    if cache.is_none() {
        problems.push("there is no folder to keep models in: set HOME or HF_HOME".to_owned());
    }
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        devices,
        hub_cache: cache.map(|cache| cache.display().to_string()),
        models: models::list().into_iter().map(|(name, _, _)| name).collect(),
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

/// The checkpoint that the settings name, and why it or the device that they ask for cannot be had.
fn wanted(settings: &Settings) -> (Option<String>, Vec<Failure>) {
    let mut failures: Vec<Failure> =
        device::check_dtype(&settings.dtype).err().into_iter().collect();
    if settings.device != "auto" {
        failures.extend(device::open(&settings.device).err());
    }
    let Some(folder) = &settings.checkpoint else { return (None, failures) };
    let about = match Checkpoint::read(folder) {
        Ok(checkpoint) => {
            let (step, num_uids) = (checkpoint.step(), checkpoint.num_uids());
            format!("{} is whole: step {step}, {num_uids} uids", folder.display())
        }
        Err(Error::NoCheckpoint { .. }) => format!("{} is not there yet", folder.display()),
        Err(error) => {
            failures.push(error.into());
            format!("{} cannot be used", folder.display())
        }
    };
    (Some(about), failures)
}

/// The settings where they are right, how they are, and what is wrong with them.
fn settings(args: &SettingArgs) -> (Option<Settings>, String, Vec<String>) {
    match Settings::resolve(args, &[]) {
        Ok(settings) => {
            let given = settings.entries().filter_map(|(_, entry)| entry);
            let given = given.filter(|entry| entry.is_given()).count();
            (Some(settings), format!("right, {given} given"), Vec::new())
        }
        Err(failure) => {
            let problems = std::iter::once(failure.message()).chain(failure.chain());
            (None, "wrong".to_owned(), problems.collect())
        }
    }
}

/// Runs a small attention on a device and compares it with the same in f64.
fn examine(name: &'static str) -> DeviceReport {
    let (seconds, error, problem) = match measure(name) {
        Ok((time, error)) if error <= TOLERANCE => (time.as_secs_f64(), error, None),
        Ok((time, error)) => {
            let problem = format!("off by {error:e}, expected {TOLERANCE:e}");
            (time.as_secs_f64(), error, Some(problem))
        }
        Err(failure) => (0.0, f64::INFINITY, Some(failure.message())),
    };
    DeviceReport { device: name, answers: problem.is_none(), seconds, error, problem }
}

/// The time of the test computation, and how far it is from the exact result.
fn measure(name: &str) -> Result<(Duration, f64), Failure> {
    const SIZE: usize = 64;
    let device = device::open(name)?;
    let value = |index: usize| ((index * 7 + 3) % 11) as f64 / 11.0 - 0.5;
    let values: Vec<f64> = (0..SIZE * SIZE).map(value).collect();
    let single: Vec<f32> = values.iter().map(|&value| value as f32).collect();
    let data = || TensorData::new(single.clone(), [SIZE, SIZE]);
    let run = || {
        let states = Tensor::<2>::from_data(data(), &device);
        let scores = states.clone().matmul(states.clone().transpose());
        softmax(scores, 1).matmul(states).try_into_vec_as::<f32>()
    };
    run().map_err(gating_core::Error::from)?;
    let start = Instant::now();
    let found = run().map_err(gating_core::Error::from)?;
    let time = start.elapsed();
    let expected = attention(&values, SIZE);
    let error =
        found.iter().zip(&expected).map(|(found, expected)| (f64::from(*found) - expected).abs());
    let error = error.fold(0.0, f64::max);
    Ok((time, error))
}

/// `softmax(x x^T) x`, row by row.
fn attention(states: &[f64], size: usize) -> Vec<f64> {
    let rows: Vec<&[f64]> = states.chunks(size).collect();
    let attend = |query: &&[f64]| -> Vec<f64> {
        let weights = rows
            .iter()
            .map(|key| query.iter().zip(*key).map(|(query, key)| query * key).sum::<f64>().exp());
        let weights: Vec<f64> = weights.collect();
        let sum: f64 = weights.iter().sum();
        let mix =
            |at: usize| weights.iter().zip(&rows).map(|(weight, row)| weight / sum * row[at]).sum();
        (0..size).map(mix).collect()
    };
    rows.iter().flat_map(attend).collect()
}

fn text(report: &Report) -> String {
    let mut lines = vec![format!("gating {} on {}", report.version, report.target)];
    lines.push(format!("threads    {}", report.threads));
    for device in &report.devices {
        let time = seconds(Duration::from_secs_f64(device.seconds));
        lines.push(format!(
            "device     {}: test computation in {time}, error {:.1e}",
            device.device, device.error
        ));
    }
    if report.devices.is_empty() {
        lines.push("device     none is compiled in".to_owned());
    }
    lines.push(format!("models in  {}", report.hub_cache.as_deref().unwrap_or("nowhere")));
    lines.extend(report.models.iter().map(|model| format!("           {model}")));
    let file = report.settings_file.as_deref().unwrap_or("no file");
    lines.push(format!("settings   {} ({file})", report.settings));
    lines.extend(report.checkpoint.iter().map(|checkpoint| format!("checkpoint {checkpoint}")));
    lines.extend(report.problems.iter().map(|problem| format!("problem    {problem}")));
    lines.join("\n")
}
