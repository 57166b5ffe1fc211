//! `gating demo`: the whole chain on a real encoder and a simulated network.
//!
//! Every number that it prints is measured in the run.

mod messages;
mod network;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use burn::tensor::Device;
use gating_core::{BaseGatingModel, CheckpointFolder, Embedding, Encoder, Rewards};
use gating_metagraph::Uid;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::Serialize;

use crate::args::DemoArgs;
use crate::chart::Panel;
use crate::failure::{Failure, Kind};
use crate::output::{Output, counted, seconds};
use crate::plot::Plot;
use crate::session::{MADE_BY, Session};
use crate::settings::Settings;
use crate::{chart, device, models};
use messages::Message;
use network::Network;

/// What the demo does otherwise than the reference: a sentence encoder that is quick to fetch, a
/// small network, and settings that learn in some thousand steps. `docs/learning.md` has what the
/// reference's own settings reach in as many.
pub(crate) const DEFAULTS: [(&str, &str); 5] = [
    ("gating.model_name", models::MINILM),
    ("gating.num_uids", "256"),
    ("gating.learning_rate", "1000"),
    ("gating.gradient", "per-step"),
    ("neuron.use_custom_gating_model", "true"),
];

/// How many uids are asked for a message, as in the reference.
const ASKED: usize = 50;
/// How many of the best uids are looked at.
const TOP: usize = 20;
/// One in so many uids changes hands after three quarters of the steps.
const CHURN: usize = 16;
/// How many messages are encoded together.
const BATCH: usize = 32;
/// Streams of random numbers that no row of the head is drawn from.
const CHOICES: u64 = u64::MAX;
const SKILLS: u64 = u64::MAX - 1;
/// How often the rewards of the best uids are measured.
const REPORTS: u64 = 10;

/// Where the demo writes, unless told otherwise.
const FOLDER: &str = "gating-demo";
/// What the note in a checkpoint says by which the demo knows its own.
const DEMO: &str = "gating demo";

#[derive(Serialize)]
struct StepLine {
    step: u64,
    loss: f32,
    uids: usize,
    reward: f64,
}

#[derive(Serialize)]
struct SummaryLine {
    summary: Summary,
}

#[derive(Serialize)]
struct Summary {
    reward_random: f64,
    reward_before: f64,
    reward_after: f64,
    reward_best: f64,
    steps: u64,
    loss_first: f64,
    loss_last: f64,
    resync: ResyncSummary,
    reloaded_scores_equal: bool,
    plot: String,
    checkpoint: String,
    seconds: BTreeMap<&'static str, f64>,
}

#[derive(Serialize)]
struct ResyncSummary {
    kept: usize,
    replaced: usize,
    kept_rows_unchanged: bool,
    /// What the best uids earned right after the resync.
    reward: f64,
}

pub(crate) fn run(args: &DemoArgs, settings: &Settings, output: &Output) -> Result<(), Failure> {
    let mut clock = Clock::default();
    let folder =
        settings.checkpoint.clone().unwrap_or_else(|| Path::new(FOLDER).join("checkpoint"));
    let plot = args.plot.clone().unwrap_or_else(|| Path::new(FOLDER).join("loss.svg"));
    let plot = Plot::prepare(&plot)?;
    let device = device::choose(settings, output)?;

    let located = models::locate_or_pull(&settings.model_name, output)?;
    clock.lap("model");
    let pooling = settings.pooling();
    models::warn_of_pooling(&located, pooling, output)?;
    let encoder = models::load(&located, pooling, (&device, device::dtype(settings)))?;
    clock.lap("load");
    output.note(format_args!("encoder: {} from {}", encoder.id(), located.name));
    let mut session = Session::begin(settings, &located, encoder, open(&folder)?)?;
    session.notes.insert(MADE_BY.to_owned(), DEMO.to_owned());

    let mut demo = Demo::new(session, settings, output)?;
    clock.lap("encode");
    let best_before = demo.best()?;
    clock.lap("measure");
    let learn = demo.learn(args, output)?;
    clock.take(&mut demo.clock);
    let best_after = demo.best()?;
    clock.lap("measure");
    demo.session.save()?;
    clock.lap("save");
    let reloaded_scores_equal = demo.reload(settings, &folder, &device, output)?;
    clock.lap("reload");
    demo.session.tell_cache(output);
    draw(&plot, &demo.losses)?;

    let (loss_first, loss_last) = chart::ends(&demo.losses);
    let summary = Summary {
        reward_random: demo.network.mean_reward(&demo.unseen),
        // All four on the network as it is at the end, so that they compare.
        reward_before: demo.reward(&best_before),
        reward_after: demo.reward(&best_after),
        reward_best: demo.network.best_reward(&demo.unseen, TOP),
        steps: args.steps,
        loss_first,
        loss_last,
        resync: learn,
        reloaded_scores_equal,
        plot: plot.path().display().to_string(),
        checkpoint: folder.display().to_string(),
        seconds: clock.laps,
    };
    output.result(&SummaryLine { summary }, |line| text(&line.summary, &demo.losses))
}

