//! What the head says of every uid for one message.

use std::cmp::Reverse;

use gating_metagraph::Uid;

use crate::head::check_num_uids;
use crate::{Embedding, Error};

/// The score of every uid for one message, and the embedding it came from, so that learning from
/// the message's rewards never encodes it again.
#[derive(Clone, Debug)]
pub struct Scores {
    values: Vec<f32>,
    embedding: Embedding,
    /// How many resyncs had changed rows when they were scored; none where nobody knows.
    generation: Option<u64>,
}

impl Scores {
    /// Scores that a head gave for an embedding.
    ///
    /// Nobody knows when that was: they are taken for scores of the rows as they are. What
    /// [`Gate::score`](crate::Gate::score) returns is refused for rows that were replaced since.
    ///
    /// # Errors
    ///
    /// When there are no scores, more than uids can number, or one is not a finite number.
    pub fn new(values: Vec<f32>, embedding: Embedding) -> Result<Self, Error> {
        Self::scored(values, embedding, None)
    }

    /// Scores of an embedding after so many resyncs.
    pub(crate) fn scored(
        values: Vec<f32>,
        embedding: Embedding,
        generation: Option<u64>,
    ) -> Result<Self, Error> {
        check_num_uids(values.len())?;
        match values.iter().position(|value| !value.is_finite()) {
            Some(index) => Err(Error::ScoreNotFinite { uid: index, found: values[index] }),
            None => Ok(Self { values, embedding, generation }),
        }
    }

    /// The scores by uid, before any softmax: `[num_uids]`.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// What they were computed from.
    #[must_use]
    pub fn embedding(&self) -> &Embedding {
        &self.embedding
    }

    /// How many resyncs had changed rows when they were scored; none where nobody knows.
    pub(crate) fn generation(&self) -> Option<u64> {
        self.generation
    }

    /// How many uids were scored.
    #[must_use]
    pub fn num_uids(&self) -> usize {
        self.values.len()
    }

    /// The scores of some uids, in their order.
    ///
    /// # Errors
    ///
    /// When a uid was not scored.
    pub fn select(&self, uids: &[Uid]) -> Result<Vec<f32>, Error> {
        let score = |&uid: &Uid| {
            let value = self.values.get(uid.index()).copied();
            value.ok_or(Error::UidOutOfRange { uid, num_uids: self.num_uids() })
        };
        uids.iter().map(score).collect()
    }

    /// The `count` uids with the highest scores, best first; equal scores in the order of uids.
    #[must_use]
    pub fn top(&self, count: usize) -> Vec<(Uid, f32)> {
        let mut ranked: Vec<usize> = (0..self.values.len().min(Uid::COUNT)).collect();
        let order = |&index: &usize| (Reverse(OrderedScore(self.values[index])), index);
        let count = count.min(ranked.len());
        if count < ranked.len() {
            ranked.select_nth_unstable_by_key(count, order);
            ranked.truncate(count);
        }
        ranked.sort_unstable_by_key(order);
        ranked.into_iter().map(|index| (Uid::new(index as u16), self.values[index])).collect()
    }
}

/// Orders scores, which are finite, as numbers.
struct OrderedScore(f32);

impl PartialEq for OrderedScore {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for OrderedScore {}

impl PartialOrd for OrderedScore {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for OrderedScore {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // Adding zero turns -0 into 0: the two are one score.
        (self.0 + 0.0).total_cmp(&(other.0 + 0.0))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn scores(values: &[f32]) -> Result<Scores, Error> {
        Scores::new(values.to_vec(), Embedding::from_slice(&[1.0], &Device::flex()))
    }

    fn check(values: &[f32], count: usize, expected: &[u16]) {
        let top = scores(values).expect("the scores are finite").top(count);
        let uids: Vec<u16> = top.iter().map(|(uid, _)| uid.get()).collect();
        assert_eq!(uids, expected, "top {count} of {values:?}");
    }

    #[test]
    fn the_best_come_first() {
        check(&[0.5, 2.0, -1.0, 1.0], 2, &[1, 3]);
        check(&[0.5, 2.0, -1.0, 1.0], 9, &[1, 3, 0, 2]);
        check(&[1.0, 2.0, 1.0, 2.0], 3, &[1, 3, 0]);
        check(&[-0.0, 0.0, -0.0], 2, &[0, 1]);
        check(&[1.0, 2.0], 0, &[]);
    }

    #[test]
    fn somebody_is_scored() {
        let error = scores(&[]).expect_err("nobody is scored");
        assert_eq!(error.to_string(), "expected 1 to 65536 uids, found 0");
    }

    #[test]
    fn scores_are_finite() {
        let error = scores(&[0.0, f32::NAN]).expect_err("uid 1 has no number");
        assert_eq!(error.to_string(), "the score of uid 1 is NaN, expected a finite number");
    }

    #[test]
    fn only_scored_uids_can_be_selected() {
        let scores = scores(&[0.5, 2.0]).expect("the scores are finite");
        assert_eq!(scores.select(&[Uid::new(1), Uid::new(0)]).ok(), Some(vec![2.0, 0.5]));
        let error = scores.select(&[Uid::new(2)]).expect_err("there are two uids");
        assert_eq!(
            error.to_string(),
            "uid 2 is out of range, expected one of the 2 uids from 0 to 1"
        );
    }
}
