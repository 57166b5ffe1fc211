//! The bytes of a log, decompressed where they are compressed.

mod zip;
mod zstd;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use crate::Error;

/// How many bytes at the start of a log tell it from others.
pub(crate) const HEAD: u64 = 4096;
/// How much is read at once.
const BUFFER: usize = 1 << 16;

/// What files begin with that are compressed, and whether they can be read.
const MAGIC: [(&[u8], Compression); 5] = [
    (b"\x1f\x8b", Compression::Gzip),
    (b"PK\x03\x04", Compression::Zip),
    (b"\x28\xb5\x2f\xfd", Compression::Zstd),
    (b"BZh", Compression::Unknown("bzip2")),
    (b"\xfd7zXZ", Compression::Unknown("xz")),
];
const LONGEST_MAGIC: u64 = 6;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Compression {
    None,
    Gzip,
    Zip,
    Zstd,
    Unknown(&'static str),
}

impl Compression {
    fn of(start: &[u8]) -> Self {
        let known = MAGIC.iter().find(|(magic, _)| start.starts_with(magic));
        known.map_or(Self::None, |(_, compression)| *compression)
    }
}

/// How far the reading of a log has come, as its file counts bytes.
#[derive(Clone, Debug)]
pub struct Meter {
    read: Arc<AtomicU64>,
    total: Option<u64>,
}

impl Meter {
    fn new(total: Option<u64>) -> Self {
        Self { read: Arc::default(), total }
    }

    /// How many bytes of the file were read.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// How many bytes the file had when it was opened; none of a pipe.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.total
    }
}

/// Where the bytes come from.
enum Source {
    /// A file that is not compressed: what is skipped is not read.
    File(Metered<File>),
    Stream(Box<dyn Read + Send>),
}

/// A source whose first bytes are kept as they pass by, and can be looked at before.
struct Headed {
    /// At most [`HEAD`] bytes; those from `passed` on are yet to be read.
    head: Vec<u8>,
    passed: usize,
    source: Source,
    /// Whether the head ends where it ends now: bytes behind it were skipped.
    is_closed: bool,
}

/// The bytes of a log, decompressed.
pub(crate) struct Input {
    reader: BufReader<Headed>,
    compression: Compression,
    meter: Meter,
}

impl Input {
    /// Opens a file.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let mut file = File::open(path)?;
        let start = read_start(&mut file)?;
        let meter = Meter::new(file.metadata().ok().filter(|data| data.is_file()).map(|d| d.len()));
        let compression = Compression::of(&start);
        let source = match compression {
            // What a pipe with a name gave stays read.
            _ if meter.total.is_none() => {
                let stream = Metered::new(Cursor::new(start).chain(file), &meter);
                decompress(compression, Box::new(stream))?
            }
            Compression::None => {
                file.rewind()?;
                Source::File(Metered::new(file, &meter))
            }
            Compression::Zip => Source::Stream(zip::open(file, &meter)?),
            _ => {
                file.rewind()?;
                decompress(compression, Box::new(Metered::new(file, &meter)))?
            }
        };
        Self::new(source, compression, meter)
    }

    /// Reads from a pipe.
    pub(crate) fn from_reader(mut reader: impl Read + Send + 'static) -> Result<Self, Error> {
        let start = read_start(&mut reader)?;
        let meter = Meter::new(None);
        let compression = Compression::of(&start);
        let stream = Metered::new(Cursor::new(start).chain(reader), &meter);
        Self::new(decompress(compression, Box::new(stream))?, compression, meter)
    }

    fn new(source: Source, compression: Compression, meter: Meter) -> Result<Self, Error> {
        let headed = Headed { head: Vec::new(), passed: 0, source, is_closed: false };
        let reader = BufReader::with_capacity(BUFFER, headed);
        let mut input = Self { reader, compression, meter };
        // Who writes to a pipe may wait for an answer to the first line.
        if input.meter.total.is_some() {
            input.look_ahead(HEAD as usize)?;
        }
        Ok(input)
    }

    /// Makes the head as long as this, where the log is.
    pub(crate) fn look_ahead(&mut self, length: usize) -> Result<(), Error> {
        match self.reader.get_mut().fill(length) {
            // What is damaged is told when its line is asked for.
            Err(error) if self.is_damaged(&error) => Ok(()),
            filled => Ok(filled?),
        }
    }

    /// The first bytes as far as they were looked at: [`HEAD`] of a file unless it is shorter.
    pub(crate) fn head(&self) -> &[u8] {
        &self.reader.get_ref().head
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Whether an error means that compressed bytes are wrong, and not that they cannot be read.
    pub(crate) fn is_damaged(&self, error: &io::Error) -> bool {
        self.compression != Compression::None && is_damage(error)
    }

    /// Skips bytes and tells how many there were.
    pub(crate) fn skip(&mut self, count: u64) -> io::Result<u64> {
        let mut left = count;
        while left > 0 && !self.reader.buffer().is_empty() {
            let used = (self.reader.buffer().len() as u64).min(left);
            self.reader.consume(used as usize);
            left -= used;
        }
        // The buffer is empty now, or nothing is left to skip.
        Ok(count - left + self.reader.get_mut().skip(left)?)
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.reader.consume(amount);
    }
}

