//! Python environments that hold exactly what a list of requirements asks for.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::{files, workspace};

/// The Python of the environment `target/<name>`, made anew where `requirements`, as seen from the
/// root folder, has changed.
pub(crate) fn environment(name: &str, requirements: &str) -> Result<PathBuf> {
    let root = workspace::root();
    let environment = root.join("target").join(name);
    let requirements = root.join(requirements);
    let text = files::read(&requirements)?;
    // The copy is written last: it says that everything was installed.
    let installed = environment.join("requirements.txt");
    if fs::read(&installed).is_ok_and(|installed| installed == text) {
        return Ok(interpreter(&environment));
    }
    println!("making {}", environment.display());
    let python = create(&environment)?;
    // pip's cache would hold PyTorch's wheels a second time, 3 GB.
    let install = ["-m", "pip", "install", "--no-cache-dir", "-r"];
    workspace::run(workspace::program(&python).args(install).arg(&requirements))?;
    fs::write(&installed, text).context("cannot write to the new environment")?;
    Ok(python)
}

/// Makes an environment that holds nothing but pip, and gives its Python.
pub(crate) fn create(environment: &Path) -> Result<PathBuf> {
    let system = if cfg!(windows) { "python" } else { "python3" };
    let create = ["-m", "venv", "--clear"];
    workspace::run(workspace::program(system).args(create).arg(environment))?;
    Ok(interpreter(environment))
}

fn interpreter(environment: &Path) -> PathBuf {
    environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" })
}
