//! Learning from event logs: what is read, encoded ahead, learned in order, and kept for later.
//!
//! The way of an event: [`Reader`] finds it, [`Ahead`] encodes it together with others, and the
//! command learns from one after the other. A save holds the head and the place behind the last
//! of them, so that the next run goes on as if this one had not ended.

mod ahead;
mod curve;
mod history;
mod progress;
mod ranking;
mod reader;
mod report;
mod selection;
mod tally;

pub(crate) use ahead::{Ahead, Lesson, Next, Step};
pub(crate) use history::History;
pub(crate) use progress::Progress;
pub(crate) use ranking::Ranking;
pub(crate) use reader::{Placed, Reader, check, name};
pub(crate) use report::{Report, draw};
pub(crate) use selection::{Moment, Selection};
pub(crate) use tally::{Tally, Why};
