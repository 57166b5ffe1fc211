//! The binary, built so that it tells nothing of the machine that built it.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::{files, workspace};

/// Builds apart from all others: their flags differ.
const FOLDERS: [&str; 2] = ["target/dist-build", "target/dist-again"];

/// Builds the binary.
pub(super) fn binary(time: u64) -> Result<PathBuf> {
    build(FOLDERS[0], time)
}

/// Builds the binary in two folders; an error where they differ.
pub(super) fn same_binary(time: u64) -> Result<PathBuf> {
    let [first, second] = [build(FOLDERS[0], time)?, build(FOLDERS[1], time)?];
    ensure!(files::read(&first)? == files::read(&second)?, "two builds of one source differ");
    Ok(first)
}

/// What the compiler makes programs for, such as `x86_64-unknown-linux-gnu`.
pub(super) fn target() -> Result<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = workspace::output(workspace::program(rustc).arg("-vV"))?;
    let version = String::from_utf8_lossy(&version).into_owned();
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` names no host")?.to_owned())
}

fn build(folder: &str, time: u64) -> Result<PathBuf> {
    let folder = workspace::root().join(folder);
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--release", "--locked", "--package", "gating-cli", "--bin", "gating"]);
    cargo.arg("--target-dir").arg(&folder);
    cargo.env("CARGO_INCREMENTAL", "0").env("SOURCE_DATE_EPOCH", time.to_string());
    // It would have cargo build in another folder, in which nothing is looked for.
    cargo.env_remove("CARGO_BUILD_TARGET");
    cargo.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", flags(&folder)?);
    workspace::run(&mut cargo)?;
    Ok(folder.join("release").join(format!("gating{}", env::consts::EXE_SUFFIX)))
}

/// Gives the folders of this machine names that are the same everywhere; of several that fit, the
/// compiler takes the last.
fn flags(target: &Path) -> Result<String> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    let home = home.context("there is no home folder")?;
    let folders = [(home.as_path(), "/cargo"), (workspace::root(), "/gating"), (target, "/target")];
    let flag =
        |(folder, name): (&Path, &str)| format!("--remap-path-prefix={}={name}", folder.display());
    Ok(folders.map(flag).join("\x1f"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_folder_of_this_machine_keeps_its_name() {
        let root = workspace::root();
        let flags = flags(&root.join("target/dist-build")).expect("there is a home folder");
        let last = flags.split('\x1f').next_back().expect("there are flags");
        assert!(last.ends_with("dist-build=/target"), "{last}");
        assert!(flags.contains(&format!("={}=/gating\x1f", root.display())), "{flags}");
    }

    #[test]
    fn a_target_has_an_architecture() {
        let target = target().expect("there is a compiler");
        assert!(target.starts_with(env::consts::ARCH), "{target}");
    }
}
