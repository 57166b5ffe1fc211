//! Where the workspace lies, and the programs that are called in it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::iter;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The library crates, lowest first: each may depend on those before it.
pub(crate) const LIBRARIES: [&str; 7] = [
    "gating-arrays",
    "gating-metagraph",
    "gating-log",
    "gating-kernels",
    "gating-devices",
    "gating-core",
    "gating-encoders",
];

/// Those of them that never draw in Burn.
pub(crate) const WITHOUT_TENSORS: [&str; 4] =
    ["gating-arrays", "gating-metagraph", "gating-log", "gating-kernels"];

/// The environment variable that tells the tests where the weights of all-MiniLM-L6-v2 lie.
pub(crate) const WEIGHTS: &str = "GATING_MINILM";

/// The root folder of the workspace.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().expect("the crate is a folder of the workspace")
}

/// The folder that [`WEIGHTS`] names.
pub(crate) fn weights() -> Option<OsString> {
    env::var_os(WEIGHTS).filter(|folder| !folder.is_empty())
}

/// The cargo that runs this task, to be called in the root folder.
pub(crate) fn cargo() -> Command {
    program(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A program of this workspace that was built in `target/<profile>`.
pub(crate) fn built(profile: &str, name: &str) -> Result<PathBuf> {
    Ok(target()?.join(profile).join(executable(name)))
}

/// The file name of a program on this system.
pub(crate) fn executable(name: &str) -> String {
    format!("{name}{}", env::consts::EXE_SUFFIX)
}

/// The folder that cargo builds in.
pub(crate) fn target() -> Result<PathBuf> {
    let metadata = metadata("Cargo.toml")?;
    let target = metadata["target_directory"].as_str().context("cargo names no target folder")?;
    Ok(target.into())
}

/// What cargo knows of the members of a workspace, whose manifest is seen from the root folder.
pub(crate) fn metadata(manifest: &str) -> Result<Value> {
    let mut metadata = cargo();
    metadata.args(["metadata", "--no-deps", "--locked", "--format-version", "1"]);
    Ok(serde_json::from_slice(&output(metadata.args(["--manifest-path", manifest]))?)?)
}

/// A program, to be called in the root folder.
///
/// What `cargo run` tells this program of itself is not meant for others: some tools would take it for
/// what they are told of theirs, and cargo would build anew whatever was built without it.
pub(crate) fn program(name: impl Into<OsString>) -> Command {
    let mut command = Command::new(name.into());
    command.current_dir(root());
    for (name, _) in env::vars_os().filter(|(name, _)| is_of_cargo_run(name)) {
        command.env_remove(name);
    }
    command
}

fn is_of_cargo_run(variable: &OsStr) -> bool {
    let variable = variable.to_string_lossy();
    ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|begin| variable.starts_with(begin))
}

/// Runs a command to its end, which must be a good one.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run `{}`", line(command)))?;
    ensure!(status.success(), "`{}` ended with {status}", line(command));
    Ok(())
}

/// Runs a command and takes what it prints to standard output.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>> {
    let command = command.stderr(Stdio::inherit());
    let output = command.output().with_context(|| format!("cannot run `{}`", line(command)))?;
    ensure!(output.status.success(), "`{}` ended with {}", line(command), output.status);
    Ok(output.stdout)
}

/// A command for people, without its environment.
fn line(command: &Command) -> String {
    let words = iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
