//! A drawing that is written at the end, to a place that is known to be writable at the start.

use std::fs;
use std::path::{Path, PathBuf};

use crate::chart::{self, Panel};
use crate::failure::{Failure, Kind};

/// Where a drawing will be written to.
#[derive(Debug)]
pub(crate) struct Plot(PathBuf);

impl Plot {
    /// Makes the folder where there is none, and sees whether a file can be written there.
    pub(crate) fn prepare(path: &Path) -> Result<Self, Failure> {
        if !path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("svg")) {
            let message = format!("plots are SVG, which {} does not say", path.display());
            let failure = Failure::new(Kind::Usage, anyhow::Error::msg(message));
            return Err(failure.hint("end the name with .svg"));
        }
        let file = |error| Failure::file(path, error).context("the plot cannot be written");
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        fs::create_dir_all(folder).map_err(file)?;
        if path.is_dir() {
            return Err(file(std::io::ErrorKind::IsADirectory.into()));
        }
        tempfile::NamedTempFile::new_in(folder).map_err(file)?;
        Ok(Self(path.to_owned()))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, title: &str, panels: &[Panel]) -> Result<(), Failure> {
        let svg = chart::svg(title, panels)?;
        gating_metagraph::replace_file(&self.0, svg.as_bytes())
            .map_err(|error| Failure::file(&self.0, error))
    }
}
