//! `gating metagraph fetch`: a snapshot from a node.

use std::path::Path;

use gating_metagraph::chain::At;
use serde::Serialize;

use super::diff::Side;
use super::known;
use crate::args::FetchArgs;
use crate::commands::node;
use crate::failure::Failure;
use crate::output::{Output, counted};
use crate::settings::Settings;

#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    side: Side,
    file: String,
}

pub(super) fn run(args: &FetchArgs, settings: &Settings, output: &Output) -> Result<(), Failure> {
    let at = args.block.map_or(At::Finalized, At::Block);
    let network = args.node.network.clone();
    let metagraph = node::fetch(network, at, args.retries, settings, output)?;
    let Some(path) = args.output.as_deref().filter(|path| *path != Path::new("-")) else {
        return output.print(format!("{}\n", metagraph.to_json()).as_bytes());
    };
    metagraph.write(path)?;
    let line = Line { side: Side::new(&metagraph), file: path.display().to_string() };
    output.result(&line, |line| {
        let (netuid, block) = (known(metagraph.netuid()), known(metagraph.block()));
        let uids = counted(metagraph.num_uids(), "uid");
        format!("subnet {netuid}, block {block}, {uids}: written to {}", line.file)
    })
}
