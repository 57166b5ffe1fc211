//! The linear layer that scores every uid.

use std::sync::Arc;

use gating_metagraph::Uid;

use crate::rows::{Rows, fill_uniform};
use crate::scoring::{self, Embeddings};
use crate::{Embedding, Error};

/// How to make a [`Head`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HeadConfig {
    /// How many uids to score, 1 to 65,536.
    pub num_uids: usize,
    /// How many numbers an embedding has, at least 1.
    pub hidden_size: usize,
    /// Decides the first weights.
    pub seed: u64,
}

impl HeadConfig {
    /// A head with random rows: weights and biases uniform in `±1/sqrt(hidden_size)`, as
    /// `torch.nn.Linear` starts them.
    ///
    /// # Errors
    ///
    /// When there are no uids or more than can be numbered, or embeddings have no numbers.
    pub fn init(&self) -> Result<Head, Error> {
        let Self { num_uids, hidden_size, seed } = *self;
        check_num_uids(num_uids)?;
        if hidden_size == 0 {
            return Err(Error::NoHiddenSize);
        }
        let bound = 1.0 / (hidden_size as f32).sqrt();
        let mut rows = Rows::zeros(num_uids, hidden_size);
        let mut drawn = vec![0.0; hidden_size + 1];
        let weights = rows.weight.chunks_exact_mut(hidden_size);
        for (uid, (row, bias)) in weights.zip(&mut rows.bias).enumerate() {
            fill_uniform(&mut drawn, bound, seed, 0, uid);
            row.copy_from_slice(&drawn[..hidden_size]);
            *bias = drawn[hidden_size];
        }
        Ok(Head::new(rows))
    }
}

/// One linear layer, `s = W h + b`: a row of weights and a bias for every uid.
///
/// It lies in the host's memory, whatever device embeddings come from: one step reads and writes
/// every weight once, which is too little work to be worth a device. A clone is the same layer,
/// not a copy of it. [`Gate::score_on_device`](crate::Gate::score_on_device) copies it to a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Head(Arc<Rows>);

impl Head {
    pub(crate) fn new(rows: Rows) -> Self {
        Self(Arc::new(rows))
    }

    pub(crate) fn rows(&self) -> &Rows {
        &self.0
    }

    /// The rows, to be changed. Where there are other clones, they keep the rows as they are, and
    /// this one gets a copy.
    pub(crate) fn rows_mut(&mut self) -> &mut Rows {
        Arc::make_mut(&mut self.0)
    }

    /// Whether there is no other clone.
    pub(crate) fn is_unshared(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// The rows, if there is no other clone.
    pub(crate) fn into_rows(self) -> Option<Rows> {
        Arc::try_unwrap(self.0).ok()
    }

    /// The head with these weights, row after row, and biases: one of each for every uid.
    ///
    /// # Errors
    ///
    /// When there are no uids or more than can be numbered, the weights are no whole rows, or a
    /// number is not finite.
    pub fn from_values(weight: Vec<f32>, bias: Vec<f32>) -> Result<Self, Error> {
        check_num_uids(bias.len())?;
        if weight.is_empty() || !weight.len().is_multiple_of(bias.len()) {
            return Err(Error::HeadShape { weights: weight.len(), num_uids: bias.len() });
        }
        let rows = Rows { weight, bias };
        rows.check()?;
        Ok(Self::new(rows))
    }

    /// How many uids it scores.
    #[must_use]
    pub fn num_uids(&self) -> usize {
        self.0.num_uids()
    }

    /// How many numbers an embedding must have.
    #[must_use]
    pub fn hidden_size(&self) -> usize {
        self.0.hidden_size()
    }

    /// The weights, row after row: `[num_uids * hidden_size]`.
    #[must_use]
    pub fn weight(&self) -> &[f32] {
        &self.0.weight
    }

    /// The biases: `[num_uids]`.
    #[must_use]
    pub fn bias(&self) -> &[f32] {
        &self.0.bias
    }

    /// Scores every uid for one embedding: `s = W h + b`, before any softmax.
    ///
    /// Added up in f32 in a fixed order, so that the same numbers have the same scores on every
    /// machine; within 2e-7 of the sum of the sizes of all terms for embeddings of some thousand
    /// numbers.
    ///
    /// # Errors
    ///
    /// When the embedding is of another size, or the device fails that it is on.
    pub fn forward(&self, embedding: &Embedding) -> Result<Vec<f32>, Error> {
        self.check_size(embedding.hidden_size())?;
        let mut scores = self.scores(&[Arc::clone(embedding.numbers()?)].into());
        Ok(scores.pop().expect("an embedding has its scores"))
    }

    /// Scores every uid for each embedding, all of which have the right size.
    pub(crate) fn scores(&self, embeddings: &Embeddings) -> Vec<Vec<f32>> {
        scoring::scores(&self.0, embeddings)
    }

    /// Refuses embeddings of another size.
    pub(crate) fn check_size(&self, found: usize) -> Result<(), Error> {
        match self.hidden_size() {
            expected if expected == found => Ok(()),
            expected => Err(Error::HiddenSize { expected, found }),
        }
    }
}

/// Refuses a head without uids, and one with more than a [`Uid`] can number.
pub(crate) fn check_num_uids(num_uids: usize) -> Result<(), Error> {
    match num_uids {
        1..=Uid::COUNT => Ok(()),
        found => Err(Error::NumUids { found }),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn init(num_uids: usize, hidden_size: usize, seed: u64) -> Result<Head, Error> {
        HeadConfig { num_uids, hidden_size, seed }.init()
    }

    #[test]
    fn a_fresh_head_is_uniform_in_the_bound_of_torch() {
        let head = init(64, 100, 7).expect("64 uids");
        let values = [head.weight(), head.bias()].concat();
        let largest = values.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        assert!((0.099..=0.1).contains(&largest), "{largest}");
        assert!(mean.abs() < 0.004, "{mean}"); // 5 standard errors of 6464 numbers
    }

    #[test]
    fn the_seed_decides_the_weights() {
        let weight = |seed| init(3, 4, seed).expect("3 uids").weight().to_vec();
        assert_eq!(weight(1), weight(1));
        assert_ne!(weight(1), weight(2));
    }

    #[test]
    fn scores_are_products_plus_bias() {
        let head = Head::from_values(vec![1.0, 2.0, 3.0, 4.0], vec![0.5, -0.5]);
        let embedding = Embedding::from_slice(&[10.0, 1.0], &Device::flex());
        let scores = head.and_then(|head| head.forward(&embedding)).expect("the sizes agree");
        assert_eq!(scores, [12.5, 33.5]);
    }

    #[test]
    fn wrong_sizes_are_refused() {
        check(init(0, 4, 0), "expected 1 to 65536 uids, found 0");
        check(init(70_000, 4, 0), "expected 1 to 65536 uids, found 70000");
        check(init(4, 0, 0), "embeddings have no numbers, expected a hidden size of 1 or more");
        check(
            Head::from_values(vec![1.0; 5], vec![0.0; 2]),
            "5 weights are no whole rows of 2 uids",
        );
        check(
            Head::from_values(vec![1.0, f32::NAN], vec![0.0; 2]),
            "the row of uid 1 holds NaN, expected finite numbers",
        );
        let other = Embedding::from_slice(&[1.0; 3], &Device::flex());
        let scores = init(2, 4, 0).and_then(|head| head.forward(&other).map(|_| head));
        check(scores, "expected an embedding of 4 numbers, found 3");
    }

    fn check(found: Result<Head, Error>, expected: &str) {
        assert_eq!(found.expect_err("the sizes are wrong").to_string(), expected);
    }
}
