//! What this workspace does to itself; `cargo xtask help` lists the tasks.

#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a task tells the terminal what it does"
)]

mod bench;
mod ci;
mod files;
mod golden;
mod minilm;
mod miri;
mod python;
mod setup;
mod tidy;
mod workspace;

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::ExitCode;
use std::slice::Iter;

use anyhow::{Context, Error, Result, anyhow, bail};

use crate::bench::Bench;
use crate::ci::{Checks, Weights};
use crate::setup::Device;

const USAGE: &str = "\
Usage: cargo xtask <COMMAND>

Commands:
  bench   Has criterion measure the devices that are found, and writes docs/benchmarks.md
            --features LIST compiles further devices in, such as wgpu,libtorch
            --only TEXT     only the ids that match, such as score/; writes target/benchmarks.md
            --save NAME     keeps the run as target/benchmarks/NAME.json
            --against NAME  compares with a run that was kept, and fails where this one is slower
            --threshold PERCENT   by more than this (default: 10)
          With --peers, compares with PyTorch and ONNX Runtime on the processor instead; with --gpu,
          with PyTorch on a GPU
            --rounds N      measures every row so often (default: 15)
            --only TEXT     only the rows whose names contain the text, such as 'MiniLM 1x16';
                            can be repeated, and writes target/benchmarks.md
            --model FOLDER  where all-MiniLM-L6-v2 lies (default: GATING_MINILM, or the model hub)
          With --gpu also
            --participant FILE   our program (default: target/release/participant), built with the
                            features of the devices: `cargo build --release --workspace --bin
                            participant --features libtorch,wgpu`
            --python FILE   a Python with torch and transformers (default: one made in target)
            --device NAME   ours on this device instead, to try it without a GPU; can be repeated,
                            and writes target/benchmarks.md
  ci      Runs every check in order and stops at the first that fails
            --fast          does not pull the real weights
            --devices       runs the tests on WGPU and LibTorch instead, with what `setup` prepares
            --list          prints the steps and runs nothing
  tidy    Checks the layout rules of the workspace
  golden  Makes the expected numbers of the tests anew, with Python
            --check         compares them with the committed ones instead, and takes heads from
                            PyTorch through the command and back
            --round-trip    makes nothing, and takes heads through the command alone
            --full          makes random networks of full size in target/golden-full instead, and
                            compares ours with them in f64; takes minutes and 1.3 GB
            --model FOLDER  where all-MiniLM-L6-v2 lies (default: GATING_MINILM)
  miri    Looks for undefined behavior in the kernels: their tests under the interpreter Miri,
          with small shapes and the portable instructions; takes the nightly toolchain, with
          `rustup +nightly component add miri rust-src`
  setup   Fetches what the tests of a device need into target/devices, unless it is there, and
          prints the environment for `eval \"$(cargo xtask setup wgpu)\"`; takes no root
            libtorch        LibTorch 2.9 for the CPU, on Linux on x86-64; takes python3, downloads
                            0.9 GB and keeps 0.5 GB
            wgpu            Mesa's lavapipe, a Vulkan driver without a GPU, on Debian bookworm;
                            downloads some 50 MB and keeps up to 300 MB
  help    Prints this text
";

#[derive(Debug, PartialEq)]
enum Task {
    Bench(Bench),
    Ci(Checks),
    CiList(Checks),
    Tidy,
    Golden { model: Option<PathBuf> },
    GoldenCheck { model: Option<PathBuf> },
    GoldenFull,
    GoldenRoundTrip,
    Help,
    Miri,
    Setup(Device),
}

