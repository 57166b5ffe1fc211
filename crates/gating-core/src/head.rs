//! The linear layer that scores every uid.

use burn::tensor::Device;
use gating_metagraph::Uid;

use crate::rows::{RowValues, Rows, fill_uniform};
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
    pub fn init(&self, device: &Device) -> Result<Head, Error> {
        let Self { num_uids, hidden_size, seed } = *self;
        check_num_uids(num_uids)?;
        if hidden_size == 0 {
            return Err(Error::NoHiddenSize);
        }
        let bound = 1.0 / (hidden_size as f32).sqrt();
        let mut values = RowValues { weight: Vec::new(), bias: Vec::new() };
        let mut row = vec![0.0; hidden_size + 1];
        for uid in 0..num_uids {
            fill_uniform(&mut row, bound, seed, 0, uid);
            values.weight.extend(&row[..hidden_size]);
            values.bias.push(row[hidden_size]);
        }
        Ok(Head(Rows::from_values(values, device)))
    }
}

/// One linear layer, `s = W h + b`: a row of weights and a bias for every uid.
#[derive(Clone, Debug)]
pub struct Head(pub(crate) Rows);

impl Head {
    /// The head with these weights, row after row, and biases: one of each for every uid.
    ///
    /// # Errors
    ///
    /// When there are no uids or more than can be numbered, the weights are no whole rows, or a
    /// number is not finite.
    pub fn from_values(weight: Vec<f32>, bias: Vec<f32>, device: &Device) -> Result<Self, Error> {
        check_num_uids(bias.len())?;
        if weight.is_empty() || !weight.len().is_multiple_of(bias.len()) {
            return Err(Error::HeadShape { weights: weight.len(), num_uids: bias.len() });
        }
        let values = RowValues { weight, bias };
        values.check()?;
        Ok(Self(Rows::from_values(values, device)))
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
    ///
    /// # Errors
    ///
    /// When the device fails.
    pub fn weight(&self) -> Result<Vec<f32>, Error> {
        Ok(self.0.weight.try_to_vec_as()?)
    }

    /// The biases: `[num_uids]`.
    ///
    /// # Errors
    ///
    /// When the device fails.
    pub fn bias(&self) -> Result<Vec<f32>, Error> {
        Ok(self.0.bias.try_to_vec_as()?)
    }

    /// Scores every uid for one embedding: `s = W h + b`, before any softmax.
    ///
    /// # Errors
    ///
    /// When the embedding is of another size, or the device fails.
    pub fn forward(&self, embedding: &Embedding) -> Result<Vec<f32>, Error> {
        if embedding.hidden_size() != self.hidden_size() {
            return Err(Error::HiddenSize {
                expected: self.hidden_size(),
                found: embedding.hidden_size(),
            });
        }
        let column = embedding.tensor().clone().unsqueeze_dim::<2>(1);
        let products = self.0.weight.clone().matmul(column).squeeze_dim::<1>(1);
        Ok((products + self.0.bias.clone()).try_into_vec_as()?)
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
    use super::*;

    fn init(num_uids: usize, hidden_size: usize, seed: u64) -> Result<Head, Error> {
        HeadConfig { num_uids, hidden_size, seed }.init(&Device::flex())
    }

    #[test]
    fn a_fresh_head_is_uniform_in_the_bound_of_torch() {
        let head = init(64, 100, 7).expect("64 uids");
        let mut values = head.weight().expect("the CPU does not fail");
        values.extend(head.bias().expect("the CPU does not fail"));
        let largest = values.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        assert!((0.099..=0.1).contains(&largest), "{largest}");
        assert!(mean.abs() < 0.004, "{mean}"); // 5 standard errors of 6464 numbers
    }

    #[test]
    fn the_seed_decides_the_weights() {
        let weight = |seed| init(3, 4, seed).and_then(|head| head.weight()).expect("3 uids");
        assert_eq!(weight(1), weight(1));
        assert_ne!(weight(1), weight(2));
    }

    #[test]
    fn scores_are_products_plus_bias() {
        let head = Head::from_values(vec![1.0, 2.0, 3.0, 4.0], vec![0.5, -0.5], &Device::flex());
        let embedding = Embedding::from_slice(&[10.0, 1.0], &Device::flex());
        let scores = head.and_then(|head| head.forward(&embedding)).expect("the sizes agree");
        assert_eq!(scores, [12.5, 33.5]);
    }

    #[test]
    fn wrong_sizes_are_refused() {
        check(init(0, 4, 0), "expected 1 to 65536 uids, found 0");
        check(init(70_000, 4, 0), "expected 1 to 65536 uids, found 70000");
        check(init(4, 0, 0), "embeddings have no numbers, expected a hidden size of 1 or more");
        let device = Device::flex();
        check(
            Head::from_values(vec![1.0; 5], vec![0.0; 2], &device),
            "5 weights are no whole rows of 2 uids",
        );
        check(
            Head::from_values(vec![1.0, f32::NAN], vec![0.0; 2], &device),
            "the row of uid 1 holds NaN, expected finite numbers",
        );
        let other = Embedding::from_slice(&[1.0; 3], &device);
        let scores = init(2, 4, 0).and_then(|head| head.forward(&other).map(|_| head));
        check(scores, "expected an embedding of 4 numbers, found 3");
    }

    fn check(found: Result<Head, Error>, expected: &str) {
        assert_eq!(found.expect_err("the sizes are wrong").to_string(), expected);
    }
}
