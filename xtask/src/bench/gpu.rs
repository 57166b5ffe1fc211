//! The comparison with PyTorch on a GPU.

mod page;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use self::page::Report;
use super::found::Found;
use super::machine::{self, Machine};
use super::model::Model;
use super::participant::{Participant, Peer};
use super::rounds::{self, Outcome};
use super::rows::{self, Case, Kind, Row};
use super::setup::{self, GPT_NEO, PARTICIPANT, Programs, Stage};
use super::{rounds_after, sections};
use crate::{folder, text_after, unknown, workspace};

const BATCHES: [usize; 3] = [1, 32, 256];
const TOKENS: [usize; 2] = [64, 256];

/// How far bf16 may be from PyTorch's, as a share of the largest number: a rounding is 4e-3, and
/// twelve layers add some of them up. PyTorch's own ways of attention are 2e-2 apart for one message.
const BF16_TOLERANCE: f64 = 1e-1;

/// What is to be compared, and with which programs.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    /// How often every row is measured.
    rounds: usize,
    /// Texts of which a row's name must contain one; none for all rows.
    only: Vec<String>,
    /// Where all-MiniLM-L6-v2 lies.
    model: Option<PathBuf>,
    /// Our program, built with the features of its devices.
    participant: Option<PathBuf>,
    /// A Python with torch and transformers.
    python: Option<PathBuf>,
    /// Ours on these devices instead of a GPU; without a GPU, PyTorch takes the processor.
    devices: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        let (only, devices) = (Vec::new(), Vec::new());
        Self { rounds: 15, only, model: None, participant: None, python: None, devices }
    }
}

impl Options {
    pub(super) fn parse(arguments: &[OsString]) -> Result<Self> {
        let mut chosen = Self::default();
        let mut arguments = arguments.iter();
        while let Some(option) = arguments.next() {
            let mut text = || text_after(option, arguments.next());
            match option.to_str() {
                Some("--only") => chosen.only.push(text()?),
                Some("--participant") => chosen.participant = Some(absolute(&text()?)?),
                Some("--python") => chosen.python = Some(absolute(&text()?)?),
                Some("--device") => chosen.devices.push(text()?),
                Some("--rounds") => chosen.rounds = rounds_after(arguments.next())?,
                Some("--model") => chosen.model = Some(folder(arguments.next())?),
                _ => return Err(unknown(option)),
            }
        }
        Ok(chosen)
    }

    /// Whether the page is to hold what comes out.
    fn is_whole(&self) -> bool {
        self.only.is_empty() && self.devices.is_empty()
    }
}

/// Programs are called from the root folder.
fn absolute(path: &str) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("`{path}` names no file"))
}

/// Measures all rows, ours and theirs in turn, and writes the section of the page.
pub(super) fn run(options: &Options) -> Result<()> {
    let load = machine::load();
    let gpu = gpu();
    ensure!(
        gpu.is_some() || !options.devices.is_empty(),
        "found no GPU: `nvidia-smi` does not run or lists none"
    );
    let (stage, found) = GpuStage::find(options, gpu.is_some())?;
    let peers = [Peer::Eager, Peer::Sdpa].into_iter().chain(stage.ours.keys().copied());
    let rows = stage.rows(&peers.collect::<Vec<_>>(), options)?;
    ensure!(!rows.is_empty(), "no row is named like {:?}", options.only);
    let teller = *stage.ours.keys().next().context("no device of ours was chosen")?;
    let outcome = rounds::run(&stage, &[teller, Peer::Eager], rows, options.rounds)?;
    let Outcome { versions, measured } = outcome;
    let machine = Machine::look(machine::threads(), load);
    let gpu = gpu.unwrap_or_else(|| "none".to_owned());
    let rounds = options.rounds;
    let report = Report { machine, gpu, found, versions, rounds, ours: stage.ours, measured };
    match options.is_whole() {
        true => sections::write("gpu", &report.section()),
        false => sections::write_part(&report.section()),
    }
}

