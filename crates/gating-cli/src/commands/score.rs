//! `gating score`: scores of every uid, or of the best, for messages.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use gating_core::{Encoder, Error, Scores};
use gating_metagraph::{Availability, AvailabilityRules, Metagraph, MetagraphDiff, Uid, Verdict};
use serde::{Deserialize, Serialize};

use super::metagraph;
use crate::args::ScoreArgs;
use crate::device;
use crate::failure::{Failure, Kind};
use crate::output::{Output, counted, escape};
use crate::session::Session;
use crate::settings::Settings;

/// How many messages are encoded together.
const BATCH: usize = 32;
/// How many uids are shown to people who do not say.
const SHOWN: u32 = 10;

#[derive(Serialize)]
struct AllLine<'a> {
    index: usize,
    num_uids: usize,
    scores: &'a [f32],
}

#[derive(Serialize)]
struct TopLine {
    index: usize,
    num_uids: usize,
    top: Vec<UidScore>,
}

#[derive(Serialize)]
struct UidScore {
    uid: u16,
    score: f32,
}

/// Which scores are asked for.
struct Asked {
    top: Option<u32>,
    /// The uids that can be asked; none where that does not matter.
    available: Option<HashSet<Uid>>,
}

pub(crate) fn run(args: &ScoreArgs, settings: &Settings, output: &Output) -> Result<(), Failure> {
    let input: Box<dyn Iterator<Item = Result<String, Failure>>> = match &args.input {
        Some(path) => Box::new(read(path)?),
        None => Box::new(std::iter::empty()),
    };
    let mut messages = args.messages.iter().cloned().map(Ok).chain(input);
    let metagraph = args.available.as_deref().map(|file| metagraph::read_of_subnet(file, settings));
    let metagraph = metagraph.transpose()?;
    let device = device::choose(settings, output)?;
    let session = Session::for_reading(settings, settings.checkpoint.as_deref(), &device, output)?;
    let available = metagraph.map(|metagraph| available(&metagraph, &session, settings, output));
    let asked = Asked { top: args.top, available: available.transpose()? };
    // Who writes line by line to stdin may wait for the scores of each.
    let size = if args.input.as_deref() == Some(Path::new("-")) { 1 } else { BATCH };
    let mut index = 0;
    loop {
        let mut bad = None;
        let good = |message: Result<String, Failure>| message.map_err(|why| bad = Some(why)).ok();
        let batch: Vec<String> = messages.by_ref().take(size).map_while(good).collect();
        for (scores, message) in score(&session, &batch, index).into_iter().zip(&batch) {
            print(&scores?, message, index, &asked, output)?;
            index += 1;
        }
        if let Some(failure) = bad {
            return Err(failure);
        }
        if batch.len() < size {
            break;
        }
    }
    session.tell_cache(output);
    Ok(())
}

/// The uids that can be asked, among those that the head scores.
fn available(
    metagraph: &Metagraph,
    session: &Session,
    settings: &Settings,
    output: &Output,
) -> Result<HashSet<Uid>, Failure> {
    if let Some(attached) = session.gate.metagraph() {
        let replaced = MetagraphDiff::between(&attached, metagraph)?.replaced.len();
        if replaced > 0 {
            let (replaced, blocks) =
                (counted(replaced, "uid"), metagraph.block().zip(attached.block()));
            output.warning(match blocks {
                Some((given, known)) if given < known => format!(
                    "the rows of {replaced} were learned for somebody else: the metagraph, of block \
                     {given}, is older than theirs, of block {known}"
                ),
                _ => format!(
                    "the rows of {replaced} were learned for somebody else: `gating resync` makes \
                     them new"
                ),
            });
        }
    }
    let limit = settings.vpermit_tao_limit;
    let rules = AvailabilityRules { vpermit_tao_limit: limit, ..AvailabilityRules::default() };
    let availability = Availability::new(metagraph, &rules);
    let unknown =
        availability.verdicts().filter(|(_, verdict)| matches!(verdict, Verdict::Unknown(_)));
    let unknown = unknown.count();
    if unknown > 0 {
        output.warning(format_args!(
            "{} left out: the metagraph does not say whether to ask",
            counted(unknown, "uid")
        ));
    }
    let num_uids = session.gate.head().num_uids();
    let available: HashSet<Uid> =
        availability.available().filter(|uid| uid.index() < num_uids).collect();
    match available.is_empty() {
        true => {
            let error = anyhow::Error::msg("no uid of the metagraph can be asked");
            Err(Failure::new(Kind::Metagraph, error)
                .hint("`gating metagraph available` says why of each"))
        }
        false => Ok(available),
    }
}

