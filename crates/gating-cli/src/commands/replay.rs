//! `gating replay`: learns from event logs, and goes on where a checkpoint stopped.

use std::mem;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use gating_core::{Embedding, Error, Loss, Rewards, Scores};
use gating_metagraph::Metagraph;
use serde::Serialize;

use super::resync::warn_of_dropped;
use crate::args::ReplayArgs;
use crate::device;
use crate::failure::{Failure, Kind};
use crate::interrupt::{Interrupt, TICK};
use crate::output::{Bar, Output, counted};
use crate::plot::Plot;
use crate::replay::{
    self, Ahead, History, Lesson, Moment, Next, Placed, Progress, Ranking, Reader, Report,
    Selection, Step, Tally, Why,
};
use crate::session::Session;
use crate::settings::Settings;

/// How many messages are encoded together, unless told otherwise.
const BATCH: usize = 32;
/// How many bad lines are shown; the others are counted.
const SHOWN: u64 = 5;

#[derive(Serialize)]
struct StepLine {
    step: u64,
    loss: f32,
    uids: usize,
}

pub(crate) fn run(args: &ReplayArgs, settings: &Settings, output: &Output) -> Result<(), Failure> {
    let plot = args.plot.as_deref().map(Plot::prepare).transpose()?;
    replay::check(&args.logs, output)?;
    let netuid = settings.given("netuid").map(|_| settings.netuid);
    let history = args.metagraphs.as_deref().map(|folder| History::read(folder, netuid));
    let history = history.transpose()?;
    let device = device::choose(settings, output)?;
    let mut session = Session::for_writing(settings, &device, output)?;
    let selection = selection(args);
    let progress = resume(args, &selection, &session)?;
    let reader = Reader::new(&args.logs, selection, &progress)?;
    if !progress.logs.is_empty() {
        let steps = counted(progress.tally.steps, "step");
        output.note(format_args!("going on behind {steps} of this replay"));
    }
    let batch = match args.batch {
        Some(batch) => usize::from(batch),
        // Who writes line by line to stdin may wait for the loss of each.
        None => {
            if Reader::is_stream(&args.logs) {
                1
            } else {
                BATCH
            }
        }
    };
    let interrupt = Interrupt::listen()?;
    let bar = output.replay(Reader::total(&args.logs));
    let ahead = Ahead::spawn(reader, session.gate.encoder().clone(), batch)?;
    let mut replay = Replay::new(args, &mut session, history, progress, output, bar);
    let outcome = replay.learn(ahead, &interrupt);
    replay.end(outcome, plot.as_ref())
}

fn selection(args: &ReplayArgs) -> Selection {
    Selection {
        names: args.name.clone(),
        from: args.from.or(args.from_step.map(Moment::Step)),
        until: args.until,
    }
}

/// Where the checkpoint stopped, if it did so in a replay.
fn resume(
    args: &ReplayArgs,
    selection: &Selection,
    session: &Session,
) -> Result<Progress, Failure> {
    let mut words = selection.words();
    if args.metagraphs.is_some() {
        words.insert("--metagraphs".to_owned(), "a folder".to_owned());
    }
    match &session.progress {
        Some(text) if !args.again => {
            let progress = Progress::from_json(text)?;
            progress.check_selection(&words)?;
            Ok(progress)
        }
        _ => Ok(Progress::new(words)),
    }
}

/// What ended a run that nothing went wrong in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    /// The logs are over.
    Logs,
    /// The next event is not wanted.
    Until,
    Interrupt,
}

/// A replay at work.
struct Replay<'a> {
    args: &'a ReplayArgs,
    session: &'a mut Session,
    history: Option<History>,
    /// Whether there were runs before that it goes on from.
    goes_on: bool,
    /// Where the last step stands, and what all runs counted.
    progress: Progress,
    /// What this run counted.
    run: Tally,
    output: &'a Output,
    bar: Bar,
    start: Instant,
    /// When the checkpoint was saved last, and how many steps were learned since.
    saved: Instant,
    unsaved_steps: u64,
    is_changed: bool,
    shown: u64,
    /// Whether it was said that events are older than the metagraph that the rows belong to.
    has_told_older: bool,
    /// What the head says of the message of the next event, where the step before has told it.
    scored: Option<Result<Scores, Error>>,
}

