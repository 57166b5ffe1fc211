//! What this workspace does to itself; `cargo xtask help` lists the tasks.

#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a task tells the terminal what it does"
)]

mod api;
mod audit;
mod bench;
mod ci;
mod counted;
mod crates;
mod dist;
mod docs;
mod examples;
mod files;
mod git;
mod golden;
mod lock;
mod minilm;
mod miri;
mod python;
mod release;
mod setup;
mod tidy;
mod workspace;

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::ExitCode;
use std::slice::Iter;

use anyhow::{Context, Error, Result, anyhow, bail, ensure};

use crate::audit::Missing;
use crate::bench::Bench;
use crate::ci::{Checks, Devices, Weights};
use crate::setup::Device;

const USAGE: &str = "\
Usage: cargo xtask <COMMAND>

Commands:
  api     Writes the public interface of every library that is published to docs/api, with the
          features that the commands turn on
            --check         writes nothing; an interface that has changed is an error, and shown
            --features LIST with these features of cargo too, which change no interface
  audit   Asks the tools of others that are installed: licenses, advisories, unused dependencies,
          features, spelling, the Dockerfile; whether the oldest versions that manifests admit are
          enough; and says how to get those that are not
            --strict        one that cannot run, or not in full, is an error too
            --renew         asks nothing, and takes from the database of RustSec what it knows of the
                            packages in Cargo.lock, for those who cannot fetch it
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
            --devices       with WGPU and LibTorch compiled in, which `setup` prepares first and
                            each of which must answer
            --features LIST with these features of cargo compiled in, in the environment as it is
            --list          prints the steps and runs nothing
  crates  What each crate costs, for the README
            --measure       builds the example of each crate and the command from nothing, one after
                            another, and writes times and sizes to examples/measured.json; takes half
                            an hour, and a machine that does nothing else
            --measure CRATE builds that one, and keeps what this machine measured of the others
  dist    Writes the archive of a release to target/dist, with completions, the manual page, a list
          of all that is in the binary (CycloneDX) and checksums; the same bytes each time
            --twice         builds twice, and compares
            --binary FILE   takes a binary that is here already
  docs    Writes the parts of pages that come from the program as it is built for tests and from
          cargo, tries that the program takes every command that a page shows and that nothing in a
          page is left unchecked, and builds the book where mdBook is installed
            --check         writes no page; one that has drifted is an error
            --run           runs the commands and programs of all pages instead, in target/pages, and compares
                            what they print; a command may take ten minutes; takes
                            `gating model pull` and a shell
  examples
          Runs the programs in examples, each of which has one library crate alone, with the default
          features and with none
  tidy    Checks the layout rules of the workspace
  golden  Makes the expected numbers of the tests anew, with Python
            --check         compares them with the committed ones instead, and takes heads from
                            PyTorch through the command and back
            --round-trip    makes nothing, and takes heads through the command alone, built with
                            --features LIST
            --full          makes random networks of full size in target/golden-full instead, and
                            compares ours with them in f64; takes minutes and 1.3 GB
            --model FOLDER  where all-MiniLM-L6-v2 lies (default: GATING_MINILM)
  miri    Looks for undefined behavior in the kernels: their tests under the interpreter Miri,
          with small shapes and the portable instructions; takes the nightly toolchain, with
          `rustup +nightly component add miri rust-src`
  release LEVEL
          Makes a release in a clone, and brings its commit and tag home: versions, changelog,
          interfaces compared with the last release by cargo-semver-checks where that is
          installed, packages. LEVEL is patch, minor or major, or first for the version as it is
            --dry-run       brings nothing home, and builds no packages
            --verify        builds the packages in a dry run too
  publish Hands the crates of the release that is checked out to the registry
            --dry-run       packs them, and hands over nothing
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
    Api { mode: docs::Mode, features: Option<String> },
    Audit(Missing),
    AuditRenew,
    Bench(Bench),
    Ci(Checks),
    CiList(Checks),
    Crates { only: Option<String> },
    Dist(dist::Binary),
    Docs(docs::Mode),
    DocsRun,
    Examples,
    Tidy,
    Golden { model: Option<PathBuf> },
    GoldenCheck { model: Option<PathBuf> },
    GoldenFull,
    GoldenRoundTrip { features: Option<String> },
    Help,
    Miri,
    Setup(Device),
    Publish(release::Outcome),
    Release(release::Options),
}

