//! The most memory that a process needs to load a model and encode one message.

use anyhow::Result;

use super::model::Model;
use super::participant::Peer;
use super::rows::{self, Case};
use super::setup::{Setup, Stage};

const PEERS: [Peer; 4] = [Peer::Eager, Peer::Sdpa, Peer::Onnx, Peer::Ours];

/// How many tokens the message has.
const TOKENS: usize = 64;

/// What each participant needed for one model.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) name: String,
    /// The size of the weights file in bytes.
    pub(super) weights: u64,
    /// The most bytes that each ever had; none where the system does not tell.
    pub(super) peaks: Vec<(Peer, Option<u64>)>,
}

/// Starts every participant anew for each model of a wanted row.
pub(super) fn run(setup: &Setup, only: &[String]) -> Result<Vec<Memory>> {
    let models = [&setup.minilm, &setup.gpt_neo].into_iter();
    let wanted = models.filter(|model| rows::is_wanted(&name(model), only));
    wanted.map(|model| measure(setup, model)).collect()
}

fn name(model: &Model) -> String {
    format!("memory {}", model.name)
}

fn measure(setup: &Setup, model: &Model) -> Result<Memory> {
    println!("measuring {}", name(model));
    let request = Case::encode(model, &[TOKENS]).request(None);
    let peak = |peer| {
        let mut participant = setup.start(peer)?;
        participant.ask(&request)?;
        Ok((peer, participant.peak()))
    };
    let peaks = PEERS.into_iter().map(peak).collect::<Result<_>>()?;
    Ok(Memory { name: model.name.to_owned(), weights: model.bytes, peaks })
}
