//! What a validator does with the model: a step, and a resync.
#![expect(clippy::print_stdout, reason = "it shows what it found")]

use burn::tensor::Device;
use gating_core::{BaseGatingModel, GateConfig, Rewards};
use gating_encoders::{GatingModel, LastTokenEncoder, ModelFiles};
use gating_metagraph::{Metagraph, Uid};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let encoder = LastTokenEncoder::load(&ModelFiles::open("gpt-neo-125m")?, &Device::flex())?;
    let model = GatingModel::new(encoder, GateConfig::default())?;
    let scores = model.forward("How do I poach an egg?")?;
    let rewards = Rewards::new(vec![Uid::new(3), Uid::new(8)], vec![0.2, 0.9])?;
    let loss = model.backward(&scores, &rewards)?;
    let previous = Metagraph::read("before.json".as_ref())?;
    let resync = model.resync(&previous, &Metagraph::read("after.json".as_ref())?)?;
    println!("loss {loss}, {resync:?}");
    Ok(())
}
