//! Benchmarks, which the documentation shows: devices side by side as criterion measures them, and
//! the comparisons with peers on the processor and on a GPU.

mod cells;
mod chart;
mod devices;
mod estimates;
mod found;
mod gpu;
mod machine;
mod memory;
mod model;
mod page;
mod participant;
mod peers;
mod rounds;
mod rows;
mod saved;
mod sections;
mod setup;
mod statistics;

use std::ffi::OsString;

use anyhow::{Context, Result, bail};

pub(crate) use self::machine::{processor, threads};

/// What is to be measured.
#[derive(Debug, PartialEq)]
pub(crate) enum Bench {
    /// Every device, side by side.
    Devices(devices::Options),
    /// The processor, against others.
    Peers(peers::Options),
    /// A GPU, against others.
    Gpu(gpu::Options),
}

impl Bench {
    /// Reads the arguments after `bench`.
    pub(crate) fn parse(arguments: &[OsString]) -> Result<Self> {
        let is_mode = |argument: &OsString| argument == "--peers" || argument == "--gpu";
        let (modes, options): (Vec<_>, Vec<_>) = arguments.iter().cloned().partition(is_mode);
        match modes.as_slice() {
            [] => devices::Options::parse(&options).map(Self::Devices),
            [mode] if mode == "--peers" => peers::Options::parse(&options).map(Self::Peers),
            [_] => gpu::Options::parse(&options).map(Self::Gpu),
            _ => bail!("expected at most one of `--gpu` and `--peers`"),
        }
    }

    pub(crate) fn run(self) -> Result<()> {
        match self {
            Self::Devices(options) => devices::run(&options),
            Self::Peers(options) => peers::run(options),
            Self::Gpu(options) => gpu::run(&options),
        }
    }
}

/// At least one round.
fn rounds_after(value: Option<&OsString>) -> Result<usize> {
    let count = value.and_then(|value| value.to_str()?.parse().ok()).filter(|count| *count > 0);
    count.context("expected a number of at least 1 after `--rounds`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_comparison_is_chosen() {
        let parse = |line: &str| {
            let arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            Bench::parse(&arguments)
        };
        let found = |line: &str| parse(line).expect("it names one comparison at most");
        assert_eq!(found(""), Bench::Devices(devices::Options::default()));
        assert_eq!(found("--peers"), Bench::Peers(peers::Options::default()));
        assert_eq!(found("--gpu"), Bench::Gpu(gpu::Options::default()));
        assert!(matches!(parse("--save new"), Ok(Bench::Devices(_))));
        assert!(matches!(parse("--rounds 3 --gpu"), Ok(Bench::Gpu(_))));
        let error = parse("--gpu --peers").expect_err("two are chosen");
        assert_eq!(error.to_string(), "expected at most one of `--gpu` and `--peers`");
    }
}
