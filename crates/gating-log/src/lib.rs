//! The event logs of validators: who was asked what, and what each earned.
//!
//! An [`EventLog`] reads what the validators of 2023 left behind (opentensor/validators and
//! opentensor/text-prompting): `completions.log`, which loguru writes with `serialize=True`, its
//! rotated parts in gzip, zip or Zstandard, and its export as CSV, where pandas writes lists as
//! Python literals; and plain JSON lines with `prompt`, `uids` and `rewards`. It holds one line at
//! a time, knows where each ends, and goes on from there later.
//!
//! `examples/gating-log` in the repository is a program with this crate alone: what each uid earned.
//!
//! ```
//! use gating_log::{EventLog, Record};
//!
//! let log = "{\"prompt\": \"who?\", \"uids\": [3, 8], \"rewards\": [0.25, 0.5]}\nnoise\n";
//! let entries = EventLog::from_reader(log.as_bytes())?.collect::<Result<Vec<_>, _>>()?;
//! let Record::Event(event) = &entries[0].record else { panic!("the first line is an event") };
//! assert_eq!((event.prompt.as_str(), &event.rewards[..]), ("who?", &[0.25, 0.5][..]));
//! let Record::Bad(problem) = &entries[1].record else { panic!("the second line is none") };
//! assert_eq!(problem.to_string(), "this is not JSON: expected `{` (column 1)");
//! assert_eq!((entries[1].line, entries[1].end.offset), (2, log.len() as u64));
//! # Ok::<(), gating_log::Error>(())
//! ```

mod csv;
mod error;
mod event;
mod input;
mod json;
mod lines;
mod literal;
mod log;
mod time;

pub use error::{BadLine, Error, LiteralError};
pub use event::Event;
pub use input::Meter;
pub use lines::Position;
pub use log::{Entry, EventLog, Fingerprint, Record};
pub use time::parse_time;
