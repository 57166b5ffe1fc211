//! One row a uid: the shape that weights, velocity and gradient share.

use std::fmt;

use gating_kernels::prefer_large_pages;
use gating_metagraph::{ResyncPlan, RowSource, Uid};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::Error;

/// One row of `hidden_size` weights and one bias for every uid; at least one uid.
#[derive(PartialEq)]
pub(crate) struct Rows {
    /// Row after row: `[num_uids * hidden_size]`.
    pub(crate) weight: Vec<f32>,
    /// `[num_uids]`
    pub(crate) bias: Vec<f32>,
}

impl Rows {
    pub(crate) fn zeros(num_uids: usize, hidden_size: usize) -> Self {
        Self { weight: zeros_in_large_pages(num_uids * hidden_size), bias: vec![0.0; num_uids] }
    }

    pub(crate) fn num_uids(&self) -> usize {
        self.bias.len()
    }

    pub(crate) fn hidden_size(&self) -> usize {
        self.weight.len() / self.bias.len()
    }

    /// The weights of each uid, in order.
    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.weight.chunks_exact(self.hidden_size())
    }

    /// The weights of one uid.
    pub(crate) fn row(&self, uid: usize) -> &[f32] {
        let size = self.hidden_size();
        &self.weight[uid * size..(uid + 1) * size]
    }

    /// Refuses rows that hold a number that is none.
    pub(crate) fn check(&self) -> Result<(), Error> {
        for (uid, (row, bias)) in self.rows().zip(&self.bias).enumerate() {
            if let Some(&found) = row.iter().chain([bias]).find(|value| !value.is_finite()) {
                return Err(Error::WeightNotFinite { uid, found });
            }
        }
        Ok(())
    }

    /// The rows after a resync, those that stay or move copied to the bit. A row that begins anew
    /// is zero until `fill` has drawn its weights.
    pub(crate) fn resynced(&self, plan: &ResyncPlan, fill: impl Fn(Uid, &mut [f32])) -> Self {
        let size = self.hidden_size();
        let mut resynced = Self::zeros(plan.rows().len(), size);
        let rows = resynced.weight.chunks_exact_mut(size).zip(&mut resynced.bias);
        for ((uid, planned), (row, bias)) in plan.rows().zip(rows) {
            let from = match planned.source {
                RowSource::Keep => uid,
                RowSource::From(from) => from,
                RowSource::Fresh => {
                    fill(uid, row);
                    continue;
                }
            };
            row.copy_from_slice(self.row(from.index()));
            *bias = self.bias[from.index()];
        }
        resynced
    }
}

/// So many zeros, in large pages where the system has some: a step reads and writes all of them.
pub(crate) fn zeros_in_large_pages(count: usize) -> Vec<f32> {
    let mut numbers = vec![0.0; count];
    prefer_large_pages(&mut numbers);
    numbers
}

impl Clone for Rows {
    fn clone(&self) -> Self {
        let mut weight = zeros_in_large_pages(self.weight.len());
        weight.copy_from_slice(&self.weight);
        Self { weight, bias: self.bias.clone() }
    }
}

/// The numbers are too many to be shown.
impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rows [{}, {}]", self.num_uids(), self.hidden_size())
    }
}

/// Fills a slice with numbers uniform in `[-bound, bound)`.
///
/// The numbers depend only on the seed, the generation (0 at the start, then one more with every
/// resync that changes rows) and the uid, so that the order of uids does not matter.
pub(crate) fn fill_uniform(row: &mut [f32], bound: f32, seed: u64, generation: u64, uid: usize) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream((generation << 16) | uid as u64);
    for value in row {
        // 24 bits fill the mantissa of an f32: every value is exact, and 1 is never reached.
        let unit = (random.next_u32() >> 8) as f32 / (1 << 24) as f32;
        *value = bound * (2.0 * unit - 1.0);
    }
}