/// Opens the checkpoint folder, unless it holds what somebody else learned.
fn open(path: &Path) -> Result<CheckpointFolder, Failure> {
    let folder = CheckpointFolder::open(path)?;
    let is_ours = |notes: &BTreeMap<String, String>| {
        notes.get(MADE_BY).is_some_and(|made_by| made_by == DEMO)
    };
    match folder.read()? {
        Some(checkpoint) if !is_ours(&checkpoint.notes) => {
            let message = format!("{} holds a checkpoint that is no demo's", path.display());
            Err(Failure::new(Kind::Checkpoint, anyhow::Error::msg(message))
                .hint("name another folder with --checkpoint"))
        }
        _ => Ok(folder),
    }
}

fn draw(plot: &Plot, losses: &[f32]) -> Result<(), Failure> {
    let point = |(index, &loss): (usize, &f32)| (index as f64 + 1.0, f64::from(loss));
    let points = losses.iter().enumerate().map(point).collect();
    plot.write("Loss of each step", &[Panel::with_mean("loss", points)])
}

/// A gating model, the network that it serves, and the messages that it serves it with.
struct Demo {
    session: Session,
    network: Network,
    /// Messages to learn from, with their embeddings.
    seen: Vec<(Message, Embedding)>,
    /// Messages to measure on, which nothing is learned from.
    unseen: Vec<Message>,
    unseen_embeddings: Vec<Embedding>,
    random: ChaCha8Rng,
    losses: Vec<f32>,
    /// What was not learning while learning.
    clock: Clock,
}

impl Demo {
    /// Encodes all messages once: the encoder is frozen, so that nothing is gained by doing it
    /// again at every step.
    fn new(session: Session, settings: &Settings, output: &Output) -> Result<Self, Failure> {
        let mut random = ChaCha8Rng::seed_from_u64(settings.gate.seed);
        random.set_stream(CHOICES);
        let all = messages::all();
        let bar = output.progress("encode messages", all.len() as u64);
        let mut embeddings = Vec::with_capacity(all.len());
        for batch in all.chunks(BATCH) {
            let texts: Vec<&str> = batch.iter().map(|message| message.text).collect();
            embeddings.extend(session.gate.encoder().encode_batch(&texts)?);
            bar.inc(batch.len() as u64);
        }
        bar.finish_and_clear();
        let (mut seen, mut unseen, mut unseen_embeddings) = (Vec::new(), Vec::new(), Vec::new());
        for (index, (message, embedding)) in all.into_iter().zip(embeddings).enumerate() {
            // The messages of a topic stand together: one in six of each is kept for measuring.
            match index % 6 {
                0 => {
                    unseen.push(message);
                    unseen_embeddings.push(embedding);
                }
                _ => seen.push((message, embedding)),
            }
        }
        let num_uids = session.gate.config().num_uids;
        let demo = Self {
            network: Network::new(num_uids, messages::topics(), settings.gate.seed),
            session,
            seen,
            unseen,
            unseen_embeddings,
            random,
            losses: Vec::new(),
            clock: Clock::default(),
        };
        demo.session.gate.attach(&demo.network.metagraph())?;
        Ok(demo)
    }

    /// The uids that score best for each message that nothing was learned from.
    fn best(&self) -> Result<Vec<Vec<Uid>>, Failure> {
        let best = |embedding: &Embedding| {
            let top = self.session.gate.score(embedding.clone())?.top(TOP);
            Ok(top.into_iter().map(|(uid, _)| uid).collect())
        };
        self.unseen_embeddings.iter().map(best).collect()
    }

    /// What these uids truly earn on average, as the network is now.
    fn reward(&self, best: &[Vec<Uid>]) -> f64 {
        let rewards = self.unseen.iter().zip(best).map(|(message, uids)| {
            let rewards = uids.iter().map(|&uid| self.network.true_reward(uid, message.topic));
            rewards.sum::<f64>() / uids.len() as f64
        });
        rewards.sum::<f64>() / self.unseen.len() as f64
    }