/// The first GPU of NVIDIA, its driver and its memory; none where the driver does not answer.
fn gpu() -> Option<String> {
    let mut command = Command::new("nvidia-smi");
    command.args(["--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]);
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty())
}

/// The programs, and where they compute.
#[derive(Debug)]
struct GpuStage {
    programs: Programs,
    /// The device of the peers, as PyTorch names it.
    theirs: &'static str,
    /// Ours, by how it computes.
    ours: BTreeMap<Peer, String>,
}

impl GpuStage {
    /// Asks our program for its devices before anything is downloaded.
    fn find(options: &Options, has_gpu: bool) -> Result<(Self, Vec<Found>)> {
        let built = || workspace::built("release", PARTICIPANT);
        let participant = options.participant.clone().map_or_else(built, Ok)?;
        ensure!(
            participant.exists(),
            "found no program `{}`; `cargo build --release --workspace --bin {PARTICIPANT} \
             --features libtorch,wgpu` builds it",
            participant.display()
        );
        let mut asked = Participant::start(Peer::Ours, &mut Command::new(&participant))?;
        let found = asked.devices()?;
        let ours = choose(&found, &options.devices)?;
        let python = options.python.clone().map_or_else(setup::python, Ok)?;
        let theirs = if has_gpu { "cuda" } else { "cpu" };
        Ok((Self { programs: Programs { python, participant }, theirs, ours }, found))
    }

    /// The wanted rows; makes the models that are missing.
    fn rows(&self, peers: &[Peer], options: &Options) -> Result<Vec<Row>> {
        let gating = workspace::built("release", "gating")?;
        let minilm = setup::minilm_folder(options.model.clone(), &gating)?;
        setup::prepare(&self.programs.python, None)?;
        let minilm = Model::sentence("MiniLM", &minilm)?;
        let gpt_neo = Model::last_token("GPT-Neo", &setup::models().join(GPT_NEO))?;
        let mut rows = all(&[&minilm, &gpt_neo], peers);
        rows.retain(|row| rows::is_wanted(&row.name, &options.only));
        Ok(rows)
    }
}

impl Stage for GpuStage {
    fn start(&self, peer: Peer) -> Result<Participant> {
        let mut command = match (peer, self.ours.get(&peer)) {
            (Peer::Eager, _) => self.programs.peer("eager", self.theirs),
            (Peer::Sdpa, _) => self.programs.peer("sdpa", self.theirs),
            (_, Some(device)) => self.programs.ours(device),
            _ => bail!("{peer} does not take part on a GPU"),
        };
        Participant::start(peer, &mut command)
    }
}

/// Which devices of ours take part: those that are wanted, or the GPUs that are found.
fn choose(found: &[Found], wanted: &[String]) -> Result<BTreeMap<Peer, String>> {
    let names: Vec<String> = match wanted {
        [] => gpus(found),
        _ => wanted.to_vec(),
    };
    let found: Vec<String> = found.iter().map(Found::sentence).collect();
    ensure!(!names.is_empty(), "our program finds no GPU, but {}", found.join(", "));
    let mut chosen = BTreeMap::new();
    for name in names {
        if let Some(other) = chosen.insert(peer(&name), name.clone()) {
            bail!("expected one device by shaders and one other, found `{other}` and `{name}`");
        }
    }
    Ok(chosen)
}

/// The first GPU by CUDA, of LibTorch before Burn's own, and the first by shaders: in SPIR-V where they are compiled in.
fn gpus(found: &[Found]) -> Vec<String> {
    let is_gpu = |device: &&Found| matches!(&device.about, Ok(about) if !about.is_software);
    let first = |family: &str| {
        let is_of = |device: &&Found| device.name.starts_with(family);
        Some(found.iter().filter(is_gpu).find(is_of)?.name.clone())
    };
    let shaders = first("vulkan").or_else(|| first("wgpu"));
    let cuda = first("libtorch:cuda").or_else(|| first("burn:cuda"));
    cuda.into_iter().chain(shaders).collect()
}

fn peer(name: &str) -> Peer {
    let is_shaders = name.starts_with("wgpu") || name.starts_with("vulkan");
    if is_shaders { Peer::Shaders } else { Peer::Ours }
}

/// Every row. Shaders compute in f32 alone.
fn all(models: &[&Model], peers: &[Peer]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (dtype, tolerance) in [("f32", rows::TOLERANCE), ("bf16", BF16_TOLERANCE)] {
        let mut peers = peers.to_vec();
        peers.retain(|peer| dtype == "f32" || *peer != Peer::Shaders);
        if !peers.contains(&Peer::Ours) && !peers.contains(&Peer::Shaders) {
            continue;
        }
        for model in models {
            for (batch, length) in BATCHES.into_iter().flat_map(|b| TOKENS.map(|t| (b, t))) {
                let lengths = vec![length; batch];
                let name = format!("{} {batch}x{length} {dtype}", model.name);
                let kind = Kind::Gpu { tokens: batch * length, dtype };
                let cases = vec![Case::encode(model, &lengths).in_dtype(dtype)];
                rows.push(Row { name, kind, peers: peers.clone(), cases, tolerance });
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests;