impl<'a> Replay<'a> {
    fn new(
        args: &'a ReplayArgs,
        session: &'a mut Session,
        history: Option<History>,
        progress: Progress,
        output: &'a Output,
        bar: Bar,
    ) -> Self {
        let now = Instant::now();
        Self {
            args,
            session,
            history,
            goes_on: !progress.logs.is_empty(),
            progress,
            run: Tally::default(),
            output,
            bar,
            start: now,
            saved: now,
            unsaved_steps: 0,
            is_changed: false,
            shown: 0,
            has_told_older: false,
            scored: None,
        }
    }

    /// Learns from batches in their order until there are none, or somebody asks for the end.
    fn learn(&mut self, mut ahead: Ahead, interrupt: &Interrupt) -> Result<End, Failure> {
        while !interrupt.is_asked() {
            match ahead.next(TICK)? {
                Next::Batch(batch) => {
                    if let ControlFlow::Break(end) = self.take_all(batch)? {
                        return Ok(end);
                    }
                }
                // Who writes to a pipe may have nothing to say for hours.
                Next::Nothing => self.save_where_due()?,
                Next::End => return Ok(End::Logs),
            }
        }
        Ok(End::Interrupt)
    }

    /// Learns from the events of a batch, and tells of all that were learned.
    fn take_all(&mut self, batch: Vec<Placed<Step>>) -> Result<ControlFlow<End>, Failure> {
        let bytes = batch.last().map(|placed| placed.bytes);
        let mut lines = Vec::new();
        let mut batch = batch.into_iter().peekable();
        let mut taken = Ok(ControlFlow::Continue(()));
        while let (Ok(ControlFlow::Continue(())), Some(placed)) = (&taken, batch.next()) {
            let next = batch.peek().and_then(|next| next.what.embedding().cloned());
            taken = self.take(placed, next, &mut lines);
        }
        self.output.results(&lines)?;
        if let Some(bytes) = bytes {
            self.bar.show(bytes, self.run.steps, self.output);
        }
        taken
    }

    /// Learns from one event, or passes what is none.
    fn take(
        &mut self,
        placed: Placed<Step>,
        next: Option<Embedding>,
        lines: &mut Vec<StepLine>,
    ) -> Result<ControlFlow<End>, Failure> {
        let Placed { what, log, line, end, events, .. } = placed;
        let place = (log, line);
        match what {
            Step::Begin(log) => {
                self.progress.begin(log);
                return Ok(ControlFlow::Continue(()));
            }
            Step::Stop => return Ok(ControlFlow::Break(End::Until)),
            Step::Skip(why, problem) => self.skip(place, why, problem)?,
            Step::Learn(lesson) => lines.extend(self.step(place, &lesson, next)?),
        }
        self.progress.move_to(end);
        self.progress.events = events;
        self.is_changed = true;
        self.save_where_due()?;
        Ok(ControlFlow::Continue(()))
    }

    fn step(
        &mut self,
        place: (usize, u64),
        lesson: &Lesson,
        next: Option<Embedding>,
    ) -> Result<Option<StepLine>, Failure> {
        if let Some(block) = lesson.block {
            self.resync(block)?;
            self.warn_of_older(block);
        }
        let rewards = &lesson.rewards;
        let scores = match self.scored.take() {
            Some(scores) => scores?,
            None => self.session.gate.score(lesson.embedding.clone())?,
        };
        let asked = match scores.select(rewards.uids()) {
            Ok(asked) => asked,
            Err(error @ Error::UidOutOfRange { .. }) => {
                return self.skip(place, Why::UidOutOfRange, Some(error.into())).map(|()| None);
            }
            Err(error) => return Err(error.into()),
        };
        let loss = self.learn_from(&scores, rewards, next)?.value();
        let ranking = Ranking::of(&asked, rewards.values());
        for tally in [&mut self.run, &mut self.progress.tally] {
            tally.learned(rewards, loss, ranking);
        }
        self.unsaved_steps += 1;
        Ok(Some(StepLine { step: self.session.gate.step(), loss, uids: asked.len() }))
    }

