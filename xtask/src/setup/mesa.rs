//! Lavapipe, the Vulkan driver of Mesa that computes on the CPU, and the loader of Vulkan drivers.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::apt::Apt;
use super::{Environment, libraries};
use crate::{files, workspace};

/// The variable that tells the loader which drivers there are.
const VARIABLE: &str = "VK_DRIVER_FILES";

/// The oldest Mesa whose lavapipe passes the tests.
const OLDEST: u32 = 25;

/// The release of Debian whose backports have such a Mesa.
const RELEASE: &str = "bookworm";

const MESA: &str = "mesa-vulkan-drivers";
const LOADER: &str = "libvulkan1";

/// The libraries of driver and loader, and what tells the loader of the driver.
const DRIVER: &str = "lib/libvulkan_lvp.so";
const VULKAN: &str = "lib/libvulkan.so.1";
const MANIFEST: &str = "lvp_icd.json";

/// Finds the driver, or fetches it.
pub(super) fn prepare() -> Result<Environment> {
    if let Some(drivers) = super::variable(VARIABLE) {
        return given(drivers);
    }
    let folder = super::folder().join("mesa");
    if check(&folder).is_ok() {
        eprintln!("wgpu: found lavapipe in {}", folder.display());
    } else {
        make(&folder)?;
    }
    let runtime = runtime()?;
    Ok(environment(folder).and(runtime))
}

/// What the caller has set is only looked at.
fn given(drivers: OsString) -> Result<Environment> {
    for driver in env::split_paths(&drivers) {
        ensure!(driver.exists(), "{VARIABLE} is set, but `{}` is not here", driver.display());
    }
    eprintln!("wgpu: nothing to do, {VARIABLE} is set to {}", drivers.display());
    Ok(Environment::default().with(VARIABLE, drivers).and(runtime()?))
}

fn environment(folder: PathBuf) -> Environment {
    let environment = Environment::default().with(VARIABLE, folder.join(MANIFEST));
    environment.with_libraries(folder.join("lib"))
}

/// Drivers take a folder that nobody else can read; who has none gets one.
fn runtime() -> Result<Environment> {
    const VARIABLE: &str = "XDG_RUNTIME_DIR";
    if super::variable(VARIABLE).is_some() {
        return Ok(Environment::default());
    }
    let folder = super::folder().join("runtime");
    workspace::run(workspace::program("mkdir").args(["-p", "-m", "700"]).arg(&folder))?;
    Ok(Environment::default().with(VARIABLE, folder))
}

/// Fails where something of the driver is missing, here or on the machine.
fn check(folder: &Path) -> Result<()> {
    let manifest = folder.join(MANIFEST);
    ensure!(manifest.is_file(), "`{}` is not here", manifest.display());
    let environment = environment(folder.to_owned());
    [DRIVER, VULKAN].iter().try_for_each(|name| libraries::check(&folder.join(name), &environment))
}

fn make(folder: &Path) -> Result<()> {
    let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
    ensure!(
        is_known(&system),
        "a Vulkan driver is prepared on Debian {RELEASE} alone: install the loader of Vulkan and the \
         lavapipe of Mesa {OLDEST} or newer, and let {VARIABLE} name the driver's file, such as \
         /usr/share/vulkan/icd.d/lvp_icd.json"
    );
    super::make(folder, |whole, scratch| {
        let packages = download(scratch)?;
        let unpacked = scratch.join("unpacked");
        for package in &packages {
            let mut unpack = workspace::program("dpkg-deb");
            super::run_aside(unpack.arg("--extract").arg(package).arg(&unpacked))?;
        }
        gather(&unpacked, whole)?;
        check(whole)
    })?;
    eprintln!("wgpu: made {}", folder.display());
    Ok(())
}

/// Whether the system is the one whose packages these are.
fn is_known(system: &str) -> bool {
    value(system, "ID") == Some("debian") && value(system, "VERSION_CODENAME") == Some(RELEASE)
}

/// Downloads the packages of driver and loader, with those of all that they need.
fn download(scratch: &Path) -> Result<Vec<PathBuf>> {
    eprintln!("wgpu: asking the machine's mirror of Debian for {RELEASE} and its backports");
    let apt = Apt::update(scratch.join("apt"), RELEASE)?;
    eprintln!("wgpu: downloading {MESA} and what it needs, to be unpacked, not installed");
    let packages = apt.download(&[MESA, LOADER])?;
    let names: Vec<&str> = packages.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    ensure_new(&names)?;
    eprintln!("wgpu: downloaded {}", names.join(" "));
    Ok(packages)
}

/// The value of a key in a file like `/etc/os-release`.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut lines = text.lines().filter_map(|line| line.split_once('='));
    lines.find(|(name, _)| *name == key).map(|(_, value)| value.trim_matches(['"', '\'']))
}