    /// Asks, rewards and learns; some uids change hands on the way.
    fn learn(&mut self, args: &DemoArgs, output: &Output) -> Result<ResyncSummary, Failure> {
        let mut resync = None;
        let churn = args.steps - args.steps / 4;
        let bar = output.progress("learn", args.steps);
        self.clock.restart();
        for step in 1..=args.steps {
            let loss = self.step()?;
            self.losses.push(loss);
            self.clock.lap("learn");
            if step == churn {
                resync = Some(self.churn()?);
                self.clock.lap("resync");
            }
            if args.save_every.is_some_and(|every| step.is_multiple_of(every)) {
                self.session.save_on_the_way(output)?;
                self.clock.lap("save");
            }
            if step.is_multiple_of(args.steps.div_ceil(REPORTS)) {
                self.report(step, loss, output)?;
                self.clock.lap("measure");
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(resync.expect("the churn lies between the first step and the last"))
    }

    fn step(&mut self) -> Result<f32, Failure> {
        let (message, embedding) =
            self.seen.choose(&mut self.random).expect("there are messages for this");
        let count = self.network.num_uids();
        let asked = rand::seq::index::sample(&mut self.random, count, ASKED.min(count));
        let asked: Vec<Uid> =
            asked.iter().map(|index| Uid::try_from(index).expect("uids are 16 bits")).collect();
        let rewards = asked.iter().map(|&uid| self.network.answer(uid, message.topic));
        let rewards: Vec<f32> = rewards.collect();
        let rewards = Rewards::new(asked, rewards)?;
        let scores = self.session.gate.score(embedding.clone())?;
        Ok(self.session.gate.learn(&scores, &rewards)?.value())
    }

    /// Gives some uids to newcomers, resyncs, and compares every row with what it was.
    fn churn(&mut self) -> Result<ResyncSummary, Failure> {
        let before = self.session.gate.checkpoint()?;
        let replaced = self.network.churn(CHURN);
        let report = self.session.gate.follow(&self.network.metagraph())?;
        let after = self.session.gate.checkpoint()?;
        let uids = self.network.metagraph();
        let mut kept = uids.neurons().map(|(uid, _)| uid).filter(|uid| !replaced.contains(uid));
        let kept_rows_unchanged = kept.all(|uid| after.has_same_row(&before, uid));
        Ok(ResyncSummary {
            kept: report.kept,
            replaced: report.replaced.len(),
            kept_rows_unchanged,
            reward: self.reward(&self.best()?),
        })
    }

    fn report(&self, step: u64, loss: f32, output: &Output) -> Result<(), Failure> {
        let line = StepLine {
            step,
            loss,
            uids: ASKED.min(self.network.num_uids()),
            reward: self.reward(&self.best()?),
        };
        output.result(&line, |StepLine { step, loss, reward, .. }| {
            format!("step {step:>6}   loss {loss:.3e}   reward of the top {TOP}: {reward:.3}")
        })
    }

    /// Reads everything back from the disk, and compares the scores to the bit.
    fn reload(
        &self,
        settings: &Settings,
        folder: &Path,
        device: &Device,
        output: &Output,
    ) -> Result<bool, Failure> {
        let reloaded = Session::for_reading(settings, Some(folder), device, output)?;
        // The encoder anew for one message; the others are encoded already.
        let first = self.unseen[0].text;
        let [ours, theirs] = [&self.session, &reloaded]
            .map(|session| session.gate.forward(first).map(|scores| bits(scores.values())));
        if ours? != theirs? {
            return Ok(false);
        }
        for embedding in &self.unseen_embeddings {
            let [ours, theirs] = [&self.session, &reloaded].map(|session| {
                session.gate.score(embedding.clone()).map(|scores| bits(scores.values()))
            });
            if ours? != theirs? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// The time of each stage.
struct Clock {
    start: Instant,
    laps: BTreeMap<&'static str, f64>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { start: Instant::now(), laps: BTreeMap::new() }
    }
}

impl Clock {
    fn restart(&mut self) {
        self.start = Instant::now();
    }

    /// Ends a stage; the next one begins.
    fn lap(&mut self, stage: &'static str) {
        *self.laps.entry(stage).or_default() += self.start.elapsed().as_secs_f64();
        self.restart();
    }

    /// Ends stages that another clock took.
    fn take(&mut self, other: &mut Self) {
        for (stage, time) in std::mem::take(&mut other.laps) {
            *self.laps.entry(stage).or_default() += time;
        }
        self.restart();
    }
}

fn text(summary: &Summary, losses: &[f32]) -> String {
    let resync = &summary.resync;
    let bars = [
        ("random choice", summary.reward_random),
        ("before learning", summary.reward_before),
        ("after learning", summary.reward_after),
        ("best possible", summary.reward_best),
    ];
    let stages = ["model", "load", "encode", "learn", "resync", "measure", "save", "reload"];
    let times = stages.iter().filter_map(|stage| {
        let time = std::time::Duration::from_secs_f64(*summary.seconds.get(stage)?);
        Some(format!("{stage} {}", seconds(time)))
    });
    let times: Vec<String> = times.collect();
    let verdict = |good: bool, yes: &'static str, no: &'static str| if good { yes } else { no };
    [
        format!("\nTrue reward of the top {TOP} uids, on messages that nothing was learned from"),
        chart::bars(&bars),
        format!("\nLoss over {}", counted(summary.steps, "step")),
        chart::plot(losses),
        format!(
            "\nResync: {} changed hands and got fresh rows; the other {} rows {}; the reward \
             was {:.3} right after it.",
            counted(resync.replaced, "uid"),
            resync.kept,
            verdict(resync.kept_rows_unchanged, "are the same to the bit", "CHANGED"),
            resync.reward
        ),
        format!(
            "Reload: scores from the checkpoint {}.",
            verdict(summary.reloaded_scores_equal, "are the same to the bit", "DIFFER")
        ),
        format!("Time: {}.", times.join(", ")),
        format!("Loss curve: {}. Checkpoint: {}.", summary.plot, summary.checkpoint),
    ]
    .join("\n")
}
