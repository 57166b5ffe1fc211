//! Encoding ahead of learning, several messages at once.

use std::iter::Peekable;
use std::panic;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use gating_core::{Embedding, EncodeError, Encoder, Rewards};

use super::progress::LogRecord;
use super::reader::Found;
use super::{Placed, Reader, Why};
use crate::failure::{Failure, Kind};

/// How many batches may wait to be learned from.
const WAITING: usize = 2;
/// How many lines go into a batch at most, where it is of more than one message: what is not
/// learned from goes in too. A batch of one message is one line, so that nothing waits for the next.
const MAX_LINES: usize = 4096;
/// How many bytes of messages go into a batch at most, unless one message has more.
const MAX_BYTES: usize = 1 << 20;

/// What to do at a place of the logs.
#[derive(Debug)]
pub(crate) enum Step {
    Begin(LogRecord),
    Learn(Lesson),
    Skip(Why, Option<anyhow::Error>),
    Stop,
}

impl Step {
    /// What is learned from, if anything is.
    pub(crate) fn embedding(&self) -> Option<&Embedding> {
        match self {
            Self::Learn(lesson) => Some(&lesson.embedding),
            Self::Begin(_) | Self::Skip(..) | Self::Stop => None,
        }
    }
}

/// An event with its message encoded.
#[derive(Debug)]
pub(crate) struct Lesson {
    pub(crate) embedding: Embedding,
    pub(crate) rewards: Rewards,
    pub(crate) block: Option<u64>,
}

/// A step whose message is to be encoded yet.
enum Pending {
    Ready(Step),
    Message { prompt: String, rewards: Rewards, block: Option<u64> },
}

type Batch = Vec<Placed<Step>>;

/// A thread that reads and encodes. Whoever drops it waits for nothing: the thread may be reading
/// from a pipe that has nothing to say, and ends when it next has something to give.
#[derive(Debug)]
pub(crate) struct Ahead {
    batches: Receiver<Result<Batch, Failure>>,
    thread: Option<JoinHandle<()>>,
}

/// What comes next.
pub(crate) enum Next {
    Batch(Batch),
    /// Nothing until now.
    Nothing,
    /// Nothing more: the logs are over.
    End,
}

impl Ahead {
    /// Begins to read, and to encode so many messages at once.
    pub(crate) fn spawn(
        reader: Reader,
        encoder: Arc<dyn Encoder>,
        size: usize,
    ) -> Result<Self, Failure> {
        let (sender, batches) = sync_channel(WAITING);
        let work = move || run(reader, &*encoder, size, &sender);
        let thread = thread::Builder::new().name("ahead".to_owned()).spawn(work);
        let thread = thread.map_err(|error| {
            let error = anyhow::Error::new(error);
            Failure::new(Kind::File, error.context("cannot start the thread that encodes ahead"))
        })?;
        Ok(Self { batches, thread: Some(thread) })
    }

    /// Waits no longer than this for the next batch, in the order of the logs.
    pub(crate) fn next(&mut self, wait: Duration) -> Result<Next, Failure> {
        match self.batches.recv_timeout(wait) {
            Ok(batch) => batch.map(Next::Batch),
            Err(RecvTimeoutError::Timeout) => Ok(Next::Nothing),
            Err(RecvTimeoutError::Disconnected) => {
                // Logs that end because the thread failed are not over.
                match self.thread.take().map(JoinHandle::join) {
                    Some(Err(failure)) => panic::resume_unwind(failure),
                    _ => Ok(Next::End),
                }
            }
        }
    }
}

/// Reads and encodes, and sends batches in the order of the logs, until all logs are read or
/// nobody takes them any longer.
fn run(
    reader: Reader,
    encoder: &dyn Encoder,
    size: usize,
    sender: &SyncSender<Result<Batch, Failure>>,
) {
    let mut reader = reader.peekable();
    while reader.peek().is_some() {
        let (pending, failure) = gather(&mut reader, size);
        let batch = encode(pending, encoder);
        let is_over = batch.is_err() || failure.is_some();
        // What was read before a failure is learned from all the same.
        let sent = sender.send(batch).is_ok();
        let told = failure.is_none_or(|failure| sender.send(Err(failure)).is_ok());
        if is_over || !sent || !told {
            return;
        }
    }
}

/// Takes as much from the logs as goes into a batch.
fn gather(reader: &mut Peekable<Reader>, size: usize) -> (Vec<Placed<Pending>>, Option<Failure>) {
    let (mut batch, mut messages, mut bytes) = (Vec::new(), 0, 0);
    let lines = if size == 1 { 1 } else { MAX_LINES };
    while messages < size && bytes < MAX_BYTES && batch.len() < lines {
        match reader.next() {
            None => break,
            Some(Err(failure)) => return (batch, Some(failure)),
            Some(Ok(found)) => {
                let pending = found.with(prepare);
                if let Pending::Message { prompt, .. } = &pending.what {
                    messages += 1;
                    bytes += prompt.len();
                }
                batch.push(pending);
            }
        }
    }
    (batch, None)
}

fn prepare(found: Found) -> Pending {
    Pending::Ready(match found {
        Found::Event(event) => match Rewards::new(event.uids, event.rewards) {
            Ok(rewards) => {
                return Pending::Message { prompt: event.prompt, rewards, block: event.block };
            }
            Err(error) => Step::Skip(Why::BadRewards, Some(error.into())),
        },
        Found::Begin(log) => Step::Begin(log),
        Found::Skip(why, problem) => Step::Skip(why, problem.map(Into::into)),
        Found::Stop => Step::Stop,
    })
}

fn encode(pending: Vec<Placed<Pending>>, encoder: &dyn Encoder) -> Result<Batch, Failure> {
    let prompts = pending.iter().filter_map(|placed| match &placed.what {
        Pending::Message { prompt, .. } => Some(prompt.as_str()),
        Pending::Ready(_) => None,
    });
    let mut embeddings = encode_each(&prompts.collect::<Vec<_>>(), encoder).into_iter();
    let mut step = |pending| match pending {
        Pending::Ready(step) => Ok(step),
        Pending::Message { rewards, block, .. } => {
            match embeddings.next().expect("every message has its embedding or an error") {
                Ok(embedding) => Ok(Step::Learn(Lesson { embedding, rewards, block })),
                Err(error) if is_of_message(&error) => {
                    Ok(Step::Skip(Why::NoEmbedding, Some(error.into())))
                }
                Err(error) => Err(Failure::from(error)),
            }
        }
    };
    pending.into_iter().map(|placed| placed.with(&mut step).transpose()).collect()
}

/// Encodes all at once; where one fails, one by one, to see which.
fn encode_each(messages: &[&str], encoder: &dyn Encoder) -> Vec<Result<Embedding, EncodeError>> {
    if messages.is_empty() {
        return Vec::new();
    }
    match encoder.encode_batch(messages) {
        Ok(embeddings) => embeddings.into_iter().map(Ok).collect(),
        Err(_) => messages.iter().map(|message| encoder.encode(message)).collect(),
    }
}

/// Whether the message is to blame, and not the encoder or its device.
fn is_of_message(error: &EncodeError) -> bool {
    use gating_encoders::Error::{EmptyMessage, TokenId, Tokens};
    let error = error.get().downcast_ref::<gating_encoders::Error>();
    matches!(error, Some(EmptyMessage | TokenId { .. } | Tokens { .. }))
}
