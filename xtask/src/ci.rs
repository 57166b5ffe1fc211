//! Every check, in an order that finds the cheap mistakes first.

use std::fmt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::setup::{self, Device};
use crate::workspace::{self, WEIGHTS};
use crate::{docs, examples, minilm, release, tidy};

/// The features that compile in the devices that can be prepared.
const DEVICE_FEATURES: &str = "wgpu,libtorch";

/// The environment variable that tells the tests which devices must answer, and those devices.
const DEVICES: (&str, &str) = ("GATING_DEVICES", "cpu,wgpu,libtorch");

/// Which checks are run, and with what.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Checks {
    pub(crate) weights: Weights,
    pub(crate) devices: Devices,
}

/// Which devices are compiled in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Devices {
    /// The CPU alone, with no more than Rust and a C compiler.
    Cpu,
    /// Those of these features of cargo, in the environment as it is.
    Features(String),
    /// All that can be prepared, which is done first, and each of which must answer.
    Prepared,
}

/// Which weights the tests find.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Weights {
    /// Those of the model hub, which a step of its own pulls.
    Pulled,
    /// Those that the environment names, if any.
    AsFound,
}

/// One check; its `Display` is the command as a shell takes it.
struct Step {
    name: String,
    /// What the command is called with.
    arguments: String,
    work: Work,
}

#[derive(Clone, Copy)]
enum Work {
    /// Calls cargo.
    Cargo,
    /// Calls the command `gating` that an earlier step built, unless the model is here already.
    Pull,
    /// Calls cargo and tells it where the pulled weights are.
    WithWeights,
    /// Calls cargo with rustdoc's warnings as errors.
    Rustdoc,
    /// Runs in this process, with the command `gating` that an earlier step built.
    Docs,
    /// Runs the command `gating` that an earlier step built, with the pulled weights.
    DocsRun,
    /// Runs in this process.
    Examples,
    /// Runs in this process.
    Release,
    /// Runs in this process.
    Tidy,
    /// Prepares a device in this process.
    Setup(Device),
    /// Calls cargo with the environment of the prepared devices, all of which must answer.
    OnDevices,
}

/// How a step ended.
struct Outcome {
    name: String,
    time: Duration,
    word: &'static str,
}

/// Runs every step until one fails.
pub(crate) fn run(checks: &Checks) -> Result<()> {
    if checks.weights == Weights::AsFound && workspace::weights().is_none() {
        eprintln!(
            "{WEIGHTS} is not set: the tests with real weights will say that they are skipped"
        );
    }
    let mut outcomes = Vec::new();
    let mut result = Ok(());
    for step in steps(checks) {
        println!("\n== {}: {step}", step.name);
        let start = Instant::now();
        result = step.run().with_context(|| format!("the step `{}` failed", step.name));
        let (name, time) = (step.name, start.elapsed());
        let word = if result.is_ok() { "ok" } else { "failed" };
        let outcome = Outcome { name, time, word };
        println!("== {outcome}");
        outcomes.push(outcome);
        if result.is_err() {
            break;
        }
    }
    println!("\n== summary");
    outcomes.iter().for_each(|outcome| println!("{outcome}"));
    result
}

/// Prints every step and runs none.
pub(crate) fn list(checks: &Checks) -> Result<()> {
    for step in steps(checks) {
        println!("{:25} {step}", step.name);
    }
    Ok(())
}

fn steps(checks: &Checks) -> Vec<Step> {
    match &checks.devices {
        Devices::Cpu => steps_with(checks.weights, ""),
        Devices::Features(list) => steps_with(checks.weights, &format!(" --features {list}")),
        Devices::Prepared => prepared_steps(checks.weights),
    }
}

/// Prepares the devices, and runs every other step with them: what is built is built once.
fn prepared_steps(weights: Weights) -> Vec<Step> {
    let setup = |device: Device| {
        let call = format!("setup {}", device.name());
        Step { work: Work::Setup(device), ..Step::cargo(&call, &format!("xtask {call}")) }
    };
    let fast = if weights == Weights::AsFound { " --fast" } else { "" };
    let checks = format!("xtask ci{fast} --features {DEVICE_FEATURES}");
    let checks = Step { work: Work::OnDevices, ..Step::cargo("checks with devices", &checks) };
    Device::ALL.into_iter().map(setup).chain([checks]).collect()
}

