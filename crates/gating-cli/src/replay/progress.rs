//! Where a replay stopped, kept in the checkpoint beside what was learned until there.

use std::collections::BTreeMap;

use gating_log::{EventLog, Fingerprint, Position};
use serde::{Deserialize, Serialize};

use super::Tally;
use crate::failure::{Failure, Kind};

const VERSION: u32 = 1;

/// Where a replay stopped.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Progress {
    version: u32,
    /// What decides which events are learned from.
    selection: BTreeMap<String, String>,
    /// The logs that were begun; all but the last were read to their end.
    pub(crate) logs: Vec<LogRecord>,
    /// Where in the last of them, decompressed.
    offset: u64,
    lines: u64,
    /// How many events there were until then, wanted or not.
    pub(crate) events: u64,
    pub(crate) tally: Tally,
}

/// A log by what it begins with: its name may change when it is rotated.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogRecord {
    name: String,
    length: u64,
    blake3: String,
}

impl LogRecord {
    pub(crate) fn new(name: &str, Fingerprint { length, blake3 }: Fingerprint) -> Self {
        Self { name: name.to_owned(), length, blake3 }
    }

    fn is(&self, log: &mut EventLog) -> Result<bool, gating_log::Error> {
        let Self { length, blake3, .. } = self;
        log.has(&Fingerprint { length: *length, blake3: blake3.clone() })
    }
}

impl Progress {
    /// A replay that has not begun.
    pub(crate) fn new(selection: BTreeMap<String, String>) -> Self {
        Self {
            version: VERSION,
            selection,
            logs: Vec::new(),
            offset: 0,
            lines: 0,
            events: 0,
            tally: Tally::default(),
        }
    }

    /// Reads what [`Progress::to_json`] wrote.
    pub(crate) fn from_json(text: &str) -> Result<Self, Failure> {
        let wrong = |error| {
            Failure::new(Kind::Checkpoint, error).hint(AGAIN).context(
                "the checkpoint does not say where a replay stopped in a way that is known here",
            )
        };
        let progress: Self = serde_json::from_str(text).map_err(|error| wrong(error.into()))?;
        if progress.version != VERSION || !progress.tally.is_sound() {
            let found = progress.version;
            return Err(wrong(anyhow::anyhow!("expected version {VERSION}, found {found}")));
        }
        Ok(progress)
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts and finite numbers serialize")
    }

    /// Refuses to go on with another selection.
    pub(crate) fn check_selection(
        &self,
        selection: &BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        let names = self.selection.keys().chain(selection.keys());
        let differences = names.filter(|name| self.selection.get(*name) != selection.get(*name));
        let mut differences: Vec<&String> = differences.collect();
        differences.sort_unstable();
        differences.dedup();
        let said = |words: &BTreeMap<String, String>, name: &String| {
            words.get(name).map_or("nothing".to_owned(), |words| format!("`{words}`"))
        };
        let causes = differences.iter().map(|name| {
            let (expected, found) = (said(&self.selection, name), said(selection, name));
            format!("`{name}`: expected {expected}, found {found}")
        });
        match differences.is_empty() {
            true => Ok(()),
            false => {
                let message = "the checkpoint stopped in a replay of another selection";
                Err(Failure::new(Kind::Usage, anyhow::Error::msg(message))
                    .causes(causes.collect())
                    .hint(AGAIN))
            }
        }
    }

    /// Whether a log is the one at this place, or none was there yet.
    pub(crate) fn has_log(&self, at: usize, log: &mut EventLog) -> Result<bool, gating_log::Error> {
        self.logs.get(at).map_or(Ok(true), |record| record.is(log))
    }

    /// Refuses a log that is not the one at this place.
    pub(crate) fn other_log(&self, at: usize, name: &str) -> Failure {
        let expected = format!("the one that was `{}` then", self.logs[at].name);
        let found = format!("{name}, which begins with something else");
        other_logs(format!("log {}: expected {expected}, found {found}", at + 1))
    }

    /// Refuses fewer logs than were begun.
    pub(crate) fn check_count(&self, found: usize) -> Result<(), Failure> {
        match self.logs.get(found) {
            Some(missing) => Err(other_logs(format!(
                "expected at least {} logs, found {found}: the one that was `{}` then is missing",
                self.logs.len(),
                missing.name
            ))),
            None => Ok(()),
        }
    }

    /// Where to go on in the last log.
    pub(crate) fn position(&self) -> Position {
        Position { offset: self.offset, lines: self.lines }
    }

    /// Begins with the next log.
    pub(crate) fn begin(&mut self, log: LogRecord) {
        self.logs.push(log);
        self.move_to(Position::default());
    }

    pub(crate) fn move_to(&mut self, position: Position) {
        (self.offset, self.lines) = (position.offset, position.lines);
    }
}

const LOGS: &str = "give every log that was read then, the oldest first, whatever they are called now, or \
                    add --again to begin with the first event, on top of what the checkpoint has learned";
const AGAIN: &str = "give what was given then, or add --again to begin with the first event, on \
                     top of what the checkpoint has learned";

fn other_logs(cause: String) -> Failure {
    let message = "the checkpoint stopped in a replay of other logs";
    Failure::new(Kind::Usage, anyhow::Error::msg(message)).causes(vec![cause]).hint(LOGS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[(&str, &str)]) -> BTreeMap<String, String> {
        words.iter().map(|(name, word)| ((*name).to_owned(), (*word).to_owned())).collect()
    }

    #[test]
    fn what_was_written_is_read() {
        let mut progress = Progress::new(words(&[("--from", "step 3")]));
        let fingerprint = Fingerprint { length: 3, blake3: "abc".to_owned() };
        progress.begin(LogRecord::new("a.log", fingerprint));
        progress.move_to(Position { offset: 70, lines: 2 });
        progress.tally.skip(super::super::Why::BadLine);
        progress.tally.loss.push(Some(0.1));
        assert_eq!(Progress::from_json(&progress.to_json()).ok(), Some(progress));
        for wrong in ["", "{}", "{\"version\": 9}"] {
            assert!(Progress::from_json(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn another_selection_is_told_apart() {
        let progress = Progress::new(words(&[("--from", "step 3"), ("--name", "a")]));
        assert!(progress.check_selection(&words(&[("--from", "step 3"), ("--name", "a")])).is_ok());
        let failure = progress.check_selection(&words(&[("--from", "step 4")]));
        let failure = failure.expect_err("the selections differ");
        let expected = [
            "`--from`: expected `step 3`, found `step 4`",
            "`--name`: expected `a`, found nothing",
        ];
        assert_eq!(failure.chain(), expected);
    }
}
