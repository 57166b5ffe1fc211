//! Results on stdout; notes, progress and errors on stderr.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::args::{Format, OutputArgs};
use crate::failure::{Failure, Kind};

/// How much to say on stderr.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Verbosity {
    Quiet,
    Normal,
    Verbose,
}

/// Where results and notes go, and in which form.
#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
    log_format: Format,
    verbosity: Verbosity,
    /// Where bars are drawn; lines are printed above them.
    bars: MultiProgress,
}

#[derive(Serialize)]
struct Note<'a> {
    level: &'a str,
    message: String,
}

#[derive(Serialize)]
struct ErrorLine<'a> {
    error: ErrorBody<'a>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    kind: &'a str,
    message: String,
    causes: Vec<String>,
    hint: Option<&'a str>,
}

impl Output {
    pub(crate) fn new(args: &OutputArgs, asks_for_detail: bool) -> Self {
        let verbosity = match (args.quiet, args.verbose || asks_for_detail) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        let log_format = args.log_format.unwrap_or(args.format);
        // Bars show only where stderr is a terminal, which the target sees to itself.
        let target = match (log_format, verbosity) {
            (Format::Text, Verbosity::Normal | Verbosity::Verbose) => ProgressDrawTarget::stderr(),
            _ => ProgressDrawTarget::hidden(),
        };
        let bars = MultiProgress::with_draw_target(target);
        Self { format: args.format, log_format, verbosity, bars }
    }

    /// Where the arguments could not be read, and JSON was asked for.
    pub(crate) fn json() -> Self {
        let (format, bars) = (Format::Json, MultiProgress::new());
        Self { format, log_format: format, verbosity: Verbosity::Normal, bars }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Prints a result: as one line of JSON, or as the text that `text` makes of it.
    pub(crate) fn result<T: Serialize>(
        &self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        let line = match self.format {
            Format::Json => serde_json::to_string(value).expect("texts and numbers serialize"),
            Format::Text => escape_lines(&text(value)),
        };
        self.print(format!("{line}\n").as_bytes())
    }

    /// Prints many results at once as lines of JSON; people want none of them.
    pub(crate) fn results<T: Serialize>(&self, values: &[T]) -> Result<(), Failure> {
        if values.is_empty() || self.format == Format::Text {
            return Ok(());
        }
        let line = |value| serde_json::to_string(value).expect("texts and numbers serialize");
        let lines = values.iter().map(line).map(|line| line + "\n");
        self.print(lines.collect::<String>().as_bytes())
    }

    /// Prints what is a result already.
    pub(crate) fn print(&self, bytes: &[u8]) -> Result<(), Failure> {
        let print = || {
            let mut stdout = io::stdout().lock();
            stdout.write_all(bytes)?;
            stdout.flush()
        };
        self.bars.suspend(print).map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => Failure::new(Kind::StdoutClosed, error.into()),
            _ => Failure::file(Path::new("stdout"), error),
        })
    }

    /// Says what happens, unless told to be quiet.
    pub(crate) fn note(&self, message: impl Display) {
        self.say(Verbosity::Normal, "info", message);
    }

    /// Says more for those who want to know.
    pub(crate) fn detail(&self, message: impl Display) {
        self.say(Verbosity::Verbose, "debug", message);
    }

    /// Says what is odd but no error.
    pub(crate) fn warning(&self, message: impl Display) {
        self.say(Verbosity::Normal, "warning", message);
    }

    pub(crate) fn failure(&self, failure: &Failure) {
        let (message, causes, hint) = (failure.message(), failure.chain(), failure.advice());
        let text = match self.log_format {
            Format::Json => {
                let error = ErrorBody { kind: failure.kind.name(), message, causes, hint };
                serde_json::to_string(&ErrorLine { error }).expect("texts alone always serialize")
            }
            Format::Text => {
                let causes = causes.iter().map(|cause| format!("\n  caused by: {cause}"));
                let hint = hint.map(|hint| format!("\n  hint: {hint}"));
                let causes: String = causes.collect();
                format!("error: {message}{causes}{}", hint.unwrap_or_default())
            }
        };
        self.to_stderr(&text);
    }

    /// A bar that shows how far work has come, where stderr is a terminal.
    pub(crate) fn progress(&self, what: &str, total: u64) -> ProgressBar {
        self.bar(what, total, "{pos}/{len}")
    }

    /// A bar that shows how far a download has come, where stderr is a terminal.
    pub(crate) fn download(&self, what: &str, total: u64) -> ProgressBar {
        self.bar(what, total, "{bytes}/{total_bytes} {bytes_per_sec}")
    }

    /// Shows how far a replay has come of so many bytes: as a bar where stderr is a terminal, and
    /// as a note from time to time elsewhere.
    pub(crate) fn replay(&self, total: Option<u64>) -> Bar {
        // The message tells what is left: the bar itself would count what a replay skips to go on.
        let (bar, template) = match total {
            Some(total) => (ProgressBar::new(total), "{bar:30} {percent}%, {msg}"),
            None => (ProgressBar::no_length(), "{msg}, {elapsed}"),
        };
        let style = ProgressStyle::with_template(template).expect("the template is well formed");
        let bar = self.bars.add(bar.with_style(style).with_message("replay"));
        Bar { bar, total, first: None, noted: Instant::now() }
    }

    fn bar(&self, what: &str, total: u64, numbers: &str) -> ProgressBar {
        let template = format!("{{msg:<24}} {{bar:30}} {numbers}, {{eta}} left");
        let style = ProgressStyle::with_template(&template).expect("the template is well formed");
        let bar = ProgressBar::new(total).with_style(style).with_message(what.to_owned());
        self.bars.add(bar)
    }

    /// Nothing is left to do where stderr is closed.
    fn to_stderr(&self, line: &str) {
        let line = match self.log_format {
            Format::Json => line.to_owned(),
            Format::Text => escape_lines(line),
        };
        let print = || writeln!(io::stderr().lock(), "{line}");
        let _: io::Result<()> = self.bars.suspend(print);
    }

    fn say(&self, least: Verbosity, level: &str, message: impl Display) {
        if self.verbosity < least {
            return;
        }
        let message = message.to_string();
        self.to_stderr(&match (self.log_format, level) {
            (Format::Json, _) => serde_json::to_string(&Note { level, message })
                .expect("texts alone always serialize"),
            (Format::Text, "warning") => format!("warning: {message}"),
            (Format::Text, _) => message,
        });
    }
}

