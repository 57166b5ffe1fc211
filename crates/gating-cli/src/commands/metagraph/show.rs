//! `gating metagraph show`: who holds which uid, now or over the blocks of a folder.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use gating_metagraph::{Axon, History, Metagraph, MetagraphDiff, Neuron, Rao, Uid};
use serde::Serialize;

use super::{known, read, source};
use crate::failure::Failure;
use crate::output::{Output, counted};

#[derive(Serialize)]
struct Line {
    network: Option<String>,
    genesis: Option<String>,
    netuid: Option<u16>,
    block: Option<u64>,
    block_hash: Option<String>,
    tempo: Option<u64>,
    max_uids: Option<u16>,
    immunity_period: Option<u64>,
    n: usize,
    source: String,
    neurons: Vec<NeuronRecord>,
}

#[derive(Serialize)]
struct NeuronRecord {
    uid: u16,
    hotkey: String,
    coldkey: Option<String>,
    axon: Option<String>,
    axon_version: Option<u32>,
    axon_protocol: Option<u8>,
    axon_block: Option<u64>,
    active: Option<bool>,
    validator_permit: Option<bool>,
    /// The total, by its first name.
    stake_rao: Option<u64>,
    own_alpha_rao: Option<u64>,
    alpha_rao: Option<u64>,
    tao_rao: Option<u64>,
    total_rao: Option<u64>,
    registered_at: Option<u64>,
    last_update: Option<u64>,
}

/// One metagraph of a folder, and how it differs from the one before.
#[derive(Serialize)]
struct Step {
    network: Option<String>,
    netuid: Option<u16>,
    block: Option<u64>,
    n: usize,
    source: String,
    /// Uids with another hotkey than before, those that are new included; none for the first.
    changed: Option<usize>,
    /// How many of their hotkeys were at another uid.
    moved: Option<usize>,
    removed: Option<usize>,
}

pub(super) fn run(files: &[PathBuf], output: &Output) -> Result<(), Failure> {
    match files {
        [folder] if folder.is_dir() => show_history(folder, output),
        files => show(files, output),
    }
}

fn show(files: &[PathBuf], output: &Output) -> Result<(), Failure> {
    let metagraph = read(files)?;
    let subnet = metagraph.subnet();
    let line = Line {
        network: subnet.network.clone(),
        genesis: subnet.genesis.map(|hash| hash.to_string()),
        netuid: subnet.netuid,
        block: subnet.block,
        block_hash: subnet.block_hash.map(|hash| hash.to_string()),
        tempo: subnet.tempo,
        max_uids: subnet.max_uids,
        immunity_period: subnet.immunity_period,
        n: metagraph.num_uids(),
        source: source(files),
        neurons: metagraph.neurons().map(NeuronRecord::from).collect(),
    };
    output.result(&line, text)
}

impl From<(Uid, &Neuron)> for NeuronRecord {
    fn from((uid, neuron): (Uid, &Neuron)) -> Self {
        let rao = |amount: Option<Rao>| amount.map(|Rao(rao)| rao);
        let stake = neuron.stake;
        Self {
            uid: uid.get(),
            hotkey: neuron.hotkey.to_string(),
            coldkey: neuron.coldkey.map(|coldkey| coldkey.to_string()),
            axon: neuron.axon.map(endpoint),
            axon_version: neuron.axon.and_then(|axon| axon.version),
            axon_protocol: neuron.axon.and_then(|axon| axon.protocol),
            axon_block: neuron.axon.and_then(|axon| axon.block),
            active: neuron.active,
            validator_permit: neuron.validator_permit,
            stake_rao: rao(stake.total),
            own_alpha_rao: rao(stake.own_alpha),
            alpha_rao: rao(stake.alpha),
            tao_rao: rao(stake.tao),
            total_rao: rao(stake.total),
            registered_at: neuron.registered_at,
            last_update: neuron.last_update,
        }
    }
}

fn endpoint(axon: Axon) -> String {
    SocketAddr::new(axon.ip, axon.port).to_string()
}

fn text(line: &Line) -> String {
    let network = line.network.as_ref().map_or_else(String::new, |network| format!("{network}, "));
    let (netuid, block) = (known(line.netuid), known(line.block));
    let uids = counted(line.n, "uid");
    let mut text = format!("{network}subnet {netuid}, block {block}, {uids}");
    let title = ["uid", "hotkey", "axon", "permit", "total stake", "registered"];
    let [uid, hotkey, axon, permit, stake, registered] = title;
    text.push_str(&format!(
        "\n{uid:>6} {hotkey:<48} {axon:<21} {permit:<6} {stake:>16} {registered:>10}"
    ));
    for neuron in &line.neurons {
        let NeuronRecord { uid, hotkey, .. } = neuron;
        let axon = neuron.axon.as_deref().unwrap_or("?");
        let permit =
            neuron.validator_permit.map_or("?", |permit| if permit { "yes" } else { "no" });
        let stake = neuron.total_rao.map(|rao| format!("{:.3}", Rao(rao).to_tao()));
        let (stake, registered) = (or_unknown(stake), or_unknown(neuron.registered_at));
        text.push_str(&format!(
            "\n{uid:>6} {hotkey:<48} {axon:<21} {permit:<6} {stake:>16} {registered:>10}"
        ));
    }
    text
}

fn or_unknown<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "?".to_owned(), |value| value.to_string())
}

fn show_history(folder: &Path, output: &Output) -> Result<(), Failure> {
    for history in History::find(folder)? {
        let mut previous: Option<Metagraph> = None;
        for ((_, path), metagraph) in history.files().zip(history.metagraphs()) {
            let context = format!("cannot use {}", path.display());
            let metagraph = metagraph.map_err(|error| Failure::from(error).context(context))?;
            let diff = previous.as_ref().map(|before| MetagraphDiff::between(before, &metagraph));
            output.result(&step(&metagraph, path, diff.transpose()?.as_ref()), step_text)?;
            previous = Some(metagraph);
        }
    }
    Ok(())
}

fn step(metagraph: &Metagraph, path: &Path, diff: Option<&MetagraphDiff>) -> Step {
    Step {
        network: metagraph.subnet().network.clone(),
        netuid: metagraph.netuid(),
        block: metagraph.block(),
        n: metagraph.num_uids(),
        source: path.display().to_string(),
        changed: diff.map(|diff| diff.replaced.len() + diff.added.len()),
        moved: diff.map(|diff| diff.moved.len()),
        removed: diff.map(|diff| diff.removed.len()),
    }
}

fn step_text(step: &Step) -> String {
    let network = step.network.as_ref().map_or_else(String::new, |network| format!("{network}, "));
    let (netuid, block) = (known(step.netuid), known(step.block));
    let uids = counted(step.n, "uid");
    let mut text = format!("{network}subnet {netuid}, block {block}, {uids}");
    if let (Some(changed), Some(moved), Some(removed)) = (step.changed, step.moved, step.removed) {
        text.push_str(&format!(": {changed} changed, {moved} of them moved, {removed} removed"));
    }
    text
}
