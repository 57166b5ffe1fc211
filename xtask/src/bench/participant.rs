//! Those who are compared: long-running processes that answer one JSON line for each they read.

use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::found::Found;

/// Who is compared.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Peer {
    /// PyTorch as the reference calls it: all others are measured by it.
    Eager,
    /// PyTorch with its fused attention.
    Sdpa,
    Onnx,
    Ours,
    /// Ours on a GPU by the shaders of WGPU, where `Ours` is on CUDA.
    Shaders,
    /// Multiply-adds in registers alone: what the processor can do.
    Registers,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Eager => "PyTorch eager",
            Self::Sdpa => "PyTorch SDPA",
            Self::Onnx => "ONNX Runtime",
            Self::Ours => "ours",
            Self::Shaders => "ours by shaders",
            Self::Registers => "registers",
        })
    }
}

/// What a participant says of one case.
#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    /// The median of the repetitions, in seconds.
    pub(super) median: f64,
    /// How many tokens were encoded, where the participant knows.
    pub(super) tokens: Option<u64>,
    /// What was computed, where that was asked for.
    pub(super) values: Option<Vec<f64>>,
}

/// A running participant; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Participant {
    peer: Peer,
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Participant {
    /// Starts one.
    pub(super) fn start(peer: Peer, command: &mut Command) -> Result<Self> {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot run {command:?}"))?;
        let requests = child.stdin.take();
        let answers = child.stdout.take().expect("stdout was piped above");
        Ok(Self { peer, child, requests, answers: BufReader::new(answers) })
    }

    /// Has one case run.
    pub(super) fn ask(&mut self, request: &Value) -> Result<Answer> {
        let answer = self.exchange(request)?;
        Answer::read(&answer).with_context(|| format!("{} on `{}`", self.peer, request["case"]))
    }

    /// Who it is made of: names and versions.
    pub(super) fn versions(&mut self) -> Result<Vec<(String, String)>> {
        let answer = self.exchange(&serde_json::json!({ "case": "versions" }))?;
        let versions = answer["versions"].as_object();
        let versions = versions.with_context(|| format!("{} tells no versions", self.peer))?;
        let text = |value: &Value| value.as_str().unwrap_or("unknown").to_owned();
        Ok(versions.iter().map(|(name, version)| (name.clone(), text(version))).collect())
    }

    /// The devices that it finds.
    pub(super) fn devices(&mut self) -> Result<Vec<Found>> {
        let answer = self.exchange(&serde_json::json!({ "case": "devices" }))?;
        let devices = answer["devices"].as_array();
        let devices = devices.with_context(|| format!("{} tells no devices", self.peer))?;
        devices.iter().map(Found::read).collect()
    }

    /// The most memory that it ever had, in bytes; none where the system does not tell.
    pub(super) fn peak(&self) -> Option<u64> {
        peak(&fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?)
    }

    fn exchange(&mut self, request: &Value) -> Result<Value> {
        let ended = || format!("{} ended early", self.peer);
        let requests = self.requests.as_mut().with_context(ended)?;
        writeln!(requests, "{request}").and_then(|()| requests.flush()).with_context(ended)?;
        let mut line = String::new();
        if self.answers.read_line(&mut line).with_context(ended)? == 0 {
            bail!(ended());
        }
        serde_json::from_str(&line).with_context(|| format!("{} answers no JSON", self.peer))
    }
}

impl Drop for Participant {
    fn drop(&mut self) {
        // Who reads no more requests ends; its status says nothing that the answers do not.
        self.requests = None;
        let _ = self.child.wait();
    }
}

impl Answer {
    fn read(answer: &Value) -> Result<Self> {
        if let Some(error) = answer["error"].as_str() {
            bail!("{error}");
        }
        let median = answer["median"].as_f64().filter(|seconds| *seconds > 0.0);
        let values = answer["values"].as_array().map(|values| {
            let values: Option<Vec<f64>> = values.iter().map(Value::as_f64).collect();
            values.context("expected numbers in `values`")
        });
        Ok(Self {
            median: median.context("expected a positive number at `median`")?,
            tokens: answer["tokens"].as_u64(),
            values: values.transpose()?,
        })
    }
}

/// The high-water mark in a `status` file of Linux, in bytes.
fn peak(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(answer: &str, expected: Result<Answer, &str>) {
        let answer = serde_json::from_str(answer).expect("the test holds JSON");
        let found = Answer::read(&answer).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{answer}");
    }

    #[test]
    fn answers_are_read() {
        let plain = Answer { median: 0.25, tokens: None, values: None };
        check(r#"{"median": 0.25, "min": 0.2, "repeats": 3}"#, Ok(plain));
        let full = Answer { median: 2.0, tokens: Some(16), values: Some(vec![1.0, -0.5]) };
        check(r#"{"median": 2, "tokens": 16, "values": [1, -0.5]}"#, Ok(full));
    }

    #[test]
    fn wrong_answers_are_told() {
        check(r#"{"error": "no such file"}"#, Err("no such file"));
        check("{}", Err("expected a positive number at `median`"));
        check(r#"{"median": 0}"#, Err("expected a positive number at `median`"));
        check(r#"{"median": 1, "values": [null]}"#, Err("expected numbers in `values`"));
    }

    #[test]
    fn the_peak_is_in_bytes() {
        assert_eq!(peak("VmPeak:\t  900 kB\nVmHWM:\t  512 kB\n"), Some(524_288));
        assert_eq!(peak("VmPeak:\t  900 kB\n"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_participant_answers_until_it_ends() {
        // Answers one line and ends.
        let mut command = Command::new("sh");
        command.args(["-c", "read line; echo '{\"median\": 0.5}'"]);
        let mut participant = Participant::start(Peer::Ours, &mut command).expect("there is a sh");
        let request = serde_json::json!({ "case": "score" });
        assert_eq!(participant.ask(&request).expect("the first is answered").median, 0.5);
        let error = participant.ask(&request).expect_err("it has ended");
        assert_eq!(error.to_string(), "ours ended early");
    }
}
