//! The section of the page that compares with PyTorch on a GPU.

use std::collections::BTreeMap;

use super::super::cells::{MISSING, Verdicts, ratio, rounded, significant, table};
use super::super::found::Found;
use super::super::machine::{self, Machine};
use super::super::participant::Peer;
use super::super::rounds::Measured;
use super::super::rows::{Kind, TOLERANCE};
use super::super::statistics::{Spread, median};
use super::BF16_TOLERANCE;

/// The section with a place for every table.
const TEMPLATE: &str = include_str!("page.md");

/// The ratios to the faster peer that must be reached.
const CUDA: f64 = 1.0;
const SHADERS: f64 = 2.0;

/// Everything that the section tells.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) machine: Machine,
    /// The GPU with its driver and its memory.
    pub(super) gpu: String,
    pub(super) found: Vec<Found>,
    /// Names and versions of what was compared.
    pub(super) versions: Vec<(String, String)>,
    pub(super) rounds: usize,
    /// Our devices.
    pub(super) ours: BTreeMap<Peer, String>,
    pub(super) measured: Vec<Measured>,
}

impl Report {
    /// The section as Markdown.
    pub(super) fn section(&self) -> String {
        let mut verdicts = Verdicts::default();
        let more = [("GPU", self.gpu.clone()), ("versions", machine::versions(&self.versions))];
        let places = [
            ("{f32}", self.table("f32", &mut verdicts)),
            ("{bf16}", self.table("bf16", &mut verdicts)),
            ("{summary}", verdicts.summary()),
            ("{ours}", self.ours()),
            ("{found}", Found::table(&self.found)),
            ("{machine}", self.machine.table(&more)),
            ("{rounds}", self.rounds.to_string()),
            ("{f32_tolerance}", format!("{TOLERANCE:.0e}")),
            ("{bf16_tolerance}", format!("{BF16_TOLERANCE:.0e}")),
            ("{cuda_target}", CUDA.to_string()),
            ("{shaders_target}", SHADERS.to_string()),
        ];
        let section = TEMPLATE.to_owned();
        places.into_iter().fold(section, |section, (place, text)| section.replace(place, &text))
    }

    /// Where ours computes.
    fn ours(&self) -> String {
        let device = |(peer, name): (&Peer, &String)| match peer {
            Peer::Shaders => format!("by shaders is `{name}`"),
            _ => format!("is `{name}`"),
        };
        self.ours.iter().map(device).collect::<Vec<_>>().join(", and ")
    }

    /// The rows of one kind of numbers; shaders take part in f32.
    fn table(&self, dtype: &str, verdicts: &mut Verdicts) -> String {
        let mut ours = vec![(Peer::Ours, CUDA)];
        let mut head = vec!["encoder, batch x tokens", "PyTorch eager", "PyTorch SDPA"];
        head.extend(["ours", "ratio", "target"]);
        if dtype == "f32" {
            ours.push((Peer::Shaders, SHADERS));
            head.extend(["by shaders", "ratio", "target"]);
        }
        head.push("difference");
        let of = |measured: &&Measured| matches!(measured.row.kind, Kind::Gpu { dtype: found, .. } if found == dtype);
        let rows = self.measured.iter().filter(of);
        table(&head, rows.map(|measured| cells(measured, &ours, verdicts)))
    }
}

fn cells(measured: &Measured, ours: &[(Peer, f64)], verdicts: &mut Verdicts) -> Vec<String> {
    let mut cells = vec![measured.row.name.clone()];
    cells.extend([Peer::Eager, Peer::Sdpa].map(|peer| milliseconds(measured.of(peer))));
    for &(peer, target) in ours {
        let spread = Spread::of_ratios(measured.of(peer), &faster(measured));
        let verdict = spread.map_or(MISSING.to_owned(), |spread| {
            verdicts.judge(&target.to_string(), rounded(spread.median) <= target)
        });
        cells.extend([milliseconds(measured.of(peer)), ratio(spread), verdict]);
    }
    let found = [Peer::Ours, Peer::Shaders].map(|peer| measured.differences.get(&peer));
    let worst = found.into_iter().flatten().copied().reduce(f64::max);
    cells.push(worst.map_or(MISSING.to_owned(), |worst| format!("{worst:.0e}")));
    cells
}

/// The seconds of the faster peer in every round.
fn faster(measured: &Measured) -> Vec<f64> {
    let [eager, sdpa] = [Peer::Eager, Peer::Sdpa].map(|peer| measured.of(peer));
    eager.iter().zip(sdpa).map(|(eager, sdpa)| eager.min(*sdpa)).collect()
}

fn milliseconds(seconds: &[f64]) -> String {
    median(seconds).map_or(MISSING.to_owned(), |seconds| significant(seconds * 1e3))
}
