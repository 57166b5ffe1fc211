//! A line of JSON: as loguru writes events, or plain.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::BadLine;
use crate::event::Parts;
use crate::log::Record;
use crate::time::{finite, moment};

/// A line: loguru's, with the fields of the event under `record.extra`, or an event itself.
#[derive(Deserialize)]
struct Line {
    record: Option<Logged>,
    prompt: Option<String>,
    message: Option<String>,
    uids: Option<Vec<Option<f64>>>,
    rewards: Option<Vec<Option<f64>>>,
    name: Option<Loose>,
    block: Option<Loose>,
    timestamp: Option<Loose>,
    /// The same in exports.
    #[serde(rename = "_timestamp")]
    exported_timestamp: Option<Loose>,
}

#[derive(Deserialize)]
struct Logged {
    extra: Option<Box<Line>>,
    time: Option<Time>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Time {
    Fields { timestamp: Option<Loose> },
    Other(IgnoredAny),
}

/// What an event can do without, whatever stands there.
#[derive(Deserialize)]
#[serde(untagged)]
enum Loose {
    Number(f64),
    Text(String),
    Other(IgnoredAny),
}

/// What a line says.
pub(crate) fn parse(line: &[u8]) -> Record {
    let line = match read(line) {
        Ok(line) => line,
        Err(problem) => return Record::Bad(problem),
    };
    match line.record {
        // Whatever else is logged at the same level or above stands in the same file.
        Some(Logged { extra: None, .. }) => Record::Other,
        Some(Logged { extra: Some(extra), time }) => {
            let parts = extra.into_parts();
            let time = time.and_then(Time::seconds).or(parts.time);
            let parts = Parts { time, ..parts };
            if parts.is_empty() { Record::Other } else { parts.into_record() }
        }
        None => {
            let parts = line.into_parts();
            if parts.is_empty() { Record::Bad(BadLine::NoEvent) } else { parts.into_record() }
        }
    }
}

impl Line {
    fn into_parts(self) -> Parts {
        let time = self.exported_timestamp.and_then(Loose::time);
        let time = time.or_else(|| self.timestamp.and_then(Loose::time));
        Parts {
            prompt: self.prompt.or(self.message),
            uids: self.uids,
            rewards: self.rewards,
            name: self.name.and_then(Loose::text),
            block: self.block.and_then(Loose::number),
            time,
        }
    }
}

impl Time {
    fn seconds(self) -> Option<f64> {
        match self {
            Self::Fields { timestamp } => timestamp.and_then(Loose::time),
            Self::Other(_) => None,
        }
    }
}

impl Loose {
    fn text(self) -> Option<String> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    fn number(self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Text(text) => finite(&text),
            Self::Other(_) => None,
        }
    }

    fn time(self) -> Option<f64> {
        match self {
            Self::Text(text) => moment(&text),
            other => other.number(),
        }
    }
}

/// Reads JSON, and what Python writes beside it: NaN and infinities.
fn read(line: &[u8]) -> Result<Line, BadLine> {
    let start = line.trim_ascii_start();
    if !start.starts_with(b"{") {
        let column = line.len() - start.len() + 1;
        return Err(BadLine::Json { problem: "expected `{`".to_owned(), column });
    }
    let wrong = match serde_json::from_slice(line) {
        Ok(line) => return Ok(line),
        Err(error) => error,
    };
    if let Cow::Owned(line) = without_constants(line)
        && let Ok(line) = serde_json::from_slice(&line)
    {
        return Ok(line);
    }
    Err(problem(&wrong))
}

/// What is wrong; the line that an error of a single line names is no news.
fn problem(error: &serde_json::Error) -> BadLine {
    let (text, column) = (error.to_string(), error.column());
    let problem = text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem);
    let problem = problem.to_owned();
    match error.is_data() {
        true => BadLine::Value { problem, column },
        false => BadLine::Json { problem, column },
    }
}