impl Task {
    fn parse(arguments: &[OsString]) -> Result<Self> {
        let (command, options) = arguments.split_first().context("expected a command")?;
        if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
            return Ok(Self::Help);
        }
        match command.to_str() {
            Some("api") => Self::parse_api(options),
            Some("audit") => Self::parse_audit(options),
            Some("bench") => Bench::parse(options).map(Self::Bench),
            Some("ci") => Self::parse_ci(options),
            Some("crates") => Self::parse_crates(options),
            Some("dist") => Self::parse_dist(options),
            Some("docs") => Self::parse_docs(options),
            Some("examples") => alone(Self::Examples, options),
            Some("golden") => Self::parse_golden(options.iter()),
            Some("miri") => alone(Self::Miri, options),
            Some("setup") => Self::parse_setup(options),
            Some("publish") => Self::parse_publish(options),
            Some("release") => Self::parse_release(options),
            Some("tidy") => alone(Self::Tidy, options),
            Some("help") => Ok(Self::Help),
            _ => Err(unknown(command)),
        }
    }

    fn parse_api(options: &[OsString]) -> Result<Self> {
        let (mut mode, mut features) = (docs::Mode::Write, None);
        let mut options = options.iter();
        while let Some(option) = options.next() {
            match option.to_str() {
                Some("--check") => mode = docs::Mode::Check,
                Some("--features") => features = Some(text_after(option, options.next())?),
                _ => return Err(unknown(option)),
            }
        }
        Ok(Self::Api { mode, features })
    }

    fn parse_audit(options: &[OsString]) -> Result<Self> {
        match options {
            [] => Ok(Self::Audit(Missing::Told)),
            [only] if only == "--strict" => Ok(Self::Audit(Missing::Refused)),
            [only] if only == "--renew" => Ok(Self::AuditRenew),
            options => match options.iter().find(|it| *it != "--strict" && *it != "--renew") {
                Some(option) => Err(unknown(option)),
                None => bail!("expected one of `--strict` and `--renew`, once"),
            },
        }
    }

    fn parse_ci(options: &[OsString]) -> Result<Self> {
        let (mut weights, mut devices) = (Weights::Pulled, Vec::new());
        let mut task: fn(Checks) -> Self = Self::Ci;
        let mut options = options.iter();
        while let Some(option) = options.next() {
            match option.to_str() {
                Some("--devices") => devices.push(Devices::Prepared),
                Some("--features") => {
                    devices.push(Devices::Features(text_after(option, options.next())?));
                }
                Some("--fast") => weights = Weights::AsFound,
                Some("--list") => task = Self::CiList,
                _ => return Err(unknown(option)),
            }
        }
        ensure!(devices.len() <= 1, "expected one of `--devices` and `--features`, once");
        let devices = devices.pop().unwrap_or(Devices::Cpu);
        Ok(task(Checks { weights, devices }))
    }

    fn parse_crates(options: &[OsString]) -> Result<Self> {
        match options {
            [option] if option == "--measure" => Ok(Self::Crates { only: None }),
            [option, name] if option == "--measure" => {
                let name = name.to_str().filter(|name| crates::all().any(|it| it == *name));
                let name = name.context("expected a crate of the workspace after `--measure`")?;
                Ok(Self::Crates { only: Some(name.to_owned()) })
            }
            [] => bail!("expected `--measure` after `crates`"),
            [first, ..] => Err(unknown(first)),
        }
    }

    fn parse_dist(options: &[OsString]) -> Result<Self> {
        Ok(Self::Dist(match options {
            [] => dist::Binary::Built,
            [only] if only == "--twice" => dist::Binary::BuiltTwice,
            [option, file] if option == "--binary" => dist::Binary::File(file.into()),
            [option] if option == "--binary" => bail!("expected a file after `--binary`"),
            [first, ..] => return Err(unknown(first)),
        }))
    }

    fn parse_docs(options: &[OsString]) -> Result<Self> {
        match options {
            [only] if only == "--run" => Ok(Self::DocsRun),
            options => parse_mode(options).map(Self::Docs),
        }
    }

    fn parse_golden(mut options: Iter<'_, OsString>) -> Result<Self> {
        match options.as_slice() {
            [only] if only == "--full" => return Ok(Self::GoldenFull),
            [first, rest @ ..] if first == "--round-trip" => return Self::parse_round_trip(rest),
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

    fn parse_round_trip(options: &[OsString]) -> Result<Self> {
        let features = match options {
            [] => None,
            [first] | [first, _] if first == "--features" => {
                Some(text_after(first, options.get(1))?)
            }
            [first, ..] => return Err(unknown(first)),
        };
        Ok(Self::GoldenRoundTrip { features })
    }

    fn parse_setup(options: &[OsString]) -> Result<Self> {
        let (name, rest) = options.split_first().context("expected a device after `setup`")?;
        let device = Device::ALL.into_iter().find(|device| name == device.name());
        alone(Self::Setup(device.ok_or_else(|| unknown(name))?), rest)
    }

    fn parse_publish(options: &[OsString]) -> Result<Self> {
        match options {
            [] => Ok(Self::Publish(release::Outcome::Kept)),
            [only] if only == "--dry-run" => Ok(Self::Publish(release::Outcome::Dropped)),
            [first, ..] => Err(unknown(first)),
        }
    }

    fn parse_release(options: &[OsString]) -> Result<Self> {
        let (level, options) = options.split_first().context("expected a level")?;
        let level = level.to_string_lossy().parse()?;
        let (mut is_dry, mut is_verified) = (false, false);
        for option in options {
            match option.to_str() {
                Some("--dry-run") => is_dry = true,
                Some("--verify") => is_verified = true,
                _ => return Err(unknown(option)),
            }
        }
        let (outcome, packages) = match (is_dry, is_verified) {
            (false, _) => (release::Outcome::Kept, release::Packages::Built),
            (true, true) => (release::Outcome::Dropped, release::Packages::Built),
            (true, false) => (release::Outcome::Dropped, release::Packages::Packed),
        };
        Ok(Self::Release(release::Options { level, outcome, packages }))
    }

    fn run(self) -> Result<()> {
        match self {
            Self::Api { mode, features } => api::run(mode, features.as_deref()),
            Self::Audit(missing) => audit::run(missing),
            Self::AuditRenew => audit::renew(),
            Self::Bench(bench) => bench.run(),
            Self::Ci(checks) => ci::run(&checks),
            Self::CiList(checks) => ci::list(&checks),
            Self::Crates { only } => crates::measure(only.as_deref()),
            Self::Dist(binary) => dist::run(&binary),
            Self::Docs(mode) => docs::run(mode),
            Self::DocsRun => docs::follow(),
            Self::Examples => examples::run(),
            Self::Tidy => tidy::run(),
            Self::Golden { model } => golden::write(model),
            Self::GoldenCheck { model } => golden::check(model),
            Self::GoldenFull => golden::full(),
            Self::GoldenRoundTrip { features } => golden::round_trip(features.as_deref()),
            Self::Miri => miri::run(),
            Self::Setup(device) => setup::run(device),
            Self::Publish(outcome) => release::publish(outcome),
            Self::Release(options) => release::run(options),
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

fn parse_mode(options: &[OsString]) -> Result<docs::Mode> {
    match options {
        [] => Ok(docs::Mode::Write),
        [only] if only == "--check" => Ok(docs::Mode::Check),
        [first, ..] => Err(unknown(first)),
    }
}

fn folder(value: Option<&OsString>) -> Result<PathBuf> {
    value.map(PathBuf::from).context("expected a folder after `--model`")
}

/// The value of an option.
fn text_after(option: &OsStr, value: Option<&OsString>) -> Result<String> {
    let value = value.map(|value| value.to_string_lossy().into_owned());
    value.with_context(|| format!("expected a text after `{}`", option.display()))
}

fn unknown(argument: &OsStr) -> Error {
    anyhow!("unknown argument `{}`", argument.display())
}

fn main() -> ExitCode {
    if let Some(ended) = api::act_as_rustdoc() {
        return ended;
    }
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
        let api = |mode, features: Option<&str>| {
            Ok(Task::Api { mode, features: features.map(str::to_owned) })
        };
        check("api", api(docs::Mode::Write, None));
        check("api --check --features wgpu", api(docs::Mode::Check, Some("wgpu")));
        check("audit", Ok(Task::Audit(Missing::Told)));
        check("audit --strict", Ok(Task::Audit(Missing::Refused)));
        check("audit --renew", Ok(Task::AuditRenew));
        check("bench", Bench::parse(&[]).map(Task::Bench).map_err(|_| "bench takes no arguments"));
        check("crates --measure", Ok(Task::Crates { only: None }));
        let only = Some("gating-core".to_owned());
        check("crates --measure gating-core", Ok(Task::Crates { only }));
        let expected = "expected a crate of the workspace after `--measure`";
        check("crates --measure serde", Err(expected));
        check("dist", Ok(Task::Dist(dist::Binary::Built)));
        check("dist --twice", Ok(Task::Dist(dist::Binary::BuiltTwice)));
        check("dist --binary a", Ok(Task::Dist(dist::Binary::File("a".into()))));
        check("docs", Ok(Task::Docs(docs::Mode::Write)));
        check("docs --check", Ok(Task::Docs(docs::Mode::Check)));
        check("docs --run", Ok(Task::DocsRun));
        check("examples", Ok(Task::Examples));
        check("miri", Ok(Task::Miri));
        check("publish", Ok(Task::Publish(release::Outcome::Kept)));
        check("publish --dry-run", Ok(Task::Publish(release::Outcome::Dropped)));
        check("setup libtorch", Ok(Task::Setup(Device::Libtorch)));
        check("setup wgpu", Ok(Task::Setup(Device::Wgpu)));
        check("tidy", Ok(Task::Tidy));
        check("golden", Ok(Task::Golden { model: None }));
        check("golden --model minilm --check", Ok(Task::GoldenCheck { model }));
        check("golden --full", Ok(Task::GoldenFull));
        check("golden --round-trip", Ok(Task::GoldenRoundTrip { features: None }));
        let features = Some("wgpu,libtorch".to_owned());
        let golden = "golden --round-trip --features wgpu,libtorch";
        check(golden, Ok(Task::GoldenRoundTrip { features }));
        check("ci --help", Ok(Task::Help));
    }

    #[test]
    fn checks_have_weights_and_devices() {
        let checks = |weights, devices| Checks { weights, devices };
        let pulled = |devices| checks(Weights::Pulled, devices);
        let features = || Devices::Features("wgpu,libtorch".to_owned());
        check("ci", Ok(Task::Ci(pulled(Devices::Cpu))));
        check("ci --fast", Ok(Task::Ci(checks(Weights::AsFound, Devices::Cpu))));
        check("ci --list --fast", Ok(Task::CiList(checks(Weights::AsFound, Devices::Cpu))));
        check("ci --devices", Ok(Task::Ci(pulled(Devices::Prepared))));
        check("ci --features wgpu,libtorch", Ok(Task::Ci(pulled(features()))));
        check("ci --features", Err("expected a text after `--features`"));
        let both = "expected one of `--devices` and `--features`, once";
        check("ci --devices --features wgpu", Err(both));
    }

    #[test]
    fn a_release_has_a_level() {
        use release::{Level, Options, Outcome, Packages};
        let check = |line: &str, level, outcome, packages| {
            check(line, Ok(Task::Release(Options { level, outcome, packages })));
        };
        check("release minor", Level::Minor, Outcome::Kept, Packages::Built);
        check("release first --dry-run", Level::First, Outcome::Dropped, Packages::Packed);
        check("release patch --verify --dry-run", Level::Patch, Outcome::Dropped, Packages::Built);
    }

    #[test]
    fn wrong_arguments_are_named() {
        check("bench --rounds 3", Err("unknown argument `--rounds`"));
        check("bench --peers --rounds 0", Err("expected a number of at least 1 after `--rounds`"));
        check("bench --gpu --save new", Err("unknown argument `--save`"));
        check("", Err("expected a command"));
        check("audit --quick", Err("unknown argument `--quick`"));
        check("audit --strict --quick", Err("unknown argument `--quick`"));
        check("audit --strict --renew", Err("expected one of `--strict` and `--renew`, once"));
        check("cl", Err("unknown argument `cl`"));
        check("crates", Err("expected `--measure` after `crates`"));
        check("crates --all", Err("unknown argument `--all`"));
        check("examples all", Err("unknown argument `all`"));
        check("release", Err("expected a level"));
        check("release 2", Err("expected first, patch, minor or major, found `2`"));
        check("release minor --quick", Err("unknown argument `--quick`"));
        check("publish all", Err("unknown argument `all`"));
        check("dist --binary", Err("expected a file after `--binary`"));
        check("dist --once", Err("unknown argument `--once`"));
        check("docs --write", Err("unknown argument `--write`"));
        check("ci --slow", Err("unknown argument `--slow`"));
        check("setup", Err("expected a device after `setup`"));
        check("setup cuda", Err("unknown argument `cuda`"));
        check("setup wgpu libtorch", Err("unknown argument `libtorch`"));
        check("miri now", Err("unknown argument `now`"));
        check("tidy now", Err("unknown argument `now`"));
        check("golden --model", Err("expected a folder after `--model`"));
        check("golden --full --check", Err("unknown argument `--full`"));
    }
}
