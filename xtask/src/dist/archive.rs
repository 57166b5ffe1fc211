//! A compressed archive that depends on nothing but names, bytes and one time.

use std::io::Write;

use anyhow::{Context, Result, ensure};
use flate2::{Compression, GzBuilder};

/// Bytes that a header and each piece of a file take in the format `ustar` (POSIX.1-1988).
const BLOCK: usize = 512;

/// One file of an archive.
pub(super) struct Entry {
    name: String,
    bytes: Vec<u8>,
    mode: u64,
}

impl Entry {
    pub(super) fn file(name: &str, bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), bytes, mode: 0o644 }
    }

    pub(super) fn program(name: &str, bytes: Vec<u8>) -> Self {
        Self { mode: 0o755, ..Self::file(name, bytes) }
    }
}

/// Packs files, by their names and below one folder, as `.tar.gz`; `time` in seconds since 1970.
pub(super) fn write(folder: &str, entries: &[Entry], time: u64) -> Result<Vec<u8>> {
    let mut tar = Vec::new();
    let mut entries: Vec<&Entry> = entries.iter().collect();
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    for entry in entries {
        tar.extend(header(&format!("{folder}/{}", entry.name), entry, time)?);
        tar.extend(&entry.bytes);
        tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    }
    // Two empty blocks end it.
    tar.resize(tar.len() + 2 * BLOCK, 0);
    compress(&tar).context("memory can be written to")
}

/// The encoder finds the same matches on every processor, and nothing of the system is told.
fn compress(tar: &[u8]) -> std::io::Result<Vec<u8>> {
    // 255 is an unknown system.
    let builder = GzBuilder::new().mtime(0).operating_system(255);
    let mut encoder = builder.write(Vec::new(), Compression::best());
    encoder.write_all(tar)?;
    encoder.finish()
}

fn header(name: &str, entry: &Entry, time: u64) -> Result<[u8; BLOCK]> {
    ensure!(name.len() < 100, "`{name}` has {} bytes, expected less than 100", name.len());
    let mut header = [0; BLOCK];
    let mut put =
        |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, &octal(entry.mode, 7)?);
    put(108, &octal(0, 7)?); // owner and group: root
    put(116, &octal(0, 7)?);
    put(124, &octal(entry.bytes.len() as u64, 11)?);
    put(136, &octal(time, 11)?);
    put(148, "        "); // the sum is taken with spaces in its place
    put(156, "0"); // a file
    put(257, "ustar\x0000");
    let sum: u64 = header.iter().map(|&byte| u64::from(byte)).sum();
    header[148..155].copy_from_slice(format!("{}\0", octal(sum, 6)?).as_bytes());
    Ok(header)
}

/// A number in so many octal digits.
fn octal(number: u64, digits: usize) -> Result<String> {
    let text = format!("{number:0digits$o}");
    ensure!(text.len() == digits, "{number} has more than {digits} octal digits");
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    fn entries() -> Vec<Entry> {
        let program = Entry::program("gating", vec![7; 600]);
        vec![program, Entry::file("README.md", b"text".to_vec())]
    }

    fn unpacked(archive: &[u8]) -> Vec<u8> {
        let mut tar = Vec::new();
        GzDecoder::new(archive).read_to_end(&mut tar).expect("it is whole");
        tar
    }

    #[test]
    fn the_order_of_files_makes_no_difference() {
        let archive = write("gating-1", &entries(), 1_767_225_600).expect("names are short");
        let mut turned = entries();
        turned.reverse();
        assert_eq!(write("gating-1", &turned, 1_767_225_600).expect("names are short"), archive);
        assert_ne!(write("gating-1", &turned, 1_767_225_601).expect("names are short"), archive);
    }

    /// Offsets and forms are those of the standard.
    #[test]
    fn headers_are_those_of_the_standard() {
        let tar = unpacked(&write("a", &entries(), 8).expect("names are short"));
        assert_eq!(tar.len(), 7 * BLOCK);
        let [first, _, second, ..] = tar.as_chunks::<BLOCK>().0 else { unreachable!("7 blocks") };
        assert!(first.starts_with(b"a/README.md\0") && second.starts_with(b"a/gating\0"));
        assert_eq!(&second[100..108], b"0000755\0");
        assert_eq!(&second[124..136], b"00000001130\0");
        assert_eq!(&second[136..148], b"00000000010\0");
        assert_eq!(&second[257..265], b"ustar\x0000");
        let sum: usize = second.iter().map(|&byte| usize::from(byte)).sum();
        let stored: usize = second[148..156].iter().map(|&byte| usize::from(byte)).sum();
        let expected = format!("{:06o}\0 ", sum - stored + 8 * usize::from(b' '));
        assert_eq!(&second[148..156], expected.as_bytes());
        assert_eq!(&tar[3 * BLOCK..3 * BLOCK + 600], [7; 600]);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let error = write(&"a".repeat(100), &entries(), 0).err().map(|error| error.to_string());
        assert!(
            error.is_some_and(|error| error.ends_with("has 110 bytes, expected less than 100"))
        );
        let error = write("a", &entries(), 1 << 33).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("8589934592 has more than 11 octal digits"));
    }
}
