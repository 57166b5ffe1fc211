//! `gating checkpoint export`: the head of a checkpoint, for other programs.

use std::path::Path;

use gating_core::{Checkpoint, HeadFormat};
use serde::Serialize;

use crate::failure::{Failure, Kind};
use crate::output::{Output, counted};

/// The formats by the endings of the names that files have.
const ENDINGS: [(&str, HeadFormat); 3] = [
    ("pth", HeadFormat::Torch),
    ("pt", HeadFormat::Torch),
    ("safetensors", HeadFormat::Safetensors),
];

#[derive(Serialize)]
struct Line {
    file: String,
    step: u64,
    num_uids: usize,
    hidden_size: usize,
}

pub(super) fn run(file: &Path, folder: &Path, output: &Output) -> Result<(), Failure> {
    let format = format_of(file)?;
    let checkpoint = Checkpoint::read(folder)?;
    checkpoint.head().write(file, format)?;
    let line = Line {
        file: file.display().to_string(),
        step: checkpoint.step(),
        num_uids: checkpoint.num_uids(),
        hidden_size: checkpoint.hidden_size(),
    };
    output.result(&line, |Line { file, step, num_uids, hidden_size }| {
        let (uids, numbers) = (counted(*num_uids, "uid"), counted(*hidden_size, "number"));
        format!("{file}: {uids} x {numbers}, step {step}")
    })
}

fn format_of(file: &Path) -> Result<HeadFormat, Failure> {
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let format = ENDINGS.iter().find(|(known, _)| *known == ending).map(|(_, format)| *format);
    format.ok_or_else(|| {
        let file = file.display();
        let message = format!("expected a name that ends in .pth or .safetensors, found {file}");
        Failure::new(Kind::Usage, anyhow::Error::msg(message))
    })
}
