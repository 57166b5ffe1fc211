//! `gating learn`: one step from what the asked uids earned.

use gating_core::{BaseGatingModel, Rewards};
use gating_metagraph::Uid;
use serde::Serialize;

use crate::args::LearnArgs;
use crate::device;
use crate::failure::{Failure, Kind};
use crate::output::{Output, counted};
use crate::session::Session;
use crate::settings::Settings;

#[derive(Serialize)]
struct Line {
    step: u64,
    loss: f32,
    uids: usize,
}

pub(crate) fn run(args: &LearnArgs, settings: &Settings, output: &Output) -> Result<(), Failure> {
    let uids: Vec<Uid> = args.uids.iter().copied().map(Uid::new).collect();
    let rewards = Rewards::new(uids, args.rewards.clone())
        .map_err(|error| Failure::new(Kind::Usage, error.into()))?;
    if rewards.uids().len() == 1 {
        output.warning("one uid alone teaches nothing: its softmax is 1 whatever it scores");
    }
    let device = device::choose(settings, output)?;
    let mut session = Session::for_writing(settings, &device, output)?;
    let scores = session.gate.forward(&args.message)?;
    let loss = session.gate.learn(&scores, &rewards)?.value();
    let line = Line { step: session.gate.step(), loss, uids: args.uids.len() };
    let printed = output.result(&line, |Line { step, loss, uids }| {
        format!("step {step}: loss {loss:e} over {}", counted(*uids, "uid"))
    });
    // What could not be told is not kept: whoever sees this fail may try again, and learns once.
    // Nobody who closed stdout waits for the loss.
    match printed {
        Err(failure) if failure.kind != Kind::StdoutClosed => Err(failure),
        printed => session.save().and(printed),
    }
}
