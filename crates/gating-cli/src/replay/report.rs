//! What a replay comes to.

use std::collections::BTreeMap;
use std::time::Duration;

use plotters::chart::SeriesLabelPosition;
use serde::Serialize;

use super::{Tally, Why};
use crate::cache::CacheReport;
use crate::chart::{self, Line, OTHER, Panel, STRONG};
use crate::failure::Failure;
use crate::output::{counted, seconds};
use crate::plot::Plot;

/// The last line of a replay.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    summary: Summary,
}

#[derive(Debug, Serialize)]
struct Summary {
    #[serde(flatten)]
    run: Part,
    seconds: f64,
    steps_per_second: f64,
    /// The step of the checkpoint at the end.
    step: u64,
    /// Whether `--until` stopped it before the end of the logs.
    stopped: bool,
    plot: Option<String>,
    /// None where embeddings are not kept.
    cache: Option<CacheReport>,
    /// This run with those that it went on from; none where it did not.
    total: Option<Part>,
}

/// What was learned in one run, or in several that went on from each other.
#[derive(Debug, Serialize)]
struct Part {
    steps: u64,
    skipped: u64,
    skipped_why: BTreeMap<Why, u64>,
    loss_first: Option<f64>,
    loss_last: Option<f64>,
    loss_tenths: Vec<Option<f64>>,
    spearman: Option<f64>,
    spearman_tenths: Vec<Option<f64>>,
    ndcg: Option<f64>,
    ndcg_tenths: Vec<Option<f64>>,
    resyncs: u64,
    replaced: u64,
    seen: BTreeMap<usize, u64>,
}

impl Report {
    /// What this run came to; `total` has those that it went on from too, where it did.
    pub(crate) fn new(run: &Tally, total: Option<&Tally>, time: Duration, step: u64) -> Self {
        let seconds = time.as_secs_f64();
        let summary = Summary {
            run: Part::new(run),
            seconds,
            steps_per_second: if seconds > 0.0 { run.steps as f64 / seconds } else { 0.0 },
            step,
            stopped: false,
            plot: None,
            cache: None,
            total: total.map(Part::new),
        };
        Self { summary }
    }

    pub(crate) fn stopped(mut self, stopped: bool) -> Self {
        self.summary.stopped = stopped;
        self
    }

    pub(crate) fn plot(mut self, plot: Option<&Plot>) -> Self {
        self.summary.plot = plot.map(|plot| plot.path().display().to_string());
        self
    }

    pub(crate) fn cache(mut self, cache: Option<CacheReport>) -> Self {
        self.summary.cache = cache;
        self
    }

    /// The report for people.
    pub(crate) fn text(&self) -> String {
        let Summary { run, seconds: time, steps_per_second, step, total, plot, cache, .. } =
            &self.summary;
        let time = seconds(Duration::from_secs_f64(*time));
        let steps = counted(run.steps, "step");
        let mut lines = vec![format!("{steps} in {time}, {steps_per_second:.1} a second")];
        lines.extend(run.text());
        lines.extend(cache.map(|cache| format!("  embeddings {cache}")));
        if let Some(total) = total {
            lines.push(format!("\nWith the runs before: {}", counted(total.steps, "step")));
            lines.extend(total.text());
        }
        lines.push(format!("the model has learned {} in all", counted(*step, "step")));
        lines.extend(plot.as_ref().map(|plot| format!("drawn in {plot}")));
        lines.join("\n")
    }
}

impl Part {
    fn new(tally: &Tally) -> Self {
        let loss_tenths = tally.loss.tenths();
        let seen = tally.seen.iter().copied().enumerate().filter(|(_, count)| *count > 0);
        Self {
            steps: tally.steps,
            skipped: tally.num_skipped(),
            skipped_why: tally.skipped.clone(),
            loss_first: loss_tenths.first().copied().flatten(),
            loss_last: loss_tenths.last().copied().flatten(),
            loss_tenths,
            spearman: tally.spearman.mean(),
            spearman_tenths: tally.spearman.tenths(),
            ndcg: tally.ndcg.mean(),
            ndcg_tenths: tally.ndcg.tenths(),
            resyncs: tally.resyncs,
            replaced: tally.replaced,
            seen: seen.collect(),
        }
    }

    fn text(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.skipped > 0 {
            let whys =
                self.skipped_why.iter().map(|(why, count)| format!("{count} {}", why.words()));
            let whys: Vec<String> = whys.collect();
            lines.push(format!("  skipped    {}: {}", self.skipped, whys.join(", ")));
        }
        if self.resyncs > 0 {
            let (resyncs, replaced) = (self.resyncs, counted(self.replaced, "row"));
            lines.push(format!("  resyncs    {resyncs}, which made {replaced} new"));
        }
        if self.steps == 0 {
            return lines;
        }
        let row = |name: &str, tenths: &[Option<f64>], show: fn(f64) -> String| {
            let show = |tenth: &Option<f64>| tenth.map_or("-".to_owned(), show);
            let cells: Vec<String> =
                tenths.iter().map(|tenth| format!("{:>8}", show(tenth))).collect();
            format!("  {name:<10}{}", cells.join(" "))
        };
        lines.push("  by tenth of the run".to_owned());
        lines.push(row("loss", &self.loss_tenths, |loss| format!("{loss:.2e}")));
        lines.push(row("Spearman", &self.spearman_tenths, |value| format!("{value:.3}")));
        lines.push(row("NDCG", &self.ndcg_tenths, |value| format!("{value:.3}")));
        lines.extend(self.seen_text());
        lines
    }

    fn seen_text(&self) -> Option<String> {
        let least = self.seen.iter().min_by_key(|(_, count)| **count)?;
        let most = self.seen.iter().max_by_key(|(_, count)| **count)?;
        let mean = self.seen.values().sum::<u64>() as f64 / self.seen.len() as f64;
        Some(format!(
            "  asked were {}, {mean:.1} times on average, from {} (uid {}) to {} (uid {})",
            counted(self.seen.len(), "uid"),
            least.1,
            least.0,
            most.1,
            most.0
        ))
    }
}

/// Draws the loss, and how well the scores before each step ranked the asked uids.
pub(crate) fn draw(plot: &Plot, tally: &Tally) -> Result<(), Failure> {
    let line = |name, color, curve: &super::curve::Curve| {
        let points = chart::running_mean(&curve.points());
        Line { name: Some(name), color, width: 2, points }
    };
    let ranking = Panel {
        label: "ranking of the asked uids",
        baseline: 0.0,
        // Between chance, which is 0 for one and above 0.5 for the other.
        legend: SeriesLabelPosition::MiddleLeft,
        curves: vec![
            line("NDCG, running mean", OTHER, &tally.ndcg),
            line("Spearman, running mean", STRONG, &tally.spearman),
        ],
    };
    let title = format!("Replay of {}", counted(tally.steps, "step"));
    plot.write(&title, &[Panel::with_mean("loss", tally.loss.points()), ranking])
}
