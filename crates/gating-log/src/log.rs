//! One log, line by line.

use std::fmt;
use std::io::{self, Read};
use std::path::Path;

use crate::csv::{self, Columns};
use crate::input::{HEAD, Input, Meter};
use crate::json;
use crate::lines::{End, Lines, Position};
use crate::{BadLine, Error, Event};

/// The longest line that is read, in bytes.
const LIMIT: usize = 64 << 20;
/// Some editors begin a file with it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a line says, and where it stands.
#[derive(Debug)]
pub struct Entry {
    /// The number of its first line, from 1.
    pub line: u64,
    /// What it says.
    pub record: Record,
    /// Where the next one begins. Behind an unfinished line that is where the line itself begins.
    pub end: Position,
}

/// What a line says.
#[derive(Debug)]
pub enum Record {
    /// A step of the validator.
    Event(Event),
    /// Something else that may stand in such a log.
    Other,
    /// Nothing that can be read.
    Bad(BadLine),
    /// The last line, which does not end and cannot be read: it may be written on.
    Unfinished(BadLine),
}

/// What a log begins with: tells it from others, also when it has grown or was compressed since.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fingerprint {
    /// How many bytes were looked at.
    pub length: u64,
    /// Their BLAKE3 hash, in hex.
    pub blake3: String,
}

/// The entries of a log. Lines are read as they are asked for.
pub struct EventLog {
    lines: Lines,
    form: Form,
    /// The first line, where it was read to find the form and is an entry itself.
    first: Option<(Vec<u8>, End)>,
    is_over: bool,
}

/// How events are written.
enum Form {
    Json,
    Table(Columns),
}

impl EventLog {
    /// Opens a file, compressed or not.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is compressed in a way that is not known here, or is a table
    /// without the columns of events.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::new(Input::open(path)?, LIMIT)
    }

    /// Reads a stream, compressed or not.
    ///
    /// # Errors
    ///
    /// As [`EventLog::open`], and for zip archives, which have to be files.
    pub fn from_reader(reader: impl Read + Send + 'static) -> Result<Self, Error> {
        Self::new(Input::from_reader(reader)?, LIMIT)
    }

    fn new(input: Input, limit: usize) -> Result<Self, Error> {
        let mut log =
            Self { lines: Lines::new(input, limit), form: Form::Json, first: None, is_over: false };
        let mut line = Vec::new();
        let end = match log.lines.read(&mut line) {
            // It is damaged in its first line: told when that is asked for.
            Err(error) if log.lines.input.is_damaged(&error) => return Ok(log),
            end => end?,
        };
        if line.starts_with(BYTE_ORDER_MARK) {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        match Columns::find(&line)? {
            Some(columns) => log.form = Form::Table(columns),
            None => log.first = Some((line, end)),
        }
        Ok(log)
    }

    /// What it begins with: of a pipe, as much as was read of it.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.lines.input.head())
    }

    /// Whether it begins with what a fingerprint was taken of, shorter as it may have been then.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub fn has(&mut self, fingerprint: &Fingerprint) -> Result<bool, Error> {
        let Ok(length) = usize::try_from(fingerprint.length) else { return Ok(false) };
        self.lines.input.look_ahead(length)?;
        let start = self.lines.input.head().get(..length);
        Ok(start.is_some_and(|start| Fingerprint::of(start) == *fingerprint))
    }

    /// How far reading has come.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        self.lines.input.meter()
    }

    /// Goes on behind an entry that was read earlier.
    ///
    /// # Errors
    ///
    /// When the log cannot be read, or ends before that place.
    pub fn skip_to(&mut self, position: Position) -> Result<(), Error> {
        if position.offset > 0 {
            self.first = None;
        }
        if position.offset > self.lines.position().offset {
            self.lines.skip_to(position)?;
        }
        Ok(())
    }

    fn read(&mut self) -> Result<Option<Entry>, Error> {
        loop {
            let start = self.start();
            let mut text = Vec::new();
            let end = match self.read_line(&mut text) {
                Ok(end) => end,
                Err(error) if self.lines.input.is_damaged(&error) => {
                    self.is_over = true;
                    return Ok(Some(self.entry(start, Record::Bad(BadLine::Damaged(error)))));
                }
                Err(error) => return Err(error.into()),
            };
            let is_blank = text.iter().all(u8::is_ascii_whitespace);
            match end {
                End::Log if is_blank => return Ok(None),
                End::TooLong => {
                    let record = Record::Bad(BadLine::TooLong { limit: self.lines.limit });
                    return Ok(Some(self.entry(start, record)));
                }
                _ if is_blank => {}
                end => return Ok(Some(self.entry(start, self.parse(&text, end)))),
            }
        }
    }

    /// Where the next line begins.
    fn start(&self) -> Position {
        if self.first.is_some() { Position::default() } else { self.lines.position() }
    }

    /// Reads a line, and those that it goes on in.
    fn read_line(&mut self, text: &mut Vec<u8>) -> io::Result<End> {
        if let Some((line, end)) = self.first.take() {
            *text = line;
            return Ok(end);
        }
        let is_table = matches!(self.form, Form::Table(_));
        let (mut is_open, mut length) = (false, 0);
        loop {
            let end = self.lines.read(text)?;
            is_open ^= is_table && end == End::Newline && csv::opens(&text[length..]);
            length = text.len();
            if !is_open || end != End::Newline {
                return Ok(end);
            }
        }
    }

    fn parse(&self, text: &[u8], end: End) -> Record {
        let record = match &self.form {
            Form::Json => json::parse(text),
            Form::Table(columns) => columns.parse(text),
        };
        match record {
            Record::Bad(problem) if end == End::Log => Record::Unfinished(problem),
            record => record,
        }
    }

    fn entry(&self, start: Position, record: Record) -> Entry {
        let end = match record {
            Record::Unfinished(_) => start,
            _ => self.lines.position(),
        };
        Entry { line: start.lines + 1, record, end }
    }
}

impl Iterator for EventLog {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let entry = self.read().transpose();
        let is_last = |entry: &Result<Entry, Error>| match entry {
            Ok(entry) => matches!(entry.record, Record::Unfinished(_)),
            Err(_) => true,
        };
        self.is_over |= entry.as_ref().is_none_or(is_last);
        entry
    }
}

impl fmt::Debug for EventLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLog").field("position", &self.lines.position()).finish_non_exhaustive()
    }
}

impl Fingerprint {
    fn of(head: &[u8]) -> Self {
        debug_assert!(head.len() as u64 <= HEAD);
        Self { length: head.len() as u64, blake3: blake3::hash(head).to_hex().to_string() }
    }
}
