//! The events of several logs, one after the other.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use gating_log::{BadLine, Event, EventLog, Position, Record};

use super::progress::LogRecord;
use super::selection::Choice;
use super::{Progress, Selection, Why};
use crate::failure::{Failure, Kind};
use crate::output::Output;

/// Stands for the standard input.
const STDIN: &str = "-";

/// What stands at a place of the logs.
#[derive(Debug)]
pub(crate) enum Found {
    /// A log begins.
    Begin(LogRecord),
    /// An event to learn from.
    Event(Event),
    /// Something that is not learned from, and what is wrong with it where something is.
    Skip(Why, Option<BadLine>),
    /// The first event that is not wanted any more.
    Stop,
}

/// Something with its place in the logs.
#[derive(Debug)]
pub(crate) struct Placed<T> {
    pub(crate) what: T,
    /// The log's number among those given, from 0, and the line, from 1.
    pub(crate) log: usize,
    pub(crate) line: u64,
    /// Where to go on behind it.
    pub(crate) end: Position,
    /// How many events there were until here, this one included.
    pub(crate) events: u64,
    /// How many bytes of all files were read until here.
    pub(crate) bytes: u64,
}

impl<T, E> Placed<Result<T, E>> {
    /// The error, where there is one.
    pub(super) fn transpose(self) -> Result<Placed<T>, E> {
        let Self { what, log, line, end, events, bytes } = self;
        Ok(Placed { what: what?, log, line, end, events, bytes })
    }
}

impl<T> Placed<T> {
    /// The same place with something else.
    pub(super) fn with<U>(self, change: impl FnOnce(T) -> U) -> Placed<U> {
        let Self { what, log, line, end, events, bytes } = self;
        Placed { what: change(what), log, line, end, events, bytes }
    }
}

/// Reads logs in the order in which they are given.
pub(crate) struct Reader {
    selection: Selection,
    paths: Vec<PathBuf>,
    /// How many of them were opened.
    opened: usize,
    log: Option<EventLog>,
    events: u64,
    /// The bytes of the files before this one.
    bytes: u64,
    is_over: bool,
}

impl Reader {
    /// Goes on where a replay stopped.
    pub(crate) fn new(
        paths: &[PathBuf],
        selection: Selection,
        progress: &Progress,
    ) -> Result<Self, Failure> {
        progress.check_count(paths.len())?;
        let mut reader = Self {
            selection,
            paths: paths.to_vec(),
            opened: 0,
            log: None,
            events: progress.events,
            bytes: 0,
            is_over: false,
        };
        for (at, path) in paths.iter().enumerate().take(progress.logs.len()) {
            reader.close();
            let mut log = open(path)?;
            let wrong = |error| refuse(path, error);
            if !progress.has_log(at, &mut log).map_err(wrong)? {
                return Err(progress.other_log(at, &name(path)));
            }
            if at + 1 == progress.logs.len() {
                log.skip_to(progress.position()).map_err(wrong)?;
            }
            reader.opened += 1;
            reader.log = Some(log);
        }
        Ok(reader)
    }

    /// What it reads is no file that ends.
    pub(crate) fn is_stream(paths: &[PathBuf]) -> bool {
        Self::total(paths).is_none()
    }

    /// The bytes of all files; none where one is a pipe.
    pub(crate) fn total(paths: &[PathBuf]) -> Option<u64> {
        let length = |path: &PathBuf| {
            let data = path.metadata().ok().filter(|data| data.is_file())?;
            Some(data.len())
        };
        paths.iter().map(length).sum()
    }

    fn close(&mut self) {
        if let Some(log) = self.log.take() {
            let meter = log.meter();
            self.bytes += meter.total().unwrap_or(meter.read());
        }
    }

    /// Reads on until something was found or all logs are read.
    fn advance(&mut self) -> Result<Option<Placed<Found>>, Failure> {
        if let Some(log) = &mut self.log {
            let entry = log.next().transpose();
            let path = &self.paths[self.opened - 1];
            if let Some(entry) = entry.map_err(|error| refuse(path, error))? {
                let found = self.judge(entry.record);
                return Ok(Some(self.place(found, entry.line, entry.end)));
            }
        }
        self.close();
        let Some(path) = self.paths.get(self.opened) else { return Ok(None) };
        let log = open(path)?;
        let begin = Found::Begin(LogRecord::new(&name(path), log.fingerprint()));
        self.log = Some(log);
        self.opened += 1;
        Ok(Some(self.place(begin, 0, Position::default())))
    }

