//! Replays that are killed or interrupted, and go on.

#[cfg(unix)]
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;
#[cfg(unix)]
use std::process::{Child, ChildStdin, Command};
#[cfg(unix)]
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
#[cfg(unix)]
use std::thread;
use std::time::{Duration, Instant};

use gating_core::Checkpoint;

#[cfg(unix)]
use super::Place;
use super::logs::log;
use super::{LEARN, assert_same, place, split, tiny};

/// How long a run may live: from before it reads anything until behind some saves.
const LIVES: u64 = 37;

#[test]
fn a_killed_replay_ends_where_one_that_was_left_alone_does() {
    let place = place();
    let path = place.write("plain.jsonl", &log(600));
    let (_, whole) = split(&place.replay(&[&path, "--checkpoint", "whole"]));
    let tiny = tiny("tiny-bert");
    let model = ["--gating.model_name", &tiny, "--format", "json"];
    let args = ["replay", &path, "--checkpoint", "state", "--save-every", "3"];
    let state = place.path().join("state");
    let mut steps = Vec::new();
    let run = loop {
        let mut command = place.command(&[&args[..], &model, &LEARN].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command can be started");
        // A run that has saved lives on for a moment that differs from run to run.
        let earlier = steps.last().copied().unwrap_or(0);
        let start = Instant::now();
        let has_saved =
            || Checkpoint::read(&state).is_ok_and(|checkpoint| checkpoint.step() > earlier);
        while !has_saved() && child.try_wait().expect("it can be asked").is_none() {
            assert!(start.elapsed() < Duration::from_secs(60), "no save in run {}", steps.len());
        }
        let start = Instant::now();
        let moment = Duration::from_micros(steps.len() as u64 % LIVES * 971);
        while start.elapsed() < moment {
            std::hint::spin_loop();
        }
        if child.try_wait().expect("it can be asked").is_some() {
            break child.wait_with_output().expect("it has ended");
        }
        child.kill().expect("the run goes on until it is killed");
        child.wait().expect("a killed process ends");
        steps.push(place.checkpoint("state").step());
    };
    assert!(run.status.success(), "{run:?}");
    assert!(steps.len() > 5, "it was killed often: {steps:?}");
    assert_same(&place.checkpoint("state"), &place.checkpoint("whole"));
    let last = String::from_utf8(run.stdout).expect("all output is UTF-8");
    let last: serde_json::Value =
        serde_json::from_str(last.lines().last().expect("there is a summary")).expect("it is JSON");
    for name in ["steps", "skipped", "loss_tenths", "spearman_tenths", "ndcg_tenths", "seen"] {
        assert_eq!(last["summary"]["total"][name], whole[name], "{name}");
    }
}

/// A replay of a pipe that stays open, and what it says.
#[cfg(unix)]
struct Piped {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
}

#[cfg(unix)]
impl Piped {
    /// How long a line or the end may take.
    const LIMIT: Duration = Duration::from_secs(60);

    fn spawn(place: &Place, args: &[&str]) -> Self {
        let tiny = tiny("tiny-bert");
        let model = ["--gating.model_name", &tiny, "--format", "json", "--checkpoint", "state"];
        let mut command = place.command(&[&["replay", "-"], args, &model, &LEARN].concat());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command can be started");
        let stdin = child.stdin.take().expect("it is piped");
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, stdin, lines }
    }

    /// Writes to the pipe, and waits for so many steps.
    fn say(&mut self, text: &str, steps: usize) {
        self.stdin.write_all(text.as_bytes()).expect("the command reads it");
        for step in 0..steps {
            let line = self.lines.recv_timeout(Self::LIMIT);
            let line = line.unwrap_or_else(|error| panic!("step {step}: {error}"));
            assert!(line.starts_with("{\"step\":"), "{line}");
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(status.expect("the system has the command kill").success());
    }

    /// Waits for the end, while the pipe stays open: the exit code, and the rest of the output.
    fn end(mut self) -> (Option<i32>, Vec<String>, String) {
        let mut output = Vec::new();
        loop {
            match self.lines.recv_timeout(Self::LIMIT) {
                Ok(line) => output.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    self.child.kill().expect("it has not ended");
                    panic!("it does not end: {output:?}");
                }
            }
        }
        let mut errors = String::new();
        let stderr = self.child.stderr.as_mut().expect("it is piped");
        stderr.read_to_string(&mut errors).expect("all output is UTF-8");
        let code = self.child.wait().expect("it ends").code();
        (code, output, errors)
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_replay_saves_and_goes_on() {
    for signal in ["INT", "TERM"] {
        let place = place();
        let mut replay = Piped::spawn(&place, &[]);
        replay.say(&log(4), 4);
        // As `timeout` sends it, to the command and to its group.
        replay.signal(signal);
        replay.signal(signal);
        let (code, output, errors) = replay.end();
        assert_eq!(code, Some(1), "{errors}");
        let summary: serde_json::Value = serde_json::from_str(&output[0]).expect("it is JSON");
        assert_eq!(summary["summary"]["steps"], 4, "{summary}");
        let expected =
            "\"kind\":\"interrupted\",\"message\":\"interrupted behind step 4 of the replay\"";
        assert!(errors.contains(expected), "{errors}");
        assert_eq!(place.checkpoint("state").step(), 4, "{signal}");
        // The same log from its start, as it comes through another pipe.
        let path = place.write("plain.jsonl", &log(9));
        let (steps, _) = split(&place.replay(&[&path, "--checkpoint", "state"]));
        assert_eq!((steps.len(), &steps[0]["step"]), (5, &serde_json::json!(5)));
    }
}

#[cfg(unix)]
#[test]
fn a_strict_replay_ends_though_its_pipe_says_nothing_more() {
    let place = place();
    let mut replay = Piped::spawn(&place, &["--strict"]);
    replay.say(&(log(3) + "noise\n"), 3);
    let (code, output, errors) = replay.end();
    assert_eq!((code, output.len()), (Some(1), 0), "{errors}");
    assert!(errors.contains("stdin, line 4"), "{errors}");
    assert_eq!(place.checkpoint("state").step(), 3);
}

/// What is due is saved while nothing comes.
#[cfg(unix)]
#[test]
fn a_silent_pipe_keeps_no_step_from_being_saved() {
    let place = place();
    let mut replay = Piped::spawn(&place, &["--save-seconds", "1"]);
    replay.say(&log(3), 3);
    let (state, start) = (place.path().join("state"), Instant::now());
    while Checkpoint::read(&state).map_or(0, |checkpoint| checkpoint.step()) < 3 {
        assert!(start.elapsed() < Duration::from_secs(60), "nothing is saved");
    }
    replay.child.kill().expect("it goes on until it is killed");
    replay.child.wait().expect("a killed process ends");
}
