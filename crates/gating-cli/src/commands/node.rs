//! Nodes that are asked for metagraphs.

use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use gating_metagraph::Metagraph;
use gating_metagraph::chain::{self, At, Backoff, Client, ClientConfig, Network};

use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::settings::Settings;

/// The metagraph of the subnet that the settings name.
pub(super) fn fetch(
    network: Network,
    at: At,
    retries: u32,
    settings: &Settings,
    output: &Output,
) -> Result<Metagraph, Failure> {
    let nodes = network.endpoints().len();
    let mut client = client(network, retries, settings);
    output.detail(format_args!("asking {}", client.endpoint()));
    let metagraph = client.metagraph(settings.netuid, at).map_err(|error| refused(error, nodes))?;
    output.detail(format_args!("{} answered", client.endpoint()));
    Ok(metagraph)
}

/// The error names the node that failed last: those before it failed too.
fn refused(error: chain::Error, nodes: usize) -> Failure {
    let failure = Failure::from(error);
    match nodes > 1 && failure.kind == Kind::Network {
        true => failure.context(format!("none of the {nodes} nodes could be used")),
        false => failure,
    }
}

/// A client whose waits differ from those of every other one, unless a seed is given.
pub(super) fn client(network: Network, retries: u32, settings: &Settings) -> Client {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = match settings.given("seed") {
        Some(_) => settings.gate.seed,
        None => now.as_nanos() as u64 ^ u64::from(process::id()) << 32,
    };
    let backoff = Backoff { seed, ..Backoff::default() };
    Client::new(network, ClientConfig { backoff, retries, ..ClientConfig::default() })
}
