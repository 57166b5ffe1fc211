//! A model that is asked once, and learns once.
#![expect(clippy::print_stdout, reason = "it shows what it found")]

use burn::tensor::Device;
use gating_core::{BaseGatingModel, GateConfig, Rewards, Uid};
use gating_encoders::{ModelFiles, SentenceEmbedGatingModel, SentenceEncoder};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = ModelFiles::open("all-MiniLM-L6-v2")?;
    let encoder = SentenceEncoder::load(&files, &Device::flex())?;
    let gate = SentenceEmbedGatingModel::new(encoder, GateConfig::default())?;
    let scores = gate.forward("How do I poach an egg?")?;
    let rewards = Rewards::new(vec![Uid::new(3), Uid::new(8)], vec![0.2, 0.9])?;
    let loss = gate.backward(&scores, &rewards)?;
    println!("best {:?}, loss {loss}", scores.top(2));
    Ok(())
}
