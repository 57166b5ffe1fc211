//! Every device side by side, as criterion measures them.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::cells::{significant, table};
use super::chart::{chart, distinct};
use super::estimates::{self, Estimate, REFERENCE};
use super::found::Found;
use super::machine::{self, Machine};
use super::participant::{Participant, Peer};
use super::saved::{Changes, Saved};
use super::sections;
use super::setup::{self, GPT_NEO, PARTICIPANT};
use super::statistics::Spread;
use crate::{files, text_after, unknown, workspace};

/// The section with a place for every table.
const TEMPLATE: &str = include_str!("devices.md");

/// The device of what computes in the host's memory.
const HOST: &str = "host";

/// What is to be measured, and compared with what.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    /// Features of cargo that compile further devices in.
    features: Option<String>,
    /// A text that an id must contain, as criterion takes it.
    only: Option<String>,
    /// The name to keep the run under.
    save: Option<String>,
    /// The name of the run to compare with.
    against: Option<String>,
    /// By how much a benchmark may be slower than in that run, in percent.
    threshold: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { features: None, only: None, save: None, against: None, threshold: 10.0 }
    }
}

impl Options {
    pub(super) fn parse(arguments: &[OsString]) -> Result<Self> {
        let (mut chosen, mut threshold) = (Self::default(), None);
        let mut arguments = arguments.iter();
        while let Some(option) = arguments.next() {
            let mut text = || text_after(option, arguments.next());
            match option.to_str() {
                Some("--features") => chosen.features = Some(text()?),
                Some("--only") => chosen.only = Some(text()?),
                Some("--save") => chosen.save = Some(text()?),
                Some("--against") => chosen.against = Some(text()?),
                Some("--threshold") => threshold = Some(percent(&text()?)?),
                _ => return Err(unknown(option)),
            }
        }
        ensure!(
            threshold.is_none() || chosen.against.is_some(),
            "expected `--against` beside `--threshold`"
        );
        Ok(Self { threshold: threshold.unwrap_or(chosen.threshold), ..chosen })
    }
}

fn percent(text: &str) -> Result<f64> {
    let percent = text.parse().ok().filter(|percent: &f64| percent.is_finite() && *percent >= 0.0);
    percent.context("expected a number of percent after `--threshold`")
}

/// Runs the benchmarks, writes the section of the page with its charts, and compares.
pub(super) fn run(options: &Options) -> Result<()> {
    let load = machine::load();
    let earlier = options.against.as_deref().map(Saved::read).transpose()?;
    let found = found(options)?;
    let estimates = measure(options)?;
    ensure!(!estimates.is_empty(), "criterion measured nothing");
    let machine = Machine::look(machine::threads(), load);
    let run = Saved::new(&machine, &estimates);
    let report = Report { machine, found, features: options.features.clone(), estimates };
    report.write(options.only.is_some())?;
    if let Some(name) = &options.save {
        run.write(name)?;
    }
    earlier.map_or(Ok(()), |earlier| compare(&run, &earlier, options.threshold))
}

/// Builds our participant, which tells what devices there are.
fn found(options: &Options) -> Result<Vec<Found>> {
    let mut build = workspace::cargo();
    // With the whole workspace and its benchmarks, so that nothing is built for other features.
    build.args(["build", "--release", "--workspace", "--locked", "--bin", PARTICIPANT]);
    build.args(["--bench", "encoders", "--bench", "head"]);
    workspace::run(with_features(&mut build, options))?;
    let program = workspace::built("release", PARTICIPANT)?;
    Participant::start(Peer::Ours, &mut workspace::program(program))?.devices()
}

fn with_features<'a>(command: &'a mut Command, options: &Options) -> &'a mut Command {
    match &options.features {
        Some(features) => command.args(["--features", features]),
        None => command,
    }
}

/// Has criterion measure, in a folder of its own that holds no earlier run.
fn measure(options: &Options) -> Result<Vec<Estimate>> {
    let folder = workspace::root().join("target/benchmarks/criterion");
    if folder.exists() {
        fs::remove_dir_all(&folder).context("cannot remove the last run of criterion")?;
    }
    fs::create_dir_all(&folder).context("cannot make `target/benchmarks`")?;
    let mut command = workspace::cargo();
    command.args(["bench", "--workspace", "--locked", "--bench", "encoders", "--bench", "head"]);
    with_features(&mut command, options);
    if let Some(only) = &options.only {
        command.args(["--", only]);
    }
    let gpt_neo = setup::models().join(GPT_NEO);
    if env::var_os("GATING_GPT_NEO").is_none() && gpt_neo.exists() {
        command.env("GATING_GPT_NEO", gpt_neo);
    }
    workspace::run(command.env("CRITERION_HOME", &folder))?;
    estimates::read(&folder)
}