impl Task {
    fn parse(arguments: &[OsString]) -> Result<Self> {
        let (command, options) = arguments.split_first().context("expected a command")?;
        if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
            return Ok(Self::Help);
        }
        match command.to_str() {
            Some("bench") => Bench::parse(options).map(Self::Bench),
            Some("ci") => Self::parse_ci(options),
            Some("golden") => Self::parse_golden(options.iter()),
            Some("miri") => alone(Self::Miri, options),
            Some("setup") => Self::parse_setup(options),
            Some("tidy") => alone(Self::Tidy, options),
            Some("help") => Ok(Self::Help),
            _ => Err(unknown(command)),
        }
    }

    fn parse_ci(options: &[OsString]) -> Result<Self> {
        let (mut chosen, mut task): (_, fn(Checks) -> Self) = (Vec::new(), Self::Ci);
        for option in options {
            match option.to_str() {
                Some("--devices") => chosen.push(Checks::Devices),
                Some("--fast") => chosen.push(Checks::Plain(Weights::AsFound)),
                Some("--list") => task = Self::CiList,
                _ => return Err(unknown(option)),
            }
        }
        match chosen[..] {
            [] => Ok(task(Checks::Plain(Weights::Pulled))),
            [checks] => Ok(task(checks)),
            _ => bail!("expected at most one of `--devices` and `--fast`"),
        }
    }

    fn parse_golden(mut options: Iter<'_, OsString>) -> Result<Self> {
        match options.as_slice() {
            [only] if only == "--full" => return Ok(Self::GoldenFull),
            [only] if only == "--round-trip" => return Ok(Self::GoldenRoundTrip),
            _ => {}
        }
        let (mut check, mut model) = (false, None);
        while let Some(option) = options.next() {
            match option.to_str() {
                Some("--check") => check = true,
                Some("--model") => model = Some(folder(options.next())?),
                _ => return Err(unknown(option)),
            }
        }
        Ok(if check { Self::GoldenCheck { model } } else { Self::Golden { model } })
    }

    fn parse_setup(options: &[OsString]) -> Result<Self> {
        let (name, rest) = options.split_first().context("expected a device after `setup`")?;
        let device = Device::ALL.into_iter().find(|device| name == device.name());
        alone(Self::Setup(device.ok_or_else(|| unknown(name))?), rest)
    }

    fn run(self) -> Result<()> {
        match self {
            Self::Bench(bench) => bench.run(),
            Self::Ci(checks) => ci::run(checks),
            Self::CiList(checks) => ci::list(checks),
            Self::Tidy => tidy::run(),
            Self::Golden { model } => golden::write(model),
            Self::GoldenCheck { model } => golden::check(model),
            Self::GoldenFull => golden::full(),
            Self::GoldenRoundTrip => golden::round_trip(),
            Self::Miri => miri::run(),
            Self::Setup(device) => setup::run(device),
            Self::Help => {
                print!("{USAGE}");
                Ok(())
            }
        }
    }
}

/// A task that takes no options.
fn alone(task: Task, options: &[OsString]) -> Result<Task> {
    options.first().map_or(Ok(task), |option| Err(unknown(option)))
}

fn folder(value: Option<&OsString>) -> Result<PathBuf> {
    value.map(PathBuf::from).context("expected a folder after `--model`")
}

fn unknown(argument: &OsStr) -> Error {
    anyhow!("unknown argument `{}`", argument.display())
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let task = match Task::parse(&arguments) {
        Ok(task) => task,
        Err(error) => {
            eprint!("error: {error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match task.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a command line; an error is given as its text.
    fn check(line: &str, expected: Result<Task, &str>) {
        let arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let found = Task::parse(&arguments).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{line}");
    }

    #[test]
    fn arguments_name_a_task() {
        let model = Some(PathBuf::from("minilm"));
        check("bench", Bench::parse(&[]).map(Task::Bench).map_err(|_| "bench takes no arguments"));
        check("ci", Ok(Task::Ci(Checks::Plain(Weights::Pulled))));
        check("ci --fast", Ok(Task::Ci(Checks::Plain(Weights::AsFound))));
        check("ci --list --fast", Ok(Task::CiList(Checks::Plain(Weights::AsFound))));
        check("ci --devices", Ok(Task::Ci(Checks::Devices)));
        check("ci --devices --list", Ok(Task::CiList(Checks::Devices)));
        check("miri", Ok(Task::Miri));
        check("setup libtorch", Ok(Task::Setup(Device::Libtorch)));
        check("setup wgpu", Ok(Task::Setup(Device::Wgpu)));
        check("tidy", Ok(Task::Tidy));
        check("golden", Ok(Task::Golden { model: None }));
        check("golden --model minilm --check", Ok(Task::GoldenCheck { model }));
        check("golden --full", Ok(Task::GoldenFull));
        check("golden --round-trip", Ok(Task::GoldenRoundTrip));
        check("ci --help", Ok(Task::Help));
    }

    #[test]
    fn wrong_arguments_are_named() {
        check("bench --rounds 3", Err("unknown argument `--rounds`"));
        check("bench --peers --rounds 0", Err("expected a number of at least 1 after `--rounds`"));
        check("bench --gpu --save new", Err("unknown argument `--save`"));
        check("", Err("expected a command"));
        check("cl", Err("unknown argument `cl`"));
        check("ci --slow", Err("unknown argument `--slow`"));
        let both = Err("expected at most one of `--devices` and `--fast`");
        check("ci --fast --devices", both);
        check("setup", Err("expected a device after `setup`"));
        check("setup cuda", Err("unknown argument `cuda`"));
        check("setup wgpu libtorch", Err("unknown argument `libtorch`"));
        check("miri now", Err("unknown argument `now`"));
        check("tidy now", Err("unknown argument `now`"));
        check("golden --model", Err("expected a folder after `--model`"));
        check("golden --full --check", Err("unknown argument `--full`"));
    }
}