/// Scores a batch; where one message fails, those before it have their scores all the same.
fn score(session: &Session, batch: &[String], first: usize) -> Vec<Result<Scores, Failure>> {
    let messages: Vec<&str> = batch.iter().map(String::as_str).collect();
    if let Ok(scores) = scores(session, &messages) {
        return scores.into_iter().map(Ok).collect();
    }
    let alone = |(index, message): (usize, &&str)| {
        let mut scores = scores(session, &[message]).map_err(|error| {
            Failure::from(error).context(format!("message {} has no scores", first + index))
        })?;
        Ok(scores.pop().expect("a message has its scores"))
    };
    messages.iter().enumerate().map(alone).collect()
}

/// Embeddings that are kept come to the host in any case, and are scored there.
fn scores(session: &Session, messages: &[&str]) -> Result<Vec<Scores>, Error> {
    let encoder = session.gate.encoder();
    let embeddings = encoder.encode_batch(messages)?;
    match encoder.max_bytes() {
        0 => session.gate.score_on_device(embeddings),
        _ => session.gate.score_batch(embeddings),
    }
}

fn print(
    scores: &Scores,
    message: &str,
    index: usize,
    asked: &Asked,
    output: &Output,
) -> Result<(), Failure> {
    let num_uids = scores.num_uids();
    if asked.top.is_none() && output.is_json() {
        let line = AllLine { index, num_uids, scores: scores.values() };
        return output.result(&line, |_| String::new());
    }
    let count = asked.top.unwrap_or(SHOWN) as usize;
    let top = match &asked.available {
        None => scores.top(count),
        Some(available) => {
            let mut ranked = scores.top(num_uids);
            ranked.retain(|(uid, _)| available.contains(uid));
            ranked.truncate(count);
            ranked
        }
    };
    let top = top.into_iter().map(|(uid, score)| UidScore { uid: uid.get(), score }).collect();
    output.result(&TopLine { index, num_uids, top }, |line| {
        let message: String = message.chars().take(70).collect();
        let message = escape(&message);
        let mut text = format!("{message}\n{:>10} {:>7}  {:>10}", "rank", "uid", "score");
        for (rank, UidScore { uid, score }) in line.top.iter().enumerate() {
            text.push_str(&format!("\n{:>10} {uid:>7}  {score:>10.6}", rank + 1));
        }
        text
    })
}

/// The messages of a file, one a line: text, or JSON objects with `prompt` or `message`.
fn read(path: &Path) -> Result<impl Iterator<Item = Result<String, Failure>> + use<>, Failure> {
    let name = path.display().to_string();
    let reader: Box<dyn BufRead> = match path == Path::new("-") {
        true => Box::new(BufReader::new(io::stdin())),
        false => {
            let file = File::open(path).map_err(|error| Failure::file(path, error))?;
            Box::new(BufReader::new(file))
        }
    };
    Ok(reader.lines().enumerate().map(move |(index, line)| {
        let wrong = |error: anyhow::Error| {
            Failure::new(Kind::Input, error.context(format!("{name}, line {}", index + 1)))
        };
        let line = line.map_err(|error| wrong(error.into()))?;
        // Some editors begin a file with a byte order mark.
        let line = line.trim_start_matches('\u{feff}').to_owned();
        match line.trim_start().starts_with('{') {
            true => message(&line).map_err(wrong),
            false => Ok(line),
        }
    }))
}

fn message(json: &str) -> Result<String, anyhow::Error> {
    #[derive(Deserialize)]
    struct Line {
        prompt: Option<String>,
        message: Option<String>,
    }
    let Line { prompt, message } = serde_json::from_str(json)?;
    prompt.or(message).ok_or_else(|| anyhow::Error::msg("expected `prompt` or `message`"))
}
