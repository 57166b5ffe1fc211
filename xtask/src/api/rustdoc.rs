//! What rustdoc knows of the libraries, as JSON.
//!
//! A stable rustdoc writes JSON only where `RUSTC_BOOTSTRAP` is set. Build scripts ask for that variable
//! too, so that Burn would be built anew if cargo had it: cargo gets this program as its rustdoc, and the
//! real one alone gets the variable.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use super::document::Document;
use crate::workspace;

/// The environment variable that has this program act as rustdoc, and holds where that is.
const REAL: &str = "XTASK_RUSTDOC";

const JSON: &str = "-Z unstable-options --output-format json";

/// Calls rustdoc with the arguments of this process, where cargo was told to call it so.
pub(crate) fn act_as_rustdoc() -> Option<ExitCode> {
    let mut rustdoc = unlocked(env::var_os(REAL)?);
    match rustdoc.args(env::args_os().skip(1)).status() {
        Ok(status) if status.success() => Some(ExitCode::SUCCESS),
        Ok(_) => Some(ExitCode::FAILURE),
        Err(error) => {
            eprintln!("error: cannot run {rustdoc:?}: {error}");
            Some(ExitCode::FAILURE)
        }
    }
}

/// A rustdoc that may do what only a nightly one does.
fn unlocked(rustdoc: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(rustdoc);
    command.env("RUSTC_BOOTSTRAP", "1");
    command
}

/// What rustdoc writes of each library, by its name. All of the workspace is documented, since its
/// dependencies would be built with other features for some of it.
pub(super) fn documents(
    libraries: &[String],
    features: Option<&str>,
) -> Result<BTreeMap<String, Document>> {
    let mut doc = workspace::cargo();
    let real = rustdoc_beside(Path::new(doc.get_program()));
    doc.args(["doc", "--workspace", "--no-deps", "--lib", "--locked"])
        .env("RUSTDOC", env::current_exe().context("cannot tell where this program lies")?)
        .env("RUSTDOCFLAGS", JSON)
        .env(REAL, real);
    if let Some(features) = features {
        doc.args(["--features", features]);
    }
    workspace::run(&mut doc)?;
    let folder = workspace::target()?.join("doc");
    let read = |library: &String| {
        let path = folder.join(library.replace('-', "_")).with_extension("json");
        Ok((library.clone(), Document::read(&path)?))
    };
    libraries.iter().map(read).collect()
}

/// The rustdoc of a toolchain, by its cargo.
fn rustdoc_beside(cargo: &Path) -> PathBuf {
    cargo.with_file_name(format!("rustdoc{}", env::consts::EXE_SUFFIX))
}

/// What rustdoc writes of a library without dependencies, of one file in a folder of its own.
#[cfg(test)]
pub(super) fn document(source: &Path) -> Result<Document> {
    let folder = source.parent().context("the file lies in a folder")?;
    let mut rustdoc = unlocked(rustdoc_beside(Path::new(workspace::cargo().get_program())));
    rustdoc.args(JSON.split(' ')).args(["--edition", "2024", "--out-dir"]).arg(folder).arg(source);
    workspace::run(&mut rustdoc)?;
    Document::read(&source.with_extension("json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rustdoc_lies_beside_cargo() {
        let name = format!("rustdoc{}", env::consts::EXE_SUFFIX);
        assert_eq!(rustdoc_beside(Path::new("cargo")), Path::new(&name));
        assert_eq!(rustdoc_beside(Path::new("bin/cargo")), Path::new("bin").join(name));
    }
}
