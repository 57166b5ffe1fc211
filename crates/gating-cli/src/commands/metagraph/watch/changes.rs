//! What changed in a network, for people.

use std::net::SocketAddr;

use gating_metagraph::{Axon, Metagraph, MetagraphDiff, Uid};

use crate::commands::metagraph::known;
use crate::output::counted;

/// How many changes are told one by one.
const SHOWN: usize = 20;

/// A line for each uid that changed, up to a limit.
pub(super) fn text(previous: &Metagraph, metagraph: &Metagraph, diff: &MetagraphDiff) -> String {
    let mut lines = Vec::new();
    let uids = [&diff.replaced, &diff.added, &diff.removed, &diff.reregistered, &diff.axon_changed];
    let mut uids: Vec<Uid> = uids.into_iter().flatten().copied().collect();
    uids.sort_unstable();
    uids.dedup();
    for uid in uids.iter().take(SHOWN) {
        lines.push(format!("\n  uid {uid}: {}", change(*uid, previous, metagraph, diff)));
    }
    if uids.len() > SHOWN {
        lines.push(format!("\n  and {} more", uids.len() - SHOWN));
    }
    let (block, count) = (known(metagraph.block()), uids.len());
    let all = counted(metagraph.num_uids(), "uid");
    format!("block {block}: {count} of {all} changed{}", lines.concat())
}

fn change(uid: Uid, previous: &Metagraph, metagraph: &Metagraph, diff: &MetagraphDiff) -> String {
    let (before, now) = (previous.neuron(uid), metagraph.neuron(uid));
    let (Some(before), Some(now)) = (before, now) else {
        let (what, neuron) = if now.is_some() { ("added", now) } else { ("removed", before) };
        return format!("{what} {}", known(neuron.map(|neuron| neuron.hotkey)));
    };
    if before.hotkey == now.hotkey {
        let endpoint =
            |axon: Option<Axon>| known(axon.map(|axon| SocketAddr::new(axon.ip, axon.port)));
        return match diff.reregistered.contains(&uid) {
            true => format!("{} was registered again", now.hotkey),
            false => format!("axon {} -> {}", endpoint(before.axon), endpoint(now.axon)),
        };
    }
    let moved = diff.moved.iter().find(|moved| moved.to == uid);
    let how = match (moved, diff.swapped.contains(&uid)) {
        (Some(moved), _) => format!("moved from uid {}", moved.from),
        (None, true) => "the same owner's new key".to_owned(),
        (None, false) => "replaced".to_owned(),
    };
    format!("{} -> {} ({how})", before.hotkey, now.hotkey)
}
