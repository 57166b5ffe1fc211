//! Files that must be there, and files that are too large for git.

use std::fs;

use anyhow::Result;

use super::Violation;
use crate::workspace;

const EXPECTED: [&str; 8] = [
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "SECURITY.md",
];

/// The largest file that git may track, in bytes.
const MAX_SIZE: u64 = 2 << 20;

/// Files that every workspace of this kind has.
pub(super) fn missing() -> Vec<Violation> {
    let missing = EXPECTED.into_iter().filter(|name| !workspace::root().join(name).is_file());
    missing.map(|name| Violation::new(name, 1, "is missing")).collect()
}

/// Tracked files of more than 2 MiB; without a repository nothing is tracked.
pub(super) fn large() -> Result<Vec<Violation>> {
    if !workspace::root().join(".git").exists() {
        return Ok(Vec::new());
    }
    let listed = workspace::output(workspace::program("git").args(["ls-files", "-z"]))?;
    let listed = String::from_utf8_lossy(&listed);
    // A file that is tracked and deleted has no size.
    let size = |path: &str| Some(fs::metadata(workspace::root().join(path)).ok()?.len());
    let sizes = listed.split_terminator('\0').filter_map(|path| Some((path, size(path)?)));
    Ok(sizes.filter_map(|(path, size)| too_large(path, size)).collect())
}

fn too_large(path: &str, size: u64) -> Option<Violation> {
    let message = || format!("has {size} bytes, expected at most {MAX_SIZE}");
    (size > MAX_SIZE).then(|| Violation::new(path, 1, message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_mebibytes_are_the_most() {
        assert_eq!(too_large("model", 2_097_152), None);
        let found = too_large("model", 2_097_153).map(|violation| violation.to_string());
        let expected = "model:1: has 2097153 bytes, expected at most 2097152";
        assert_eq!(found.as_deref(), Some(expected));
    }
}
