//! `gating resync`: the rows of a checkpoint made new whose uids changed hands.

use std::path::Path;

use burn::tensor::Device;
use gating_core::Resync;
use gating_metagraph::chain::{At, Network, Refusal, Shrink};
use gating_metagraph::{Metagraph, Subnet, Uid};
use serde::Serialize;

use super::node;
use crate::args::ResyncArgs;
use crate::device;
use crate::failure::{Failure, Kind};
use crate::output::{Output, counted};
use crate::session::Session;
use crate::settings::Settings;

/// How often a node is asked again.
const RETRIES: u32 = 3;

/// What a resync did.
#[derive(Serialize)]
pub(super) struct Line {
    kept: usize,
    moved: usize,
    saved: usize,
    replaced: Vec<u16>,
    grown: Vec<u16>,
    removed: Vec<u16>,
    hotkeys_moved: usize,
}

pub(crate) fn run(args: &ResyncArgs, settings: &Settings, output: &Output) -> Result<(), Failure> {
    let metagraph = read(&args.metagraph, settings, output)?;
    if settings.given("netuid").is_some() {
        let asked = Subnet { netuid: Some(settings.netuid), ..Subnet::default() };
        asked.check_same(metagraph.subnet())?;
    }
    let device = device::choose(settings, output)?;
    let shrink = args.shrink.shrink();
    let line = resync(settings.checkpoint()?, &metagraph, shrink, settings, &device, output)?;
    output.result(&line, text)
}

/// Reads a file, or asks a node where there is no such file but a network of that name.
fn read(source: &Path, settings: &Settings, output: &Output) -> Result<Metagraph, Failure> {
    let network = source.to_str().filter(|_| !source.exists()).map(str::parse::<Network>);
    match network {
        Some(Ok(network)) => {
            settings.checkpoint()?;
            node::fetch(network, At::Finalized, RETRIES, settings, output)
        }
        Some(Err(error)) if error.text.contains("://") => {
            Err(Failure::new(Kind::Usage, anyhow::Error::new(error)))
        }
        Some(Err(_)) => Metagraph::read(source).map_err(|error| {
            Failure::from(error).hint("name a file, finney, test, local, or the URL of a node")
        }),
        None => Ok(Metagraph::read(source)?),
    }
}

/// Makes the rows of a checkpoint follow a metagraph.
pub(super) fn resync(
    checkpoint: &Path,
    metagraph: &Metagraph,
    shrink: Shrink,
    settings: &Settings,
    device: &Device,
    output: &Output,
) -> Result<Line, Failure> {
    let session = Session::for_rows(checkpoint, settings, device, output)?;
    let before = session.gate.metagraph();
    let report = match &before {
        Some(before) => {
            let report = session.gate.follow(metagraph)?;
            check_size(before, metagraph, shrink)?;
            report
        }
        None => {
            output
                .note("nobody said whose the rows are: from here on they belong to this metagraph");
            session.gate.attach(metagraph)?
        }
    };
    session.save()?;
    if before.is_none() {
        warn_of_dropped(&report, output);
    }
    Ok(Line::new(&report))
}

/// Refuses a metagraph that would take most rows away, which is seldom meant.
fn check_size(before: &Metagraph, now: &Metagraph, shrink: Shrink) -> Result<(), Failure> {
    match shrink.check(before.num_uids(), now.num_uids()) {
        Err(refusal @ Refusal::Halved { .. }) => {
            let error = anyhow::Error::new(refusal).context("the metagraph is not taken");
            Err(Failure::new(Kind::Metagraph, error).hint("--accept-shrink takes it as it is"))
        }
        // One without uids was refused before.
        _ => Ok(()),
    }
}

/// Warns of rows that a metagraph drops. Where it is the first, the head is as large as somebody said, so
/// that it is no error.
pub(super) fn warn_of_dropped(resync: &Resync, output: &Output) {
    if !resync.removed.is_empty() {
        let dropped = counted(resync.removed.len(), "row");
        output.warning(format_args!("dropped {dropped} of uids that the metagraph does not have"));
    }
}

impl Line {
    fn new(report: &Resync) -> Self {
        let numbers = |uids: &[Uid]| uids.iter().map(|uid| uid.get()).collect();
        Self {
            kept: report.kept,
            moved: report.moved,
            saved: report.saved,
            replaced: numbers(&report.replaced),
            grown: numbers(&report.grown),
            removed: numbers(&report.removed),
            hotkeys_moved: report.hotkeys_moved.len(),
        }
    }
}

/// What a resync did, for people.
pub(super) fn text(line: &Line) -> String {
    let mut text = format!("{} kept, {} moved", counted(line.kept, "row"), line.moved);
    let lists = [("replaced", &line.replaced), ("grown", &line.grown), ("removed", &line.removed)];
    for (what, uids) in lists {
        text.push_str(&format!("\n{} {what}{}", uids.len(), listed(uids)));
    }
    if line.hotkeys_moved > line.moved {
        let left = counted(line.hotkeys_moved - line.moved, "hotkey");
        text.push_str(&format!(
            "\n{left} only moved to another uid; --gating.identity hotkey lets their rows follow"
        ));
    }
    text
}

/// The first uids of a list, for people.
pub(super) fn listed(uids: &[u16]) -> String {
    const SHOWN: usize = 16;
    let mut words: Vec<String> = uids.iter().take(SHOWN).map(u16::to_string).collect();
    if uids.len() > SHOWN {
        words.push("...".to_owned());
    }
    match words.is_empty() {
        true => String::new(),
        false => format!(": {}", words.join(", ")),
    }
}