/// A text of somebody else's, as one line that does nothing to a terminal: what controls it, or
/// turns the direction of what follows, is shown as its escape.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    let is_plain = |character: char| {
        let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        !character.is_control() && !turns
    };
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match is_plain(character) {
            true => escaped.push(character),
            false => escaped.extend(character.escape_default()),
        }
    }
    Cow::Owned(escaped)
}

/// The same for a text that may have several lines.
fn escape_lines(text: &str) -> String {
    text.split('\n').map(escape).collect::<Vec<_>>().join("\n")
}

/// How far a replay has come.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: ProgressBar,
    total: Option<u64>,
    /// The bytes and steps that were there at first, and when.
    first: Option<(u64, u64, Instant)>,
    /// When it was said last, where no bar is shown.
    noted: Instant,
}

impl Bar {
    /// How often it is said where no bar is shown.
    const EVERY: Duration = Duration::from_secs(30);

    /// Shows that so many bytes were read, and so many steps learned.
    pub(crate) fn show(&mut self, bytes: u64, steps: u64, output: &Output) {
        self.bar.set_position(bytes);
        let Some((first, first_steps, start)) = self.first else {
            // From one point there is no rate, and what was skipped took no time.
            self.first = Some((bytes, steps, Instant::now()));
            self.bar.set_message(counted(steps, "step"));
            return;
        };
        let time = start.elapsed().as_secs_f64();
        let rate = (steps - first_steps) as f64 / time.max(f64::MIN_POSITIVE);
        let read = bytes.saturating_sub(first) as f64;
        let left = self.total.filter(|_| read > 0.0).map(|total| {
            let left = total.saturating_sub(bytes) as f64 / read * time;
            format!(", {} left", HumanDuration(Duration::from_secs_f64(left)))
        });
        let message =
            format!("{}, {rate:.0}/s{}", counted(steps, "step"), left.unwrap_or_default());
        if output.bars.is_hidden() && self.noted.elapsed() >= Self::EVERY {
            self.noted = Instant::now();
            output.note(&message);
        }
        self.bar.set_message(message);
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// A count with what is counted, such as `1 uid` and `2 uids`.
pub(crate) fn counted<N: Display + From<u8> + PartialEq>(count: N, noun: &str) -> String {
    let ending = if count == N::from(1) { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// A time as people read it.
pub(crate) fn seconds(time: Duration) -> String {
    match time.as_secs_f64() {
        time if time < 0.001 => format!("{:.0} µs", time * 1e6),
        time if time < 1.0 => format!("{:.1} ms", time * 1e3),
        time => format!("{time:.1} s"),
    }
}

/// How old something is, as people read it.
pub(crate) fn age(time: Duration) -> String {
    match time.as_secs() {
        0..120 => seconds(time),
        _ => HumanDuration(time).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_in_units_that_people_use() {
        let check =
            |time: u64, expected: &str| assert_eq!(age(Duration::from_secs(time)), expected);
        check(7, "7.0 s");
        check(119, "119.0 s");
        check(600, "10 minutes");
        check(7200, "2 hours");
    }

    #[test]
    fn one_alone_is_singular() {
        let check = |count: u64, expected: &str| assert_eq!(counted(count, "step"), expected);
        check(0, "0 steps");
        check(1, "1 step");
        check(2, "2 steps");
        check(21, "21 steps");
    }

    #[test]
    fn nothing_foreign_controls_a_terminal() {
        let check = |text: &str, expected: &str| assert_eq!(escape(text), expected);
        check("plain \u{e4} \u{4f60}", "plain \u{e4} \u{4f60}");
        check("a\u{1b}[31mb", "a\\u{1b}[31mb");
        check("a\nb\r\tc\u{9b}", "a\\nb\\r\\tc\\u{9b}");
        check("a\u{202e}b", "a\\u{202e}b");
        assert_eq!(escape_lines("a\nb\u{7}"), "a\nb\\u{7}");
    }
}
