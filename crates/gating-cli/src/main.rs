//! The command `gating`: score messages, learn from rewards, follow a metagraph.

mod args;
mod cache;
mod chart;
mod commands;
mod demo;
mod device;
mod failure;
mod interrupt;
mod models;
mod output;
mod plot;
mod replay;
mod session;
mod settings;

use std::process::ExitCode;
use std::{io, panic};

use clap::FromArgMatches;
use clap::error::ErrorKind;

use args::Args;
use failure::{Failure, Kind};
use output::Output;

fn main() -> ExitCode {
    quiet_guarded_panics();
    let matches = args::command().try_get_matches();
    let args = match matches.and_then(|matches| Args::from_arg_matches(&matches)) {
        Ok(args) => args,
        Err(error) => return refuse(&error),
    };
    let output = Output::new(&args.output, args.settings.asks_for_detail());
    match commands::run(args, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.kind == Kind::StdoutClosed => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.kind.exit_code())
        }
    }
}

/// What a device panics with becomes an error, which is told once.
fn quiet_guarded_panics() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if !gating_devices::is_guarded() {
            print(panic);
        }
    }));
}

/// Prints help where it was asked for, and what is wrong with the arguments otherwise.
fn refuse(error: &clap::Error) -> ExitCode {
    let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let json = args::wants_json(std::env::args_os());
    if is_help || !json {
        // Nothing is left to do where even this cannot be printed.
        let _: io::Result<()> = error.print();
        return if is_help { ExitCode::SUCCESS } else { ExitCode::from(2) };
    }
    let text = error.to_string();
    let is_said = |line: &&str| !line.is_empty() && !line.starts_with("Usage:");
    let mut lines = text.lines().map(str::trim).filter(is_said).map(str::to_owned);
    let message = lines.next().unwrap_or_default();
    let (hints, causes) = lines.partition::<Vec<_>, _>(|line| {
        line.starts_with("tip:") || line.starts_with("For more information")
    });
    let message = message.trim_start_matches("error: ").to_owned();
    let failure = Failure::new(Kind::Usage, anyhow::Error::msg(message)).causes(causes);
    let failure = match hints.first() {
        Some(hint) => failure.hint(hint.trim_start_matches("tip: ")),
        None => failure,
    };
    Output::json().failure(&failure);
    ExitCode::from(2)
}
