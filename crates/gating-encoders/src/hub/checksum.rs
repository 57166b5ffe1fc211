//! The checksums that a hub gives for its files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The checksum of a file, of the kind that an etag is: the SHA-256 of large files, and of small
/// ones the SHA-1 that git gives them. Nothing where the etag is neither.
pub(crate) fn checksum_like(etag: &str, path: &Path) -> io::Result<Option<String>> {
    if !etag.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(None);
    }
    match etag.len() {
        64 => digest(Sha256::new(), File::open(path)?).map(Some),
        40 => git_blob(path).map(Some),
        _ => Ok(None),
    }
}

/// What `git hash-object` says.
fn git_blob(path: &Path) -> io::Result<String> {
    let file = File::open(path)?;
    let header = format!("blob {}\0", file.metadata()?.len());
    digest(Sha1::new_with_prefix(header), file)
}

fn digest(mut hasher: impl Digest, mut file: File) -> io::Result<String> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &str, etag: &str, expected: bool) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("file");
        std::fs::write(&path, content).expect("a file");
        let found = checksum_like(etag, &path).expect("a checksum");
        assert_eq!(found.as_deref(), expected.then_some(etag), "{content:?}");
    }

    /// The numbers are those of coreutils `sha256sum` and of `git hash-object`.
    #[test]
    fn files_have_the_checksums_that_other_programs_find() {
        check("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", true);
        check("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", true);
        check("", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", true);
        check("hello world\n", "3b18e512dba79e4c8300dd08aeb37f8e728b8dad", true);
        check("abc", "900150983cd24fb0d6963f7d28e17f72", false);
        check("abc", "an-etag", false);
    }
}
