//! Saved metagraphs of a subnet over time, applied at their blocks.

use std::path::{Path, PathBuf};

use gating_core::{Encoder, Gate, Resync};
use gating_metagraph::chain::{Refusal, Shrink};
use gating_metagraph::{History as Saved, Metagraph, Subnet};

use crate::failure::{Failure, Kind};

/// Metagraphs of one subnet, in the order of their blocks. They are read again as they are due, so
/// that only one is held at a time.
#[derive(Debug)]
pub(crate) struct History {
    files: Vec<(u64, PathBuf)>,
    /// How many of them are applied, or too old to be.
    passed: usize,
}

impl History {
    /// Finds the metagraphs in a folder, and reads each of them once.
    ///
    /// # Errors
    ///
    /// When there are none of the subnet, or of several, or one cannot be read.
    pub(crate) fn read(folder: &Path, netuid: Option<u16>) -> Result<Self, Failure> {
        let wanted = Subnet { netuid, ..Subnet::default() };
        let (mut found, mut refused) = (Vec::new(), None);
        for saved in Saved::find(folder)? {
            match check(&saved, &wanted) {
                Ok(()) => found.push(saved),
                Err(failure) => refused = Some(failure),
            }
        }
        match (&found[..], refused) {
            ([saved], _) => {
                let files = saved.files().map(|(block, path)| (block, path.to_owned()));
                Ok(Self { files: files.collect(), passed: 0 })
            }
            ([], Some(failure)) => Err(failure),
            _ => {
                let folders = found.iter().map(|saved| saved.folder().display().to_string());
                let message = format!("{} holds several subnets", folder.display());
                Err(Failure::new(Kind::Usage, anyhow::Error::msg(message))
                    .causes(folders.collect())
                    .hint("name the folder of one of them, or its number with --netuid"))
            }
        }
    }

    /// Applies every metagraph that was saved until a block, and tells what each did.
    ///
    /// Where it is not known since when the rows belong to whom, only the last of them says so.
    pub(crate) fn apply(
        &mut self,
        gate: &Gate<impl Encoder>,
        block: u64,
    ) -> Result<Vec<(u64, Resync)>, Failure> {
        let due = self.files.partition_point(|(saved, _)| *saved <= block);
        let latest = gate.metagraph().as_deref().and_then(Metagraph::block);
        let mut resyncs = Vec::new();
        while self.passed < due {
            let (saved, path) = &self.files[self.passed];
            self.passed += 1;
            let is_applied = latest.is_some_and(|latest| *saved <= latest);
            let is_first = latest.is_none() && resyncs.is_empty();
            if is_applied || (is_first && self.passed < due) {
                continue;
            }
            let metagraph = read(*saved, path)?;
            let resync = match gate.metagraph() {
                None => gate.attach(&metagraph),
                Some(before) => {
                    check_size(&before, &metagraph).map_err(|failure| refuse(path, failure))?;
                    gate.follow(&metagraph)
                }
            };
            let resync = resync.map_err(|error| refuse(path, error))?;
            resyncs.push((*saved, resync));
        }
        Ok(resyncs)
    }

    /// How many metagraphs wait for their block; those before the one of the rows do not.
    pub(crate) fn num_waiting(&self, rows: Option<u64>) -> usize {
        let is_newer = |block: u64| rows.is_none_or(|rows| block > rows);
        self.files[self.passed..].iter().filter(|(block, _)| is_newer(*block)).count()
    }
}

/// Reads every metagraph once, and refuses those of another subnet.
fn check(saved: &Saved, wanted: &Subnet) -> Result<(), Failure> {
    let mut expected = wanted.clone();
    for (metagraph, (_, path)) in saved.metagraphs().zip(saved.files()) {
        let metagraph = metagraph.map_err(|error| refuse(path, error))?;
        expected.check_same(metagraph.subnet()).map_err(|error| refuse(path, error))?;
        expected.netuid = expected.netuid.or(metagraph.netuid());
    }
    Ok(())
}

/// Refuses a metagraph that would take most rows away, which is more likely a file cut short.
fn check_size(before: &Metagraph, now: &Metagraph) -> Result<(), Failure> {
    match Shrink::Refuse.check(before.num_uids(), now.num_uids()) {
        Err(refusal @ Refusal::Halved { .. }) => {
            let error = anyhow::Error::new(refusal).context("the metagraph is not taken");
            Err(Failure::new(Kind::Metagraph, error).hint(
                "remove the file if it is not whole; `gating resync --accept-shrink` takes it as it is",
            ))
        }
        // One without uids is refused by the gate.
        _ => Ok(()),
    }
}

/// Reads a metagraph; its block is that of its name, where it does not hold it itself.
fn read(block: u64, path: &Path) -> Result<Metagraph, Failure> {
    let metagraph = Metagraph::read(path).map_err(|error| refuse(path, error))?;
    if metagraph.block().is_some() {
        return Ok(metagraph);
    }
    let subnet = Subnet { block: Some(block), ..metagraph.subnet().clone() };
    let neurons = metagraph.neurons().map(|(_, neuron)| neuron.clone()).collect();
    Metagraph::with_subnet(subnet, neurons).map_err(|error| refuse(path, error))
}

fn refuse(path: &Path, error: impl Into<Failure>) -> Failure {
    error.into().context(format!("cannot apply {}", path.display()))
}
