//! `gating metagraph diff`: what changed between two metagraphs.

use std::path::Path;

use gating_metagraph::{Metagraph, MetagraphDiff};
use serde::Serialize;

use super::{known, numbers, read_one};
use crate::commands::resync::listed;
use crate::failure::Failure;
use crate::output::{Output, counted};

/// Which subnet, when, and how large.
#[derive(Serialize)]
pub(super) struct Side {
    netuid: Option<u16>,
    block: Option<u64>,
    n: usize,
}

/// What changed between two metagraphs.
#[derive(Serialize)]
pub(super) struct Line {
    from: Side,
    to: Side,
    replaced: Vec<u16>,
    moved: Vec<MoveRecord>,
    added: Vec<u16>,
    removed: Vec<u16>,
    /// None where a side lacks the registration blocks that would tell.
    swapped: Option<Vec<u16>>,
    /// As above.
    reregistered: Option<Vec<u16>>,
    axon_changed: Vec<u16>,
}

#[derive(Serialize)]
struct MoveRecord {
    hotkey: String,
    from: u16,
    to: u16,
}

pub(super) fn run(from: &Path, to: &Path, output: &Output) -> Result<(), Failure> {
    let (from, to) = (read_one(from)?, read_one(to)?);
    let diff = MetagraphDiff::between(&from, &to)?;
    output.result(&Line::new(&from, &to, &diff), text)
}

/// Whether a metagraph says when its uids were registered.
fn has_registrations(metagraph: &Metagraph) -> bool {
    metagraph.neurons().any(|(_, neuron)| neuron.registered_at.is_some())
}

impl Side {
    pub(super) fn new(metagraph: &Metagraph) -> Self {
        let (netuid, block) = (metagraph.netuid(), metagraph.block());
        Self { netuid, block, n: metagraph.num_uids() }
    }
}

impl Line {
    pub(super) fn new(from: &Metagraph, to: &Metagraph, diff: &MetagraphDiff) -> Self {
        let moved = diff.moved.iter().map(|moved| MoveRecord {
            hotkey: moved.hotkey.to_string(),
            from: moved.from.get(),
            to: moved.to.get(),
        });
        let registered = [from, to].into_iter().all(has_registrations);
        Self {
            from: Side::new(from),
            to: Side::new(to),
            replaced: numbers(&diff.replaced),
            moved: moved.collect(),
            added: numbers(&diff.added),
            removed: numbers(&diff.removed),
            swapped: registered.then(|| numbers(&diff.swapped)),
            reregistered: registered.then(|| numbers(&diff.reregistered)),
            axon_changed: numbers(&diff.axon_changed),
        }
    }
}

fn text(line: &Line) -> String {
    let side = |side: &Side| format!("block {} ({})", known(side.block), counted(side.n, "uid"));
    let netuid = known(line.from.netuid.or(line.to.netuid));
    let mut text = format!("subnet {netuid}: {} -> {}", side(&line.from), side(&line.to));
    let lists = [
        ("replaced", Some(&line.replaced)),
        ("added", Some(&line.added)),
        ("removed", Some(&line.removed)),
        ("swapped", line.swapped.as_ref()),
        ("registered again", line.reregistered.as_ref()),
        ("axon changed", Some(&line.axon_changed)),
    ];
    for (what, uids) in lists {
        text.push_str(&match uids {
            Some(uids) => format!("\n{:>5} {what}{}", uids.len(), listed(uids)),
            None => format!("\n    ? {what}: not known, for lack of registration blocks"),
        });
    }
    text.push_str(&format!("\n{:>5} moved", line.moved.len()));
    for MoveRecord { hotkey, from, to } in &line.moved {
        text.push_str(&format!("\n      {hotkey} from {from} to {to}"));
    }
    text
}