/// Every step, with these further options for all of the workspace.
fn steps_with(weights: Weights, features: &str) -> Vec<Step> {
    let all = format!("--workspace --locked{features}");
    let mut steps = vec![
        Step::cargo("format", "fmt --all --check"),
        Step::cargo("format examples", "fmt --all --check --manifest-path examples/Cargo.toml"),
        Step::cargo("clippy", &format!("clippy {all} --all-targets -- -D warnings")),
        // With the features that the tests have too, so that nothing is built twice.
        Step::cargo("build", &format!("build {all} --all-targets")),
    ];
    let tests = Step::cargo("tests", &test_arguments(&all));
    match weights {
        Weights::Pulled => {
            let pull = Step::cargo("model", &format!("model pull {}", minilm::MODEL));
            steps.push(Step { work: Work::Pull, ..pull });
            steps.push(Step { work: Work::WithWeights, ..tests });
        }
        Weights::AsFound => steps.push(tests),
    }
    steps.push(Step::cargo("doc tests", &format!("test {all} --doc")));
    let rustdoc = Step::cargo("rustdoc", &format!("doc {all} --no-deps"));
    steps.push(Step { work: Work::Rustdoc, ..rustdoc });
    // Right after it: the libraries that ours are built on have just been checked.
    steps.push(Step::cargo("api", &format!("xtask api --check{features}")));
    steps.push(Step { work: Work::Docs, ..Step::cargo("pages", "xtask docs --check") });
    // The pages are written for a shell of Unix, and their commands take the weights.
    if cfg!(unix) && weights == Weights::Pulled {
        let run = Step::cargo("commands of pages", "xtask docs --run");
        steps.push(Step { work: Work::DocsRun, ..run });
    }
    steps.push(Step { work: Work::Tidy, ..Step::cargo("layout", "xtask tidy") });
    let release = Step::cargo("release", "xtask release minor --dry-run");
    steps.push(Step { work: Work::Release, ..release });
    // They also show that each library is built without features.
    steps.push(Step { work: Work::Examples, ..Step::cargo("examples", "xtask examples") });
    steps
}

/// The call of the test runner that is here.
fn test_arguments(what: &str) -> String {
    let mut nextest = workspace::cargo();
    nextest.args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    match nextest.status() {
        Ok(status) if status.success() => format!("nextest run {what}"),
        _ => format!("test {what} --lib --bins --tests"),
    }
}

impl Step {
    fn cargo(name: &str, arguments: &str) -> Self {
        Self { name: name.to_owned(), arguments: arguments.to_owned(), work: Work::Cargo }
    }

    fn run(&self) -> Result<()> {
        let mut command = workspace::cargo();
        command.args(self.arguments.split(' '));
        match self.work {
            Work::Cargo => &mut command,
            Work::Pull => return minilm::pull(&gating()?),
            Work::WithWeights => command.env(WEIGHTS, minilm::pulled(&gating()?)?),
            Work::Rustdoc => command.env("RUSTDOCFLAGS", "-D warnings"),
            Work::Docs => return docs::run(docs::Mode::Check),
            Work::DocsRun => return docs::follow(),
            Work::Examples => return examples::run(),
            Work::Release => return release::attempt(),
            Work::Tidy => return tidy::run(),
            Work::Setup(device) => return setup::run(device),
            Work::OnDevices => {
                setup::environment()?.give(&mut command)?;
                command.env(DEVICES.0, DEVICES.1)
            }
        };
        workspace::run(&mut command)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.work {
            Work::Pull => return write!(f, "gating {}", self.arguments),
            Work::Cargo
            | Work::Docs
            | Work::DocsRun
            | Work::Examples
            | Work::Release
            | Work::Tidy
            | Work::Setup(_) => {}
            Work::WithWeights => write!(f, "{WEIGHTS}=<folder of the pulled model> ")?,
            Work::Rustdoc => write!(f, "RUSTDOCFLAGS=\"-D warnings\" ")?,
            Work::OnDevices => write!(f, "{}={} <what the setups print> ", DEVICES.0, DEVICES.1)?,
        }
        write!(f, "cargo {}", self.arguments)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:25} {:8.1} s  {}", self.name, self.time.as_secs_f64(), self.word)
    }
}

/// The command `gating` as the tests have it.
fn gating() -> Result<PathBuf> {
    workspace::built("debug", "gating")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(weights: Weights, devices: Devices) -> Vec<String> {
        steps(&Checks { weights, devices }).iter().map(Step::to_string).collect()
    }

    #[test]
    fn only_what_is_about_the_weights_can_be_left_out() {
        let names = |weights| {
            let steps = steps_with(weights, "").into_iter();
            steps.map(|step| step.name).collect::<Vec<String>>()
        };
        let mut expected = names(Weights::Pulled);
        expected.retain(|name| !["model", "commands of pages"].contains(&name.as_str()));
        assert_eq!(names(Weights::AsFound), expected);
    }

    #[test]
    fn no_step_takes_all_features() {
        for devices in [Devices::Cpu, Devices::Prepared] {
            let lines = lines(Weights::Pulled, devices);
            assert!(lines.iter().all(|line| !line.contains("--all-features")), "{lines:?}");
        }
    }

    #[test]
    fn every_device_is_prepared_before_the_checks() {
        let check = |weights, last: &str| {
            let lines = lines(weights, Devices::Prepared);
            let last = format!("GATING_DEVICES=cpu,wgpu,libtorch <what the setups print> {last}");
            assert_eq!(lines, ["cargo xtask setup libtorch", "cargo xtask setup wgpu", &last]);
        };
        check(Weights::Pulled, "cargo xtask ci --features wgpu,libtorch");
        check(Weights::AsFound, "cargo xtask ci --fast --features wgpu,libtorch");
    }

    #[test]
    fn features_reach_every_step_of_the_workspace() {
        let (plain, with) = (
            lines(Weights::AsFound, Devices::Cpu),
            lines(Weights::AsFound, Devices::Features("wgpu".to_owned())),
        );
        assert!(plain.iter().all(|line| !line.contains("setup") && !line.contains("--features ")));
        for (plain, with) in plain.iter().zip(with) {
            let expected =
                ["--workspace --locked", "api --check"].iter().fold(plain.clone(), |line, call| {
                    line.replace(call, &format!("{call} --features wgpu"))
                });
            assert_eq!(with, expected);
        }
    }
}
