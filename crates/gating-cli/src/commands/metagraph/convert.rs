//! `gating metagraph convert`: one form of a metagraph made another.

use std::path::{Path, PathBuf};

use gating_metagraph::replace_file;
use serde::Serialize;

use super::read;
use crate::args::MetagraphFormat;
use crate::failure::{Failure, Kind};
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
    check_output(files, path)?;
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

/// Refuses to write over what is read: other forms keep less of it.
fn check_output(files: &[PathBuf], path: &Path) -> Result<(), Failure> {
    // A file that is not there yet is none of those that are read.
    let Ok(place) = path.canonicalize() else { return Ok(()) };
    let is_read = |file: &PathBuf| file.canonicalize().is_ok_and(|file| file == place);
    if !files.iter().any(is_read) {
        return Ok(());
    }
    let message = format!("{} is the file that is read", path.display());
    let failure = Failure::new(Kind::Usage, anyhow::Error::msg(message));
    Err(failure.hint("name another file with --output"))
}
