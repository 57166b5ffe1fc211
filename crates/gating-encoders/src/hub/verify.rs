//! What is in the cache against the checksums that the hub gave for it.

use std::fs::{self, DirEntry};
use std::path::Path;

use crate::HubError;
use crate::hub::checksum::checksum_like;

/// Compares the files of a snapshot, which are links to contents named after their checksums, with
/// these, and returns how many were compared. Other files have no checksum, and are passed over;
/// so are all where the system has no links, and the cache holds copies.
/// Nobody is asked.
///
/// # Errors
///
/// When a file cannot be read, or is not what the hub gave.
pub fn verify_snapshot(folder: &Path) -> Result<usize, HubError> {
    let mut compared = 0;
    for entry in fs::read_dir(folder).map_err(HubError::io(folder))? {
        let entry = entry.map_err(HubError::io(folder))?;
        let kind = entry.file_type().map_err(HubError::io(&entry.path()))?;
        compared += match (kind.is_dir(), kind.is_symlink()) {
            (true, _) => verify_snapshot(&entry.path())?,
            (_, true) => usize::from(verify(&entry)?),
            _ => 0,
        };
    }
    Ok(compared)
}

/// Whether a link leads to a content whose name is a checksum, which then is the right one.
fn verify(link: &DirEntry) -> Result<bool, HubError> {
    let content = fs::canonicalize(link.path()).map_err(HubError::io(&link.path()))?;
    let expected = content.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match checksum_like(expected, &content).map_err(HubError::io(&content))? {
        None => Ok(false),
        Some(found) if found.eq_ignore_ascii_case(expected) => Ok(true),
        Some(found) => Err(HubError::Checksum {
            file: content.display().to_string(),
            expected: expected.to_owned(),
            found,
        }),
    }
}
