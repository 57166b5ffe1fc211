//! The download of one file, which goes on where an earlier one stopped.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::hub::cache;
use crate::hub::checksum::checksum_like;
use crate::hub::client::Client;
use crate::hub::remote::RemoteFile;
use crate::{HubError, Progress};

/// How many bytes come between two reports.
const STEP: u64 = 1 << 18;

/// Brings the content of a file to `blob`, whole and checked. Its etag must be locked.
pub(crate) fn download(
    client: &Client,
    remote: &RemoteFile<'_>,
    blob: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), HubError> {
    let mut report =
        |done, total| progress(Progress { file: remote.asked.file.to_owned(), done, total });
    if let Some(length) = length_of_whole(blob, remote) {
        report(length, Some(length));
        return Ok(());
    }
    let mut partial = Partial::open(remote, blob)?;
    report(partial.done, remote.size);
    let mut failures = 0;
    loop {
        let before = partial.done;
        let Err(error) = partial.fetch(client, &mut report) else {
            break;
        };
        // As long as bytes come, attempts are not in vain.
        failures = if partial.done > before { 1 } else { failures + 1 };
        client.pause_after(failures, error)?;
    }
    partial.check()?;
    report(partial.done, Some(partial.done));
    partial.finish(blob)
}

/// How long the content is, if it is there already.
fn length_of_whole(blob: &Path, remote: &RemoteFile<'_>) -> Option<u64> {
    let length = blob.metadata().ok()?.len();
    remote.size.is_none_or(|size| size == length).then_some(length)
}

/// What is here of the content of a file.
struct Partial<'a> {
    remote: &'a RemoteFile<'a>,
    path: PathBuf,
    file: File,
    done: u64,
    /// Whether any of it came in this download.
    begun: bool,
}

impl<'a> Partial<'a> {
    fn open(remote: &'a RemoteFile<'a>, blob: &Path) -> Result<Self, HubError> {
        let path = cache::partial(blob);
        let open = || {
            cache::create_parent(&path)?;
            let file = File::options().append(true).create(true).open(&path)?;
            let done = file.metadata()?.len();
            Ok((file, done))
        };
        let (file, done) = open().map_err(HubError::io(&path))?;
        let mut partial = Self { remote, path, file, done, begun: false };
        if remote.size.is_some_and(|size| size < done) {
            partial.restart()?;
        }
        Ok(partial)
    }

    fn restart(&mut self) -> Result<(), HubError> {
        self.file.set_len(0).map_err(HubError::io(&self.path))?;
        self.done = 0;
        Ok(())
    }

    /// Asks once for what is missing.
    fn fetch(
        &mut self,
        client: &Client,
        report: &mut impl FnMut(u64, Option<u64>),
    ) -> Result<(), HubError> {
        let total = self.remote.size;
        if total == Some(self.done) {
            return Ok(());
        }
        let (from, content) =
            client.get(self.remote, self.done).map_err(|error| self.cut_once_begun(error))?;
        if from < self.done {
            self.restart()?;
        }
        // One byte too many is enough to know that the length is wrong.
        let missing = total.map_or(u64::MAX, |total| (total - self.done).saturating_add(1));
        self.copy(content.take(missing), report)?;
        match total {
            Some(expected) if self.done < expected => Err(self.wrong_length(expected)),
            _ => Ok(()),
        }
    }

    /// A host that sent something was within reach, and may be again.
    fn cut_once_begun(&self, error: HubError) -> HubError {
        match error {
            HubError::Unreachable { source, .. } if self.begun => self.cut(source.into_io()),
            error => error,
        }
    }

    fn copy(
        &mut self,
        mut content: impl Read,
        report: &mut impl FnMut(u64, Option<u64>),
    ) -> Result<(), HubError> {
        let mut buffer = vec![0; 1 << 16];
        let mut reported = self.done;
        loop {
            let count = content.read(&mut buffer).map_err(|error| self.cut(error))?;
            if count == 0 {
                return Ok(());
            }
            self.file.write_all(&buffer[..count]).map_err(HubError::io(&self.path))?;
            self.done += count as u64;
            self.begun = true;
            if self.done >= reported + STEP {
                reported = self.done;
                report(self.done, self.remote.size);
            }
        }
    }

    /// Deletes what is not the content that the hub told of.
    fn check(&self) -> Result<(), HubError> {
        let checked = self.check_length().and_then(|()| self.check_checksum());
        if checked.is_err() {
            // What is wrong with the file is worth more than why it cannot be deleted.
            let _ = fs::remove_file(&self.path);
        }
        checked
    }

    fn check_length(&self) -> Result<(), HubError> {
        match self.remote.size {
            Some(expected) if self.done != expected => Err(self.wrong_length(expected)),
            _ => Ok(()),
        }
    }

    fn check_checksum(&self) -> Result<(), HubError> {
        let expected = &self.remote.etag;
        match checksum_like(expected, &self.path).map_err(HubError::io(&self.path))? {
            Some(found) if !found.eq_ignore_ascii_case(expected) => Err(HubError::Checksum {
                file: self.remote.asked.file.to_owned(),
                expected: expected.clone(),
                found,
            }),
            _ => Ok(()),
        }
    }

    fn finish(self, blob: &Path) -> Result<(), HubError> {
        let finish = || {
            self.file.sync_all()?;
            fs::rename(&self.path, blob)
        };
        finish().map_err(HubError::io(&self.path))
    }

    fn cut(&self, source: io::Error) -> HubError {
        HubError::Cut { file: self.remote.asked.file.to_owned(), done: self.done, source }
    }

    fn wrong_length(&self, expected: u64) -> HubError {
        HubError::Length { file: self.remote.asked.file.to_owned(), expected, found: self.done }
    }
}
