//! The comparison with peers on the processor.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Result, ensure};

use super::machine::{self, Machine};
use super::page::Report;
use super::participant::Peer;
use super::rounds::{self, Outcome};
use super::rows::{Kind, Row};
use super::setup::Setup;
use super::{memory, rounds_after, rows, sections};
use crate::{folder, text_after, unknown};

/// What is to be compared with peers.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    /// How often every row is measured.
    rounds: usize,
    /// Texts of which a row's name must contain one; none for all rows.
    only: Vec<String>,
    /// Where all-MiniLM-L6-v2 lies.
    model: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self { rounds: 15, only: Vec::new(), model: None }
    }
}

impl Options {
    pub(super) fn parse(arguments: &[OsString]) -> Result<Self> {
        let mut chosen = Self::default();
        let mut arguments = arguments.iter();
        while let Some(option) = arguments.next() {
            match option.to_str() {
                Some("--rounds") => chosen.rounds = rounds_after(arguments.next())?,
                Some("--only") => chosen.only.push(text_after(option, arguments.next())?),
                Some("--model") => chosen.model = Some(folder(arguments.next())?),
                _ => return Err(unknown(option)),
            }
        }
        Ok(chosen)
    }
}

/// Measures all rows, ours and theirs in turn, and writes the section of the page.
pub(super) fn run(options: Options) -> Result<()> {
    let load = machine::load();
    let setup = Setup::make(options.model)?;
    let mut rows = rows::all(&setup.minilm, &setup.gpt_neo);
    let is_wanted = |row: &Row| rows::is_wanted(&row.name, &options.only);
    // A share is taken of the product.
    let is_encoded = rows.iter().any(|row| is_wanted(row) && row.has_share());
    rows.retain(|row| is_wanted(row) || (is_encoded && row.kind == Kind::Product));
    let memory = memory::run(&setup, &options.only)?;
    ensure!(!rows.is_empty() || !memory.is_empty(), "no row is named like {:?}", options.only);
    let tellers = [Peer::Ours, Peer::Eager];
    let Outcome { versions, measured } = rounds::run(&setup, &tellers, rows, options.rounds)?;
    let machine = Machine::look(machine::threads(), load);
    let report = Report { machine, versions, rounds: options.rounds, measured, memory };
    match options.only.as_slice() {
        [] => sections::write("peers", &report.section()),
        _ => sections::write_part(&report.section()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Result<Options, &str>) {
        let arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let found = Options::parse(&arguments).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{line}");
    }

    #[test]
    fn options_are_read() {
        let only = vec!["MiniLM".to_owned(), "learn".to_owned()];
        let model = Some(PathBuf::from("minilm"));
        check("", Ok(Options { rounds: 15, only: Vec::new(), model: None }));
        let line = "--only MiniLM --rounds 3 --only learn --model minilm";
        check(line, Ok(Options { rounds: 3, only, model }));
    }

    #[test]
    fn wrong_options_are_named() {
        check("--rounds", Err("expected a number of at least 1 after `--rounds`"));
        check("--rounds 0", Err("expected a number of at least 1 after `--rounds`"));
        check("--only", Err("expected a text after `--only`"));
        check("--save new", Err("unknown argument `--save`"));
    }
}
