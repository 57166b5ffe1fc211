//! Stochastic gradient descent as PyTorch does it: momentum without dampening, no weight decay.

use std::fmt;
use std::str::FromStr;

use gating_kernels::{Gradient, InstructionSet, Rate, descend};
use gating_metagraph::{ResyncPlan, Uid};
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use crate::rows::Rows;
use crate::{Error, GateConfig};

/// The fewest rows that are worth a thread of their own.
const MIN_ROWS: usize = 64;

/// What becomes of the gradient of one step at the next.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum GradientMode {
    /// It is kept, and every step descends along the sum of all gradients so far. The reference
    /// never clears its gradients, so this is what it does.
    #[default]
    Accumulate,
    /// It is cleared, as training loops usually do.
    PerStep,
}

impl GradientMode {
    /// The modes by the names they have in settings and checkpoints.
    const NAMES: [(Self, &str); 2] =
        [(Self::Accumulate, "accumulate"), (Self::PerStep, "per-step")];
}

impl fmt::Display for GradientMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(mode, _)| mode == self);
        f.pad(name.expect("every mode has a name").1)
    }
}

impl FromStr for GradientMode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mode = Self::NAMES.iter().find(|(_, name)| *name == text).map(|(mode, _)| *mode);
        mode.ok_or_else(|| Error::GradientMode { found: text.to_owned() })
    }
}

/// The state that learning keeps beside the weights.
#[derive(Clone, Debug)]
pub(crate) struct Sgd {
    rate: Rate,
    pub(crate) velocity: Rows,
    /// The sum of all gradients so far; none where each step clears its own.
    pub(crate) gradient: Option<Rows>,
    /// The rows that may have velocity or gradient: all others stand still.
    awake: Vec<bool>,
    /// The slope of every uid in the step that is being taken, and zero between steps.
    slopes: Vec<f32>,
}

impl Sgd {
    /// The state before the first step of learning rows of this shape.
    pub(crate) fn new(config: &GateConfig, num_uids: usize, hidden_size: usize) -> Self {
        let zeros = || Rows::zeros(num_uids, hidden_size);
        let gradient = (config.gradient == GradientMode::Accumulate).then(zeros);
        Self::from_rows(config, zeros(), gradient)
    }

    /// The state that learning has reached.
    pub(crate) fn from_rows(config: &GateConfig, velocity: Rows, gradient: Option<Rows>) -> Self {
        let moves = |rows: &Rows, uid| {
            rows.bias[uid] != 0.0 || rows.row(uid).iter().any(|&value| value != 0.0)
        };
        let columns = || [Some(&velocity), gradient.as_ref()].into_iter().flatten();
        let awake = |uid| columns().any(|rows| moves(rows, uid));
        Self {
            rate: Rate {
                learning_rate: config.learning_rate as f32,
                momentum: config.momentum as f32,
            },
            awake: (0..velocity.num_uids()).map(awake).collect(),
            slopes: vec![0.0; velocity.num_uids()],
            velocity,
            gradient,
        }
    }

    /// One step: `v <- m v + grad`, `w <- w - lr v`, where this step's gradient of row `uids[i]`
    /// is `slopes[i] * embedding` and of its bias `slopes[i]`. Every operation rounds to f32.
    ///
    /// Every row moves while its velocity is not zero, not only those of `uids`. The weights are
    /// changed in place. Where `from` is given, they are taken from there instead; then `rows` must be
    /// equal in all rows that stand still, as the rows of any earlier step since the last resync are.
    pub(crate) fn step(
        &mut self,
        rows: &mut Rows,
        from: Option<&Rows>,
        uids: &[Uid],
        slopes: &[f32],
        embedding: &[f32],
    ) {
        for (uid, &slope) in uids.iter().zip(slopes) {
            self.slopes[uid.index()] = slope;
            self.awake[uid.index()] = true;
        }
        self.step_weights(&mut rows.weight, from.map(|rows| &*rows.weight), embedding);
        self.step_biases(&mut rows.bias, from.map(|rows| &*rows.bias));
        uids.iter().for_each(|uid| self.slopes[uid.index()] = 0.0);
    }

    /// One pass over the rows: each is read and written once, while it is in the cache.
    fn step_weights(&mut self, weight: &mut [f32], from: Option<&[f32]>, embedding: &[f32]) {
        let (rate, size, set) = (self.rate, embedding.len(), InstructionSet::best());
        let copy = |uid: usize, weight: &mut [f32]| {
            if let Some(from) = from {
                weight.copy_from_slice(&from[uid * size..(uid + 1) * size]);
            }
        };
        let rows = weight
            .par_chunks_exact_mut(size)
            .zip(self.velocity.weight.par_chunks_exact_mut(size))
            .zip(&self.slopes)
            .zip(&self.awake)
            .enumerate()
            .with_min_len(MIN_ROWS);
        match &mut self.gradient {
            Some(gradient) => rows.zip(gradient.weight.par_chunks_exact_mut(size)).for_each(
                |((uid, (((weight, velocity), &slope), &awake)), sum)| {
                    if awake {
                        copy(uid, weight);
                        descend(rate, weight, velocity, summed(sum, slope, embedding), set);
                    }
                },
            ),
            None => rows.for_each(|(uid, (((weight, velocity), &scale), &awake))| {
                if awake {
                    copy(uid, weight);
                    let gradient = Gradient::Scaled { scale, values: embedding };
                    descend(rate, weight, velocity, gradient, set);
                }
            }),
        }
    }

    /// The same for the biases, whose gradients are the slopes.
    fn step_biases(&mut self, bias: &mut [f32], from: Option<&[f32]>) {
        if let Some(from) = from {
            bias.copy_from_slice(from);
        }
        let gradient = match &mut self.gradient {
            Some(sum) => Gradient::Summed { sum: &mut sum.bias, scale: 1.0, values: &self.slopes },
            None => Gradient::Scaled { scale: 1.0, values: &self.slopes },
        };
        descend(self.rate, bias, &mut self.velocity.bias, gradient, InstructionSet::best());
    }

    /// The same state after a resync; fresh rows have neither velocity nor gradient.
    pub(crate) fn resynced(&self, plan: &ResyncPlan) -> Self {
        let resynced = |rows: &Rows| rows.resynced(plan, |_, _| {});
        let awake = plan.apply(&self.awake, |_| false).expect("the plan is for these rows");
        Self {
            rate: self.rate,
            velocity: resynced(&self.velocity),
            gradient: self.gradient.as_ref().map(resynced),
            slopes: vec![0.0; awake.len()],
            awake,
        }
    }
}

/// The gradient of a row after this step's was added; a row without a slope keeps the one it has.
fn summed<'a>(sum: &'a mut [f32], slope: f32, embedding: &'a [f32]) -> Gradient<'a> {
    if slope == 0.0 {
        return Gradient::Scaled { scale: 1.0, values: sum };
    }
    Gradient::Summed { sum, scale: slope, values: embedding }
}
