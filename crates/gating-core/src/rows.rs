//! One row a uid: the shape that weights, velocity and gradient share.

use burn::tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::Error;

/// One row of `hidden_size` weights and one bias for every uid.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    /// `[num_uids, hidden_size]`
    pub(crate) weight: Tensor<2>,
    /// `[num_uids]`
    pub(crate) bias: Tensor<1>,
}

/// Rows as plain numbers, as they lie in a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RowValues {
    /// Row after row.
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
}

impl RowValues {
    /// Refuses rows that hold a number that is none.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let hidden_size = self.weight.len() / self.bias.len();
        let rows = self.weight.chunks(hidden_size).zip(&self.bias);
        for (uid, (row, bias)) in rows.enumerate() {
            if let Some(&found) = row.iter().chain([bias]).find(|value| !value.is_finite()) {
                return Err(Error::WeightNotFinite { uid, found });
            }
        }
        Ok(())
    }
}

/// Where the row of a uid comes from when rows are made anew.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RowSource {
    /// From a row that is there already.
    Existing(usize),
    /// From the fresh rows, in their order.
    Fresh,
}

impl Rows {
    pub(crate) fn zeros(num_uids: usize, hidden_size: usize, device: &Device) -> Self {
        Self {
            weight: Tensor::zeros([num_uids, hidden_size], device),
            bias: Tensor::zeros([num_uids], device),
        }
    }

    pub(crate) fn from_values(values: RowValues, device: &Device) -> Self {
        let num_uids = values.bias.len();
        let hidden_size = values.weight.len() / num_uids;
        let weight = TensorData::new(values.weight, [num_uids, hidden_size]);
        Self {
            weight: Tensor::from_data(weight, device),
            bias: Tensor::from_data(TensorData::new(values.bias, [num_uids]), device),
        }
    }

    pub(crate) fn to_values(&self) -> Result<RowValues, Error> {
        Ok(RowValues { weight: self.weight.try_to_vec_as()?, bias: self.bias.try_to_vec_as()? })
    }

    pub(crate) fn num_uids(&self) -> usize {
        self.bias.dims()[0]
    }

    pub(crate) fn hidden_size(&self) -> usize {
        self.weight.dims()[1]
    }

    /// Adds `scale[i] * direction` to row `uids[i]`, and `scale[i]` to its bias.
    pub(crate) fn add_outer(self, uids: &[usize], scale: &[f32], direction: &Tensor<1>) -> Self {
        let device = self.bias.device();
        let indices: Vec<i32> = uids.iter().map(|&uid| uid as i32).collect();
        let indices = Tensor::<1, Int>::from_data(TensorData::from(indices.as_slice()), &device);
        let scale = Tensor::<1>::from_data(TensorData::from(scale), &device);
        let outer = scale.clone().unsqueeze_dim::<2>(1) * direction.clone().unsqueeze::<2>();
        let add = || IndexingUpdateOp::Add;
        Self {
            weight: self.weight.select_assign(0, indices.clone(), outer, add()),
            bias: self.bias.select_assign(0, indices, scale, add()),
        }
    }

    /// Every row times a number.
    pub(crate) fn scaled(self, factor: f32) -> Self {
        Self { weight: self.weight.mul_scalar(factor), bias: self.bias.mul_scalar(factor) }
    }

    /// The sum with other rows of the same shape.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { weight: self.weight + other.weight, bias: self.bias + other.bias }
    }

    /// The difference from other rows of the same shape.
    pub(crate) fn minus(self, other: Self) -> Self {
        Self { weight: self.weight - other.weight, bias: self.bias - other.bias }
    }

    /// New rows: uid `i` gets what `sources[i]` says; existing rows are copied to the bit.
    pub(crate) fn gather(&self, sources: &[RowSource], fresh: Self) -> Self {
        let mut next_fresh = self.num_uids();
        let index = |source: &RowSource| match *source {
            RowSource::Existing(index) => index as i32,
            RowSource::Fresh => {
                next_fresh += 1;
                next_fresh as i32 - 1
            }
        };
        let indices: Vec<i32> = sources.iter().map(index).collect();
        let indices = TensorData::from(indices.as_slice());
        let indices = Tensor::<1, Int>::from_data(indices, &self.bias.device());
        let weight = Tensor::cat(vec![self.weight.clone(), fresh.weight], 0);
        let bias = Tensor::cat(vec![self.bias.clone(), fresh.bias], 0);
        Self { weight: weight.select(0, indices.clone()), bias: bias.select(0, indices) }
    }
}

/// Fills a slice with numbers uniform in `[-bound, bound)`.
///
/// The numbers depend only on the seed, the generation (0 at the start, then one more with every
/// resync) and the uid, so that neither the order of uids nor the device matters.
pub(crate) fn fill_uniform(row: &mut [f32], bound: f32, seed: u64, generation: u64, uid: usize) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream((generation << 16) | uid as u64);
    for value in row {
        // 24 bits fill the mantissa of an f32: every value is exact, and 1 is never reached.
        let unit = (random.next_u32() >> 8) as f32 / (1 << 24) as f32;
        *value = bound * (2.0 * unit - 1.0);
    }
}
