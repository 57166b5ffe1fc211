//! What the tests of other devices need, fetched from package registries into `target/devices`.

mod apt;
mod environment;
mod libraries;
mod libtorch;
mod mesa;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

pub(crate) use self::environment::Environment;
use crate::workspace;

/// A device beside the CPU that can be prepared without root and without a GPU.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Device {
    /// LibTorch for the CPU.
    Libtorch,
    /// A Vulkan driver that computes on the CPU.
    Wgpu,
}

impl Device {
    pub(crate) const ALL: [Self; 2] = [Self::Libtorch, Self::Wgpu];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Libtorch => "libtorch",
            Self::Wgpu => "wgpu",
        }
    }

    /// Fetches what is missing, and says on standard error what it does.
    fn prepare(self) -> Result<Environment> {
        match self {
            Self::Libtorch => libtorch::prepare(),
            Self::Wgpu => mesa::prepare(),
        }
    }
}

/// Prepares a device, and prints the environment as a shell takes it.
pub(crate) fn run(device: Device) -> Result<()> {
    print!("{}", device.prepare()?);
    Ok(())
}

/// Prepares every device; what building and running with them needs.
pub(crate) fn environment() -> Result<Environment> {
    let devices = Device::ALL.into_iter();
    devices.map(Device::prepare).try_fold(Environment::default(), |all, one| Ok(all.and(one?)))
}

/// Where the prepared devices lie.
fn folder() -> PathBuf {
    workspace::root().join("target/devices")
}

/// What an environment variable is set to, unless that is nothing.
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// Runs a command that may talk: what it prints must not end up in a shell.
fn run_aside(command: &mut Command) -> Result<()> {
    workspace::run(command.stdout(io::stderr()))
}

/// Makes a folder anew. It is filled elsewhere, beside a folder for what is not kept, and renamed,
/// so that it is whole where it exists.
fn make(folder: &Path, fill: impl FnOnce(&Path, &Path) -> Result<()>) -> Result<()> {
    let partial = folder.with_added_extension("partial");
    let (whole, scratch) = (partial.join("whole"), partial.join("scratch"));
    remove(&partial)?;
    for folder in [&whole, &scratch] {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make `{}`", folder.display()))?;
    }
    fill(&whole, &scratch)?;
    remove(folder)?;
    fs::rename(&whole, folder).with_context(|| format!("cannot place `{}`", folder.display()))?;
    remove(&partial)
}

/// Removes a folder, if there is one.
fn remove(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder).with_context(|| format!("cannot remove `{}`", folder.display()))
}

#[cfg(test)]
mod tests {
    use std::process;

    use anyhow::bail;

    use super::*;

    #[test]
    fn a_folder_is_whole_or_as_it_was() {
        let parent = env::temp_dir().join(format!("gating-setup-{}", process::id()));
        let folder = parent.join("device");
        let fill = |text: &'static str| {
            move |whole: &Path, scratch: &Path| {
                fs::write(scratch.join("rest"), text)?;
                Ok(fs::write(whole.join("file"), text)?)
            }
        };
        let fail = |whole: &Path, _: &Path| {
            fs::write(whole.join("half"), "")?;
            bail!("no space left")
        };
        let read = || fs::read_to_string(folder.join("file")).ok();
        let names = |folder: &Path| fs::read_dir(folder).expect("it is there").count();

        assert!(make(&folder, fail).is_err());
        assert!(!folder.exists());
        make(&folder, fill("first")).expect("the folder can be written to");
        assert_eq!((read().as_deref(), names(&folder), names(&parent)), (Some("first"), 1, 1));
        assert!(make(&folder, fail).is_err());
        assert_eq!(read().as_deref(), Some("first"));
        make(&folder, fill("second")).expect("the folder can be written to");
        assert_eq!((read().as_deref(), names(&folder), names(&parent)), (Some("second"), 1, 1));
        fs::remove_dir_all(&parent).expect("the folder can be written to");
    }
}