impl Headed {
    /// Reads on until the head is as long as this, or the source ends.
    fn fill(&mut self, length: usize) -> io::Result<()> {
        let length = length.min(HEAD as usize);
        if self.is_closed || self.head.len() >= length {
            return Ok(());
        }
        let missing = (length - self.head.len()) as u64;
        self.source.by_ref().take(missing).read_to_end(&mut self.head)?;
        Ok(())
    }

    /// Skips bytes and tells how many there were.
    fn skip(&mut self, count: u64) -> io::Result<u64> {
        let known = count.min((self.head.len() - self.passed) as u64);
        self.passed += known as usize;
        if known == count {
            return Ok(count);
        }
        self.is_closed = true;
        Ok(known + self.source.skip(count - known)?)
    }
}

impl Read for Headed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let known = &self.head[self.passed..];
        if !known.is_empty() {
            let count = known.len().min(buffer.len());
            buffer[..count].copy_from_slice(&known[..count]);
            self.passed += count;
            return Ok(count);
        }
        let count = self.source.read(buffer)?;
        if !self.is_closed {
            let kept = count.min(HEAD as usize - self.head.len());
            self.head.extend_from_slice(&buffer[..kept]);
            self.passed = self.head.len();
        }
        Ok(count)
    }
}

impl Source {
    fn skip(&mut self, count: u64) -> io::Result<u64> {
        match self {
            Self::File(file) => file.skip(count),
            Self::Stream(stream) => io::copy(&mut stream.take(count), &mut io::sink()),
        }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Stream(stream) => stream.read(buffer),
        }
    }
}

fn read_start(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    reader.take(LONGEST_MAGIC).read_to_end(&mut start)?;
    Ok(start)
}

fn decompress(compression: Compression, bytes: Box<dyn Read + Send>) -> Result<Source, Error> {
    let buffered = BufReader::with_capacity(BUFFER, bytes);
    Ok(Source::Stream(match compression {
        Compression::None => Box::new(buffered),
        Compression::Gzip => Box::new(Fused::new(MultiGzDecoder::new(buffered))),
        Compression::Zstd => Box::new(Fused::new(zstd::Frames::new(buffered))),
        Compression::Zip => return Err(Error::ArchiveStream),
        Compression::Unknown(found) => return Err(Error::Compression { found }),
    }))
}

/// The kinds of errors that decompression ends in.
fn is_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
}

/// Fails again and again where it failed once: decoders go on as if nothing was there.
struct Fused<R> {
    reader: R,
    failure: Option<(io::ErrorKind, String)>,
}

impl<R> Fused<R> {
    fn new(reader: R) -> Self {
        Self { reader, failure: None }
    }
}

impl<R: Read> Read for Fused<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some((kind, message)) = &self.failure {
            return Err(io::Error::new(*kind, message.clone()));
        }
        let read = self.reader.read(buffer);
        if let Err(error) = &read
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.failure = Some((error.kind(), error.to_string()));
        }
        read
    }
}

/// Counts what is read.
struct Metered<R> {
    reader: R,
    read: Arc<AtomicU64>,
}

impl<R> Metered<R> {
    fn new(reader: R, meter: &Meter) -> Self {
        Self { reader, read: Arc::clone(&meter.read) }
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Metered<File> {
    /// Moves on within the file.
    fn skip(&mut self, count: u64) -> io::Result<u64> {
        let at = self.reader.stream_position()?;
        let left = self.reader.metadata()?.len().saturating_sub(at);
        let skipped = count.min(left);
        self.reader.seek(SeekFrom::Start(at + skipped))?;
        self.read.fetch_add(skipped, Ordering::Relaxed);
        Ok(skipped)
    }
}
