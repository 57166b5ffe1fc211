//! `gating metagraph convert`: one form of a metagraph made another.

use std::path::{Path, PathBuf};

use gating_metagraph::replace_file;
use serde::Serialize;

use super::read;
use crate::args::MetagraphFormat;
use crate::failure::Failure;
use crate::output::{Output, counted};

#[derive(Serialize)]
struct Line {
    file: String,
    n: usize,
    bytes: usize,
}

pub(super) fn run(
    files: &[PathBuf],
    to: MetagraphFormat,
    path: &Path,
    output: &Output,
) -> Result<(), Failure> {
    let metagraph = read(files)?;
    let bytes = metagraph.to_bytes(to.into())?;
    if path == Path::new("-") {
        return output.print(&bytes);
    }
    replace_file(path, &bytes).map_err(|error| Failure::file(path, error))?;
    let file = path.display().to_string();
    let line = Line { file, n: metagraph.num_uids(), bytes: bytes.len() };
    output.result(&line, |Line { file, n, bytes }| {
        format!("{file}: {}, {}", counted(*n, "uid"), counted(*bytes, "byte"))
    })
}
