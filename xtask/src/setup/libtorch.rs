//! LibTorch 2.9 for the CPU, out of PyTorch's wheels: without Python, and without CUDA.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::{Environment, libraries};
use crate::{files, python, workspace};

/// The variable that tells builds where LibTorch lies.
const VARIABLE: &str = "LIBTORCH";

/// The wheels and their hashes, as seen from the root folder.
const REQUIREMENTS: &str = "xtask/src/setup/libtorch.txt";

/// What takes the headers and libraries out of the wheels, as seen from the root folder.
const UNPACK: &str = "xtask/src/setup/libtorch.py";

/// The wheels for one Python on Linux, whichever Python fetches them: no Python runs their content.
const WHEELS: [&str; 8] = [
    "--implementation=cp",
    "--no-cache-dir",
    "--no-deps",
    "--only-binary=:all:",
    "--platform=manylinux2014_x86_64",
    "--platform=manylinux_2_28_x86_64",
    "--python-version=3.11",
    "--require-hashes",
];

/// Finds LibTorch, or fetches it.
pub(super) fn prepare() -> Result<Environment> {
    if let Some(folder) = super::variable(VARIABLE) {
        return given(folder);
    }
    ensure!(
        cfg!(all(target_os = "linux", target_arch = "x86_64")),
        "LibTorch is prepared for Linux on x86-64 alone: expected {VARIABLE} to name the folder of \
         a LibTorch 2.9"
    );
    let folder = super::folder().join("libtorch");
    let requirements = files::read(&workspace::root().join(REQUIREMENTS))?;
    if is_whole(&folder, &requirements) {
        eprintln!("libtorch: found in {}", folder.display());
    } else {
        make(&folder, &requirements)?;
    }
    Ok(environment(folder))
}

/// What the caller has set is only looked at.
fn given(folder: OsString) -> Result<Environment> {
    let folder = PathBuf::from(folder);
    let library = library(&folder);
    ensure!(library.is_file(), "{VARIABLE} is set, but `{}` is not here", library.display());
    eprintln!("libtorch: nothing to do, {VARIABLE} is set to {}", folder.display());
    Ok(environment(folder))
}

fn library(folder: &Path) -> PathBuf {
    folder.join("lib/libtorch_cpu.so")
}

fn environment(folder: PathBuf) -> Environment {
    let libraries = folder.join("lib");
    let environment = Environment::default().with(VARIABLE, folder);
    environment.with("LIBTORCH_CXX11_ABI", "1").with_libraries(libraries)
}

/// Whether the folder was made of these requirements, and nothing in it is missing.
fn is_whole(folder: &Path, requirements: &[u8]) -> bool {
    fs::read(folder.join("requirements.txt")).is_ok_and(|made| made == requirements)
        && check(folder).is_ok()
}

fn check(folder: &Path) -> Result<()> {
    libraries::check(&library(folder), &environment(folder.to_owned()))
}

fn make(folder: &Path, requirements: &[u8]) -> Result<()> {
    super::make(folder, |whole, scratch| {
        eprintln!("libtorch: fetching the wheels of PyTorch 2.9, 0.9 GB, from the index of pip");
        let wheels = scratch.join("wheels");
        let python = python::create(&scratch.join("venv"))?;
        fetch(&python, scratch, &wheels)?;
        eprintln!("libtorch: taking headers and libraries out, 0.5 GB");
        let mut unpack = workspace::program(&python);
        unpack.arg("-B").arg(workspace::root().join(UNPACK)).arg(&wheels).arg(whole);
        super::run_aside(&mut unpack)?;
        check(whole)?;
        let made = whole.join("requirements.txt");
        fs::write(&made, requirements).with_context(|| format!("cannot write `{}`", made.display()))
    })?;
    eprintln!("libtorch: made {}", folder.display());
    Ok(())
}

fn fetch(python: &Path, scratch: &Path, wheels: &Path) -> Result<()> {
    let mut pip = workspace::program(python);
    pip.args(["-m", "pip", "download"]).args(WHEELS).arg("--dest").arg(wheels);
    pip.arg("--requirement").arg(workspace::root().join(REQUIREMENTS));
    // Files that are larger than many a `/tmp`.
    super::run_aside(pip.env("TMPDIR", scratch))
}