    /// Learns, and where the message of the next event is known, scores it at once.
    fn learn_from(
        &mut self,
        scores: &Scores,
        rewards: &Rewards,
        next: Option<Embedding>,
    ) -> Result<Loss, Error> {
        let Some(next) = next else { return self.session.gate.learn(scores, rewards) };
        let (loss, scored) = self.session.gate.learn_and_score(scores, rewards, next)?;
        self.scored = Some(scored);
        Ok(loss)
    }

    /// Applies the metagraphs that were there when an event was logged.
    fn resync(&mut self, block: u64) -> Result<(), Failure> {
        let Some(history) = &mut self.history else { return Ok(()) };
        for (taken, resync) in history.apply(&self.session.gate, block)? {
            self.scored = None;
            warn_of_dropped(&resync, self.output);
            let replaced = resync.replaced.len() as u64;
            for tally in [&mut self.run, &mut self.progress.tally] {
                tally.resyncs += 1;
                tally.replaced += replaced;
            }
            let rows = counted(replaced, "row");
            self.output.detail(format_args!("metagraph of block {taken}: {rows} made new"));
        }
        Ok(())
    }

    /// Says once that an event is of a time before the rows came to those whom they belong to.
    fn warn_of_older(&mut self, block: u64) {
        let attached = self.session.gate.metagraph();
        let attached = attached.as_deref().and_then(Metagraph::block);
        if let Some(attached) = attached.filter(|attached| block < *attached)
            && !mem::replace(&mut self.has_told_older, true)
        {
            self.output.warning(format_args!(
                "an event of block {block} is older than the metagraph that the rows belong to, of block \
                 {attached}: where uids changed hands, who earned its rewards is not who has the rows"
            ));
        }
    }

    /// Counts what is not learned from; with `--strict` nothing bad is passed.
    fn skip(
        &mut self,
        (log, line): (usize, u64),
        why: Why,
        problem: Option<anyhow::Error>,
    ) -> Result<(), Failure> {
        if why.is_bad() {
            let name = replay::name(&self.args.logs[log]);
            let problem = problem.unwrap_or_else(|| anyhow::Error::msg(why.words()));
            if self.args.strict {
                return Err(Failure::new(
                    Kind::Input,
                    problem.context(format!("{name}, line {line}")),
                )
                .hint("mend the line, or leave out --strict to skip what is bad"));
            }
            self.show(&format!("{name}, line {line}: {problem:#}"));
        }
        self.run.skip(why);
        // An unfinished line is met again: it is counted when it is whole.
        if why != Why::Unfinished {
            self.progress.tally.skip(why);
        }
        Ok(())
    }

    fn show(&mut self, problem: &str) {
        self.shown += 1;
        if self.shown <= SHOWN {
            self.output.warning(problem);
        } else if self.shown == SHOWN + 1 {
            self.output.warning("further bad lines are counted, and not shown");
        }
    }

    fn save_where_due(&mut self) -> Result<(), Failure> {
        let every = self.args.save_every.is_some_and(|every| self.unsaved_steps >= every);
        if every || self.saved.elapsed() >= Duration::from_secs(self.args.save_seconds) {
            let is_saved = !self.has_learned() || {
                self.session.progress = Some(self.progress.to_json());
                self.session.save_on_the_way(self.output)?
            };
            (self.saved, self.unsaved_steps, self.is_changed) = (Instant::now(), 0, !is_saved);
        }
        Ok(())
    }

    /// Whether there is something to save. Logs of which nothing was learned, such as one that was named by
    /// mistake, are not what a checkpoint goes on with.
    fn has_learned(&self) -> bool {
        self.is_changed && self.progress.tally.steps > 0
    }

    /// Saves for the last time.
    fn save(&mut self) -> Result<(), Failure> {
        if self.has_learned() {
            self.session.progress = Some(self.progress.to_json());
            self.session.save()?;
        }
        Ok(())
    }

    /// Saves what was learned, however the run ended, and reports.
    fn end(mut self, outcome: Result<End, Failure>, plot: Option<&Plot>) -> Result<(), Failure> {
        let time = self.start.elapsed();
        self.bar.end();
        let saved = self.save();
        match (outcome.and_then(|end| self.report(end, time, plot)), saved) {
            // What was interrupted does not go on from where it is.
            (Err(failure), Err(unsaved)) if failure.kind == Kind::Interrupted => Err(unsaved),
            (Err(failure), Err(unsaved)) if failure.kind != Kind::StdoutClosed => {
                let line = unsaved.line();
                self.output.warning(format_args!("what was learned is not saved: {line}"));
                Err(failure)
            }
            (outcome, saved) => saved.and(outcome),
        }
    }