    fn judge(&mut self, record: Record) -> Found {
        match record {
            Record::Event(event) => match self.selection.choose(&event, self.events + 1) {
                Choice::Stop => {
                    self.is_over = true;
                    Found::Stop
                }
                choice => {
                    self.events += 1;
                    match choice {
                        Choice::LeaveOut(why) => Found::Skip(why, None),
                        _ => Found::Event(event),
                    }
                }
            },
            Record::Other => Found::Skip(Why::NotAnEvent, None),
            Record::Bad(problem) => Found::Skip(Why::BadLine, Some(problem)),
            Record::Unfinished(problem) => Found::Skip(Why::Unfinished, Some(problem)),
        }
    }

    fn place(&self, what: Found, line: u64, end: Position) -> Placed<Found> {
        let read = self.log.as_ref().map_or(0, |log| log.meter().read());
        let (log, events, bytes) = (self.opened - 1, self.events, self.bytes + read);
        Placed { what, log, line, end, events, bytes }
    }
}

impl Iterator for Reader {
    type Item = Result<Placed<Found>, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let found = self.advance().transpose();
        self.is_over |= !matches!(found, Some(Ok(_)));
        found
    }
}

fn open(path: &Path) -> Result<EventLog, Failure> {
    let log = match path == Path::new(STDIN) {
        true => EventLog::from_reader(io::stdin()),
        false => EventLog::open(path),
    };
    log.map_err(|error| refuse(path, error))
}

/// How a log is called.
pub(crate) fn name(path: &Path) -> String {
    match path == Path::new(STDIN) {
        true => "stdin".to_owned(),
        false => path.display().to_string(),
    }
}

fn refuse(path: &Path, error: gating_log::Error) -> Failure {
    let kind = match error {
        gating_log::Error::Io(_) => Kind::File,
        _ => Kind::Input,
    };
    let hint = match error {
        gating_log::Error::Compression { .. }
        | gating_log::Error::ArchiveStream
        | gating_log::Error::ArchiveFiles { .. }
        | gating_log::Error::ArchiveMethod { .. } => Some("unpack it, or pipe it in as `-`"),
        gating_log::Error::TooShort { .. } => {
            Some("it was longer when the replay stopped: was it written anew?")
        }
        _ => None,
    };
    let context = format!("cannot read the log {}", name(path));
    let failure = Failure::new(kind, anyhow::Error::new(error)).context(context);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Opens every log, so that what cannot be read is told before the work begins; says where one
/// begins earlier than the one before it.
pub(crate) fn check(paths: &[PathBuf], output: &Output) -> Result<(), Failure> {
    let is_stdin = |path: &&PathBuf| path.as_path() == Path::new(STDIN);
    if paths.iter().filter(is_stdin).count() > 1 {
        let error = anyhow::Error::msg("stdin is named twice, and can be read once");
        return Err(Failure::new(Kind::Usage, error));
    }
    check_once(paths)?;
    let mut before: Option<(String, Event)> = None;
    for path in paths.iter().filter(|path| !is_stdin(path)) {
        // What comes through a pipe with a name can be read once only.
        let is_file = path.metadata().map_err(|error| Failure::file(path, error))?.is_file();
        let Some(event) = is_file.then(|| first(path)).transpose()?.flatten() else { continue };
        if let Some((name_before, event_before)) = &before
            && let Some(difference) = earlier(&event, event_before)
        {
            output.warning(format_args!(
                "{} begins before {name_before}: {difference}; logs are learned from in the order \
                 in which they are given",
                name(path)
            ));
        }
        before = Some((name(path), event));
    }
    Ok(())
}

/// Refuses a file that is named twice, however its path is written.
fn check_once(paths: &[PathBuf]) -> Result<(), Failure> {
    let mut places = HashSet::new();
    for path in paths {
        // What is not there is told when it is opened.
        let Ok(place) = path.canonicalize() else { continue };
        if !places.insert(place) {
            let message = format!("{} is named twice", name(path));
            let failure = Failure::new(Kind::Usage, anyhow::Error::msg(message));
            return Err(failure.hint("to learn from a log once more, replay it with --again"));
        }
    }
    Ok(())
}

/// The first event of a log, if it is among the first lines.
fn first(path: &Path) -> Result<Option<Event>, Failure> {
    const LINES: usize = 16;
    for entry in open(path)?.take(LINES) {
        if let Record::Event(event) = entry.map_err(|error| refuse(path, error))?.record {
            return Ok(Some(event));
        }
    }
    Ok(None)
}

/// How an event is earlier than another, if it is.
fn earlier(event: &Event, other: &Event) -> Option<String> {
    if let (Some(block), Some(other)) = (event.block, other.block) {
        return (block < other).then(|| format!("block {block} is before block {other}"));
    }
    let (time, other) = event.time.zip(other.time)?;
    (time < other).then(|| format!("its first event is {:.0} s earlier", other - time))
}
