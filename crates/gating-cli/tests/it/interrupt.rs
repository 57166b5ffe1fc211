//! A run that saves every step, killed at any moment: what it leaves behind always loads.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use gating_core::Checkpoint;

use crate::fixture::{place, tiny};

const KILLS: u32 = 50;

/// Kills the process without a chance to clean up (`SIGKILL` on Unix).
fn kill(mut child: Child) {
    child.kill().expect("the run goes on until it is killed");
    child.wait().expect("a killed process ends");
}

#[test]
fn a_killed_run_leaves_a_checkpoint_that_loads() {
    let place = place();
    let (model, state) = (tiny("tiny-bert"), place.path().join("state"));
    let args = ["demo", "--gating.model_name", &model, "--checkpoint", "state"];
    let endless = ["--steps", "100000000", "--save-every", "1", "--format", "json"];
    let mut steps = Vec::new();
    for round in 0..KILLS {
        let mut command = place.command(&[&args[..], &endless].concat());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.expect("the command can be started");
        // Wait for some saves of this run, other counts from round to round, and then a moment.
        let (mut last, mut saves) = (steps.last().copied(), 0);
        let start = Instant::now();
        while saves < 1 + round % 8 {
            assert!(start.elapsed() < Duration::from_secs(60), "no save in round {round}");
            let found = Checkpoint::read(&state).ok().map(|checkpoint| checkpoint.step());
            saves += u32::from(found.is_some() && found != last);
            last = found.or(last);
        }
        let moment = Duration::from_micros(u64::from(round) * 977 % 10_000);
        let start = Instant::now();
        while start.elapsed() < moment {
            std::hint::spin_loop();
        }
        kill(child);
        let checkpoint = Checkpoint::read(&state);
        let checkpoint = checkpoint.unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert!(checkpoint.step() > 0);
        steps.push(checkpoint.step());
    }
    let verify = place.run(&["checkpoint", "verify", "state"]);
    assert_eq!(verify.code, Some(0), "{verify:?}");
    steps.sort_unstable();
    steps.dedup();
    assert!(steps.len() > 5, "the kills came at different moments: {steps:?}");
}