    fn report(&self, end: End, time: Duration, plot: Option<&Plot>) -> Result<(), Failure> {
        self.check_useful(end)?;
        let total = &self.progress.tally;
        if let Some(plot) = plot {
            replay::draw(plot, total)?;
        }
        let goes_on = self.goes_on.then_some(total);
        let report = Report::new(&self.run, goes_on, time, self.session.gate.step());
        let report = report.stopped(end == End::Until).plot(plot).cache(self.session.cache());
        self.output.result(&report, Report::text)?;
        if end == End::Interrupt { Err(self.interrupted()) } else { Ok(()) }
    }

    /// Says what became of the work that somebody ended.
    fn interrupted(&self) -> Failure {
        let steps = self.progress.tally.steps;
        let message = format!("interrupted behind step {steps} of the replay");
        let failure = Failure::new(Kind::Interrupted, anyhow::Error::msg(message));
        match self.session.has_folder() {
            true if self.args.again => {
                failure.hint("the same command without --again goes on from there")
            }
            true => failure.hint("the same command goes on from there"),
            false => failure,
        }
    }

    /// Says that what was selected is not there.
    fn warn_of_selection(&self, end: End) {
        let total = &self.progress.tally;
        let unwanted = total.skipped.iter().filter(|(why, _)| why.is_unwanted());
        let unwanted: Vec<String> =
            unwanted.map(|(why, count)| format!("{count} {}", why.words())).collect();
        match (total.steps, end) {
            (0, End::Logs) if !unwanted.is_empty() => {
                let unwanted = unwanted.join(", ");
                self.output.warning(format_args!("no event is selected: {unwanted}"));
            }
            (0, End::Logs) => self.output.warning("no event is in the logs"),
            (0, End::Until) => self.output.warning("no event is selected until --until"),
            _ => {}
        }
    }

    /// Refuses logs of which nothing can be learned: no line is an event, or every event is bad.
    fn check_useful(&self, end: End) -> Result<(), Failure> {
        let total = &self.progress.tally;
        let is_useless = |why: &Why| why.is_bad() || *why == Why::NotAnEvent;
        let is_all_useless = total.skipped.keys().all(is_useless);
        let is_any_bad = total.skipped.keys().any(|why| why.is_bad());
        if end != End::Interrupt && total.steps == 0 && is_all_useless && is_any_bad {
            return Err(self.nothing_learned());
        }
        self.warn_of_selection(end);
        let rows = self.session.gate.metagraph().as_deref().and_then(Metagraph::block);
        let waiting = self.history.as_ref().map_or(0, |history| history.num_waiting(rows));
        if waiting > 0 && end == End::Logs {
            self.output.note(format_args!(
                "{waiting} metagraphs were not applied: the logs end before their blocks, or \
                 do not name blocks"
            ));
        }
        Ok(())
    }

    /// Says in which ways every line is bad.
    fn nothing_learned(&self) -> Failure {
        let names: Vec<String> = self.args.logs.iter().map(|log| replay::name(log)).collect();
        let names = names.join(", ");
        let skipped = &self.progress.tally.skipped;
        let (message, hint) = if skipped.keys().all(|&why| why == Why::BadLine) {
            let hint = "logs are loguru's JSON lines, or CSV tables or JSON lines with `prompt`, `uids` \
                        and `rewards`";
            (format!("no line of {names} is an event"), hint)
        } else {
            let whys = skipped.iter().map(|(why, count)| format!("{count} {}", why.words()));
            let whys: Vec<String> = whys.collect();
            let hint = match skipped.contains_key(&Why::UidOutOfRange) {
                true => {
                    "a new head has `gating.num_uids` uids, one that goes on as many as its checkpoint"
                }
                false => "--strict ends at the first bad line, and names it",
            };
            (format!("nothing can be learned from {names}: {}", whys.join(", ")), hint)
        };
        Failure::new(Kind::Input, anyhow::Error::msg(message)).hint(hint)
    }
}
