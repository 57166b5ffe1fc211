//! The right to write to a checkpoint folder.

use std::fs::{self, File, TryLockError};
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::disk::{Disk, SystemDisk};
use super::files::{self, LATEST, file_name};
use crate::{Checkpoint, Error};

/// Locked by the process that may write.
const LOCK: &str = "lock";
/// A file while it is being written.
const PARTIAL: &str = "partial";
/// How many checkpoints are kept unless the writer says otherwise.
const KEPT: NonZeroUsize = NonZeroUsize::new(3).expect("3 is not 0");

/// A folder that this process alone writes checkpoints to, until it is dropped.
///
/// Each checkpoint is a file with a number. The file `latest` names the newest one that is
/// whole; a file with a higher number is what an interrupted write left behind, and the next write
/// takes its place.
#[derive(Debug)]
pub struct CheckpointFolder {
    path: PathBuf,
    kept: NonZeroUsize,
    disk: Box<dyn Disk>,
    /// The system lets go of the lock however the process ends.
    lock: File,
}

impl CheckpointFolder {
    /// Opens a folder for writing, and makes it if there is none. The last 3 checkpoints are kept.
    ///
    /// # Errors
    ///
    /// When another process has it open, or the folder cannot be made or written to.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = |source| Error::CheckpointFile { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(file)?;
        // Not emptied: in a folder that was mistyped it may be somebody's.
        let lock = File::options().write(true).create(true).truncate(false).open(path.join(LOCK));
        let lock = lock.map_err(file)?;
        match lock.try_lock() {
            Ok(()) => {
                Ok(Self { path: path.to_owned(), kept: KEPT, disk: Box::new(SystemDisk), lock })
            }
            Err(TryLockError::WouldBlock) => {
                Err(Error::CheckpointInUse { folder: path.to_owned() })
            }
            Err(TryLockError::Error(source)) => Err(file(source)),
        }
    }

    /// Keeps so many of the last checkpoints, from the next write on.
    #[must_use]
    pub fn keep(self, kept: NonZeroUsize) -> Self {
        Self { kept, ..self }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the newest checkpoint in the folder, or nothing where none was written yet.
    ///
    /// # Errors
    ///
    /// As [`Checkpoint::read`], but for a folder without a checkpoint.
    pub fn read(&self) -> Result<Option<Checkpoint>, Error> {
        files::read(&self.path)
    }

    /// Writes a checkpoint after the newest one, and removes those that are not kept any longer.
    /// Whatever interrupts it, the folder leads to the checkpoint before or to this one, whole.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written to, or is not the one any more that was opened. The
    /// checkpoints before are untouched then, and it can be tried again.
    pub fn write(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        self.check_lock()?;
        let number = files::newest(&self.path)?.map_or(1, |newest| newest.saturating_add(1));
        let path = self.path.join(file_name(number));
        let unusable = |source| Error::Checkpoint { path: path.clone(), source };
        let bytes = checkpoint.to_bytes().map_err(unusable)?;
        self.replace(&path, &bytes)?;
        self.point_to(number)?;
        self.remove_old(number);
        Ok(())
    }

    /// Makes the checkpoint with the highest number that is whole the newest, and returns it. A
    /// newest one that is whole stays it.
    ///
    /// # Errors
    ///
    /// When no checkpoint in the folder is whole, or the folder cannot be written to.
    pub fn fall_back(&self) -> Result<Checkpoint, Error> {
        self.check_lock()?;
        if let Ok(Some(newest)) = self.read() {
            return Ok(newest);
        }
        let (number, checkpoint) = files::newest_whole(&self.path)?;
        self.point_to(number)?;
        Ok(checkpoint)
    }

    fn point_to(&self, number: u64) -> Result<(), Error> {
        self.replace(&self.path.join(LATEST), format!("{}\n", file_name(number)).as_bytes())
    }

    /// Writes a file whole or not at all.
    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        // One writer holds the lock, so that the name can be fixed: what an interrupted write
        // left behind is written over, and never piles up.
        let partial = self.path.join(PARTIAL);
        let disk = &self.disk;
        let renamed = disk.write(&partial, bytes).and_then(|()| disk.rename(&partial, path));
        if renamed.is_err() {
            // A full disk gets its space back; where even this fails, the next write tries again.
            let _ = disk.remove(&partial);
        }
        let synced = renamed.and_then(|()| disk.sync_folder(&self.path));
        synced.map_err(|source| Error::CheckpointFile { path: path.to_owned(), source })
    }

    /// Removes all checkpoints but those to keep. What cannot be removed is tried again after the
    /// next write: nobody waits for it.
    fn remove_old(&self, newest: u64) {
        let kept = newest.saturating_sub(self.kept.get() as u64 - 1)..=newest;
        for number in files::numbers(&self.path).unwrap_or_default() {
            if !kept.contains(&number) {
                let _ = self.disk.remove(&self.path.join(file_name(number)));
            }
        }
    }

    /// Refuses a folder in whose place there is another or none: another process could hold the
    /// lock in it.
    fn check_lock(&self) -> Result<(), Error> {
        match is_at(&self.lock, &self.path.join(LOCK)) {
            Ok(true) => Ok(()),
            _ => Err(Error::CheckpointFolderGone { folder: self.path.clone() }),
        }
    }
}

/// Whether an open file is the one at a path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let (ours, theirs) = (file.metadata()?, fs::metadata(path)?);
    Ok((ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino()))
}

/// Elsewhere an open file cannot be removed or replaced.
#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> io::Result<bool> {
    path.try_exists()
}

#[cfg(test)]
mod tests;
