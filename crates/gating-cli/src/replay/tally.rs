//! What a replay has counted and measured so far.

use std::collections::BTreeMap;

use gating_core::Rewards;
use serde::{Deserialize, Serialize};

use super::Ranking;
use super::curve::Curve;

/// Why a line or an event was not learned from.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Why {
    /// The line cannot be read.
    BadLine,
    /// The last line does not end yet; it is read again next time.
    Unfinished,
    /// The rewards are no numbers, or do not go with the uids.
    BadRewards,
    /// The head does not have one of the uids.
    UidOutOfRange,
    /// The message has no tokens, or none that the encoder knows.
    NoEmbedding,
    /// The line is something else that such logs hold.
    NotAnEvent,
    /// The event comes before `--from`.
    Before,
    /// The event has another name than `--name`.
    Name,
    /// The event does not say its block, which the selection asks for.
    NoBlock,
    /// The event does not say its time, which the selection asks for.
    NoTime,
}

impl Why {
    /// Whether something is wrong with the log, so that `--strict` stops.
    pub(crate) fn is_bad(self) -> bool {
        use Why::{BadLine, BadRewards, NoEmbedding, UidOutOfRange, Unfinished};
        matches!(self, BadLine | Unfinished | BadRewards | UidOutOfRange | NoEmbedding)
    }

    /// Whether the selection leaves it out.
    pub(crate) fn is_unwanted(self) -> bool {
        matches!(self, Self::Before | Self::Name | Self::NoBlock | Self::NoTime)
    }

    /// How a person says it behind a count.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::BadLine => "bad",
            Self::Unfinished => "unfinished",
            Self::BadRewards => "with bad rewards",
            Self::UidOutOfRange => "with a uid that the head does not have",
            Self::NoEmbedding => "with a message that cannot be encoded",
            Self::NotAnEvent => "of other things",
            Self::Before => "before the first wanted",
            Self::Name => "of other names",
            Self::NoBlock => "without a block",
            Self::NoTime => "without a time",
        }
    }
}

/// What was counted and measured.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tally {
    pub(crate) steps: u64,
    pub(crate) skipped: BTreeMap<Why, u64>,
    pub(crate) loss: Curve,
    /// How well the scores before each step ranked the asked uids.
    pub(crate) spearman: Curve,
    pub(crate) ndcg: Curve,
    /// How often each uid was asked.
    pub(crate) seen: Vec<u64>,
    /// How many metagraphs were applied, and how many rows they made new.
    pub(crate) resyncs: u64,
    pub(crate) replaced: u64,
}

impl Tally {
    pub(crate) fn learned(&mut self, rewards: &Rewards, loss: f32, ranking: Ranking) {
        self.steps += 1;
        self.loss.push(Some(f64::from(loss)));
        self.spearman.push(ranking.spearman);
        self.ndcg.push(ranking.ndcg);
        for uid in rewards.uids() {
            if self.seen.len() <= uid.index() {
                self.seen.resize(uid.index() + 1, 0);
            }
            self.seen[uid.index()] += 1;
        }
    }

    pub(crate) fn skip(&mut self, why: Why) {
        *self.skipped.entry(why).or_default() += 1;
    }

    pub(crate) fn num_skipped(&self) -> u64 {
        self.skipped.values().sum()
    }

    /// Whether it can have come from counting alone.
    pub(crate) fn is_sound(&self) -> bool {
        [&self.loss, &self.spearman, &self.ndcg].iter().all(|curve| curve.is_sound())
    }
}