/// Fails where a benchmark is slower past the threshold.
fn compare(run: &Saved, earlier: &Saved, percent: f64) -> Result<()> {
    let Changes { table, slower } = run.since(earlier, percent / 100.0);
    println!("before: {}\nnow: {}\n\n{table}", earlier.about(), run.about());
    match slower.as_slice() {
        [] => Ok(()),
        [first, ..] => {
            let count = slower.len();
            bail!("{count} of the benchmarks slower by more than {percent} %, first `{first}`")
        }
    }
}

/// Everything that the section tells.
#[derive(Debug)]
struct Report {
    machine: Machine,
    found: Vec<Found>,
    features: Option<String>,
    /// In the order in which they are shown.
    estimates: Vec<Estimate>,
}

impl Report {
    /// Writes the section and its charts; those of a part lie beside its page.
    fn write(&self, is_part: bool) -> Result<()> {
        let folder = workspace::root().join(if is_part { "target" } else { "docs" });
        let charts = self.charts();
        remove_charts(&folder)?;
        for (name, svg) in &charts {
            files::replace(&folder.join(name), svg)?;
        }
        match is_part {
            true => sections::write_part(&self.section()),
            false => sections::write("devices", &self.section()),
        }
    }

    fn section(&self) -> String {
        let features = self.features.as_ref();
        let options = features.map_or(String::new(), |list| format!(" --features {list}"));
        let places = [
            ("{devices}", Found::table(&self.found)),
            ("{groups}", self.groups()),
            ("{machine}", self.machine.table(&[])),
            ("{options}", options),
        ];
        let section = TEMPLATE.to_owned();
        places.into_iter().fold(section, |section, (place, text)| section.replace(place, &text))
    }

    /// The estimates of each group, in the order in which they are shown.
    fn by_group(&self) -> Vec<(&str, Vec<&Estimate>)> {
        let groups = distinct(self.estimates.iter().map(|estimate| estimate.group.as_str()));
        let of = |group| self.estimates.iter().filter(move |estimate| estimate.group == group);
        groups.into_iter().map(|group| (group, of(group).collect())).collect()
    }

    fn groups(&self) -> String {
        let group = |(name, estimates): (&str, Vec<&Estimate>)| {
            let chart = has_chart(&estimates)
                .then(|| format!("![The medians of {name} as a chart]({})\n\n", chart_name(name)));
            format!("### {name}\n\n{}{}", chart.unwrap_or_default(), compared(&estimates))
        };
        self.by_group().into_iter().map(group).collect::<Vec<_>>().join("\n\n")
    }

    /// The charts of those groups that depend on a device.
    fn charts(&self) -> BTreeMap<String, String> {
        let groups = self.by_group().into_iter().filter(|(_, estimates)| has_chart(estimates));
        groups.map(|(name, estimates)| (chart_name(name), chart(&estimates))).collect()
    }
}

fn has_chart(estimates: &[&Estimate]) -> bool {
    estimates.iter().any(|estimate| estimate.device != HOST)
}

fn chart_name(group: &str) -> String {
    format!("benchmarks-{group}.svg")
}

/// Removes the charts of an earlier run, which may have had other groups.
fn remove_charts(folder: &Path) -> Result<()> {
    let is_chart = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("benchmarks-") && name.ends_with(".svg")
    };
    let entries = fs::read_dir(folder).with_context(|| format!("`{}`", folder.display()))?;
    for path in entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()? {
        if is_chart(&path) {
            fs::remove_file(&path).with_context(|| format!("`{}`", path.display()))?;
        }
    }
    Ok(())
}

/// A line for each size, with the devices beside each other.
fn compared(estimates: &[&Estimate]) -> String {
    let mut devices = distinct(estimates.iter().map(|estimate| estimate.device.as_str()));
    devices.sort_by_key(|device| *device != REFERENCE);
    let sizes = distinct(estimates.iter().map(|estimate| estimate.size.as_str()));
    let is_compared = |device: &str| device != REFERENCE && devices[0] == REFERENCE;
    let mut head = vec!["size".to_owned()];
    for device in &devices {
        head.push(format!("{device}, ms"));
        head.extend(is_compared(device).then(|| "to cpu".to_owned()));
    }
    let row = |size: &str| {
        let of = |device: &str| {
            let is_it = |it: &&&Estimate| it.size == size && it.device == device;
            estimates.iter().find(is_it).map(|estimate| estimate.spread)
        };
        let mut cells = vec![size.to_owned()];
        for device in &devices {
            cells.push(of(device).map_or(String::new(), milliseconds));
            cells.extend(is_compared(device).then(|| ratio(of(device), of(REFERENCE))));
        }
        cells
    };
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    table(&head, sizes.into_iter().map(row))
}

fn milliseconds(spread: Spread) -> String {
    let [lower, median, upper] =
        [spread.lower, spread.median, spread.upper].map(|seconds| significant(seconds * 1e3));
    format!("{median} ({lower} to {upper})")
}

/// The ratio of two medians, where both were measured.
fn ratio(of: Option<Spread>, to: Option<Spread>) -> String {
    let ratio = of.zip(to).map(|(of, to)| of.median / to.median);
    ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"))
}

#[cfg(test)]
mod tests;