/// Fails where the packages hold no Mesa or one that is too old.
fn ensure_new(packages: &[&str]) -> Result<()> {
    let found = packages.iter().find_map(|package| mesa_version(package));
    let (found, version) = found.with_context(|| format!("apt downloaded no `{MESA}`"))?;
    ensure!(version >= OLDEST, "expected Mesa {OLDEST} or newer, found `{found}`");
    Ok(())
}

/// A package of the driver, and its major version.
fn mesa_version(package: &str) -> Option<(&str, u32)> {
    let (_, version) = package.split_once(MESA)?;
    let (major, _) = version.strip_prefix('_')?.split_once('.')?;
    Some((package, major.parse().ok()?))
}

/// Takes the libraries and the driver's manifest out of unpacked packages.
fn gather(unpacked: &Path, whole: &Path) -> Result<()> {
    let (libraries, manifest) = (whole.join("lib"), whole.join(MANIFEST));
    fs::create_dir_all(&libraries).context("cannot make the folder of libraries")?;
    for path in files::under(unpacked)? {
        let name = path.file_name().unwrap_or_default();
        if is_library(&path) {
            let gathered = libraries.join(name);
            fs::rename(&path, gathered)
                .with_context(|| format!("cannot move `{}`", path.display()))?;
        } else if name.to_string_lossy().starts_with("lvp_icd") {
            files::replace(&manifest, &placed(&files::read(&path)?)?)?;
        }
    }
    Ok(())
}

/// Whether a file lies where the loader looks: in `lib/<platform>`, and no deeper.
fn is_library(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.ancestors().nth(2).unwrap_or(path);
    name.contains(".so") && folder.ends_with("lib")
}

/// A manifest that names the driver beside it.
fn placed(manifest: &[u8]) -> Result<String> {
    let mut manifest: Value =
        serde_json::from_slice(manifest).context("no manifest of a driver")?;
    let library = manifest.pointer_mut("/ICD/library_path");
    *library.context("a manifest that names no library")? = Value::from(DRIVER);
    Ok(manifest.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_known_by_its_release() {
        let check = |text: &str, expected| assert_eq!(is_known(text), expected, "{text}");
        check("PRETTY_NAME=\"Debian 12\"\nID=debian\nVERSION_CODENAME=bookworm\n", true);
        check("ID='debian'\n# NONE\n\nVERSION_CODENAME=\"bookworm\"", true);
        check("ID=debian\nVERSION_CODENAME=trixie\n", false);
        check("ID=raspbian\nID_LIKE=debian\nVERSION_CODENAME=bookworm\n", false);
        check("ID=debian\nDEBIAN_CODENAME=bookworm\n", false);
        check("", false);
    }

    #[test]
    fn a_package_tells_its_version() {
        let check = |package: &str, expected: Option<u32>| {
            assert_eq!(mesa_version(package).map(|(_, major)| major), expected, "{package}");
        };
        check("mesa-vulkan-drivers_25.0.7-2~bpo12+1_amd64.deb", Some(25));
        check("mesa-vulkan-drivers_22.3.6-1+deb12u1_amd64.deb", Some(22));
        check("mesa-libgallium_25.0.7-2~bpo12+1_amd64.deb", None);
        check("mesa-vulkan-drivers-dbg_25.0.7_amd64.deb", None);
    }

    #[test]
    fn old_and_missing_drivers_are_errors() {
        let check = |package: &str, expected: &str| {
            let error =
                ensure_new(&["libdrm2_2.4.123-1_amd64.deb", package]).expect_err("it is refused");
            assert_eq!(error.to_string(), expected);
        };
        let old = "mesa-vulkan-drivers_22.3.6-1_amd64.deb";
        check(old, &format!("expected Mesa 25 or newer, found `{old}`"));
        check("libvulkan1_1.3.239.0-1_amd64.deb", "apt downloaded no `mesa-vulkan-drivers`");
    }

    #[test]
    fn libraries_lie_in_the_folder_of_a_platform() {
        let check =
            |path: &str, expected| assert_eq!(is_library(Path::new(path)), expected, "{path}");
        check("u/usr/lib/x86_64-linux-gnu/libvulkan.so.1", true);
        check("u/lib/x86_64-linux-gnu/libz.so.1.2.13", true);
        check("u/usr/lib/x86_64-linux-gnu/dri/zink_dri.so", false);
        check("u/usr/lib/x86_64-linux-gnu/pkgconfig", false);
        check("u/usr/share/doc/libz.so", false);
    }

    #[test]
    fn a_manifest_names_the_driver_beside_it() {
        let manifest =
            br#"{"ICD": {"api_version": "1.4.305", "library_path": "libvulkan_lvp.so"}}"#;
        let placed = placed(manifest).expect("it names a library");
        let placed: Value = serde_json::from_str(&placed).expect("it is JSON");
        assert_eq!(placed["ICD"]["library_path"], DRIVER);
        assert_eq!(placed["ICD"]["api_version"], "1.4.305");
    }
}