/// Python's `NaN`, `Infinity` and `-Infinity` outside of texts, each as a `null`.
fn without_constants(line: &[u8]) -> Cow<'_, [u8]> {
    const CONSTANTS: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];
    let (mut clean, mut at, mut is_text) = (Vec::new(), 0, false);
    let mut copied = 0;
    while at < line.len() {
        let rest = &line[at..];
        let constant = CONSTANTS.iter().find(|constant| !is_text && rest.starts_with(constant));
        if let Some(constant) = constant {
            clean.extend_from_slice(&line[copied..at]);
            clean.extend_from_slice(b"null");
            at += constant.len();
            copied = at;
            continue;
        }
        match line[at] {
            b'"' => is_text = !is_text,
            b'\\' if is_text => at += 1,
            _ => {}
        }
        at += 1;
    }
    if copied == 0 {
        return Cow::Borrowed(line);
    }
    clean.extend_from_slice(&line[copied..]);
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a line says, in short.
    fn check(line: &str, expected: &str) {
        let found = match parse(line.as_bytes()) {
            Record::Event(event) => {
                let uids: Vec<u16> = event.uids.iter().map(|uid| uid.get()).collect();
                let (name, block) = (event.name, event.block);
                format!(
                    "{} {uids:?} {:?} {name:?} {block:?} {:?}",
                    event.prompt, event.rewards, event.time
                )
            }
            Record::Other => "other".to_owned(),
            Record::Bad(problem) | Record::Unfinished(problem) => problem.to_string(),
        };
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn plain_events() {
        let event = r#"{"prompt": "hi", "uids": [1, 2.0], "rewards": [0.1, -3]}"#;
        check(event, "hi [1, 2] [0.1, -3.0] None None None");
        check(
            r#"{"message": "hi", "uids": [], "rewards": [], "name": "answer0", "block": 7.0, "_timestamp": 5}"#,
            "hi [] [] Some(\"answer0\") Some(7) Some(5.0)",
        );
        check(
            r#"{"prompt": "hi", "uids": [1], "rewards": [1], "timestamp": "1970-01-02"}"#,
            "hi [1] [1.0] None None Some(86400.0)",
        );
    }

    #[test]
    fn what_an_event_can_do_without_may_be_anything() {
        let with =
            |fields: &str| format!(r#"{{"prompt": "hi", "uids": [1], "rewards": [1], {fields}}}"#);
        let bare = "hi [1] [1.0] None None";
        check(&with(r#""name": 3, "block": [7], "timestamp": {"a": 1}"#), &format!("{bare} None"));
        check(&with(r#""timestamp": 5, "_timestamp": 6"#), &format!("{bare} Some(6.0)"));
        check(&with(r#""timestamp": "5.5", "_timestamp": null"#), &format!("{bare} Some(5.5)"));
        check(&with(r#""block": "7""#), "hi [1] [1.0] None Some(7) None");
        let event = r#"{"prompt": "hi", "uids": [1], "rewards": [1]}"#;
        check(
            &format!(r#"{{"record": {{"time": "soon", "extra": {event}}}}}"#),
            &format!("{bare} None"),
        );
    }

    #[test]
    fn logged_events() {
        check(
            r#"{"text": "events\n", "record": {"extra": {"prompt": "a \"NaN\"", "uids": [3], "rewards": [NaN],
                "nsfw": [-Infinity, Infinity], "completions": ["\\", "x"]}, "time": {"repr": "", "timestamp": 1.5}}}"#,
            "a \"NaN\" [3] [NaN] None None Some(1.5)",
        );
        check(r#"{"text": "", "record": {"extra": {}, "level": {"name": "ERROR"}}}"#, "other");
        check(r#"{"text": "", "record": {"message": "failed"}}"#, "other");
    }

    #[test]
    fn bad_lines() {
        check("hello", "this is not JSON: expected `{` (column 1)");
        check(r#"{"prompt": "hi""#, "this is not JSON: EOF while parsing an object (column 15)");
        check("{}", "expected `prompt`, `uids` and `rewards`");
        check(" [1]", "this is not JSON: expected `{` (column 2)");
        check(r#"{"prompt": "hi", "uids": [1]}"#, "the event lacks `rewards`");
        check(r#"{"uids": [1], "rewards": [1]}"#, "the event lacks `prompt`");
        check(r#"{"record": {"extra": {"prompt": "hi"}}}"#, "the event lacks `uids`");
        let uids = |uids: &str| format!(r#"{{"prompt": "hi", "uids": {uids}, "rewards": [1]}}"#);
        let range = "expected whole numbers from 0 to 65535";
        check(&uids("[65536]"), &format!("`uids` holds 65536, {range}"));
        check(&uids("[-1]"), &format!("`uids` holds -1, {range}"));
        check(&uids("[0.5]"), &format!("`uids` holds 0.5, {range}"));
        check(&uids("[null]"), &format!("`uids` holds null, {range}"));
        check(
            &uids("\"all\""),
            "this is no event: invalid type: string \"all\", expected a sequence (column 30)",
        );
    }
}
