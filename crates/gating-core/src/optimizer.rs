//! Stochastic gradient descent as PyTorch does it: momentum without dampening, no weight decay.

use std::fmt;
use std::str::FromStr;

use gating_kernels::{Gradient, InstructionSet, Rate, descend, multiply_rows};
use gating_metagraph::{ResyncPlan, Uid};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::rows::Rows;
use crate::{Error, GateConfig};

/// How many rows a thread takes at once: few enough to be scored from the cache after their step.
const BLOCK_ROWS: usize = 16;

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

    /// One step: `v <- m v + grad`, `w <- w - lr v`. Every operation rounds to f32.
    ///
    /// Every row moves while its velocity is not zero, not only those of the lesson. The weights are
    /// changed in place. Where `from` is given, they are taken from there instead; then `rows` must be
    /// equal in all rows that stand still, as the rows of any earlier step since the last resync are.
    pub(crate) fn step(&mut self, rows: &mut Rows, from: Option<&Rows>, lesson: &Lesson<'_>) {
        self.pass(rows, from, lesson, None);
    }

    /// The same step in place, and the scores of the rows after it for the next embedding: each row
    /// is scored while it is still in the cache.
    pub(crate) fn step_and_score(
        &mut self,
        rows: &mut Rows,
        lesson: &Lesson<'_>,
        next: &[f32],
    ) -> Vec<f32> {
        let mut scores = vec![0.0; rows.num_uids()];
        self.pass(rows, None, lesson, Some((next, &mut scores)));
        scores.iter_mut().zip(&rows.bias).for_each(|(score, bias)| *score += bias);
        scores
    }

    /// One pass over the rows: each is read and written once. Products are without the bias.
    fn pass(
        &mut self,
        rows: &mut Rows,
        from: Option<&Rows>,
        lesson: &Lesson<'_>,
        scored: Option<(&[f32], &mut [f32])>,
    ) {
        for (uid, &slope) in lesson.uids.iter().zip(lesson.slopes) {
            self.slopes[uid.index()] = slope;
            self.awake[uid.index()] = true;
        }
        let step =
            Step { rate: self.rate, set: InstructionSet::best(), embedding: lesson.embedding };
        let blocks = self.blocks(&mut rows.weight, from.map(|rows| &*rows.weight), scored);
        blocks.into_par_iter().for_each(|block| step.take(block));
        self.step_biases(&mut rows.bias, from.map(|rows| &*rows.bias));
        lesson.uids.iter().for_each(|uid| self.slopes[uid.index()] = 0.0);
    }

    /// All rows, in blocks.
    fn blocks<'a>(
        &'a mut self,
        weight: &'a mut [f32],
        from: Option<&'a [f32]>,
        scored: Option<(&'a [f32], &'a mut [f32])>,
    ) -> Vec<Block<'a>> {
        let numbers = BLOCK_ROWS * self.velocity.hidden_size();
        let gradient = self.gradient.as_mut().map(|rows| &mut *rows.weight);
        let mut sums = gradient.into_iter().flat_map(|all| all.chunks_mut(numbers));
        let mut from = from.into_iter().flat_map(|all| all.chunks(numbers));
        let parts = |(next, products): (&'a [f32], &'a mut [f32])| {
            products.chunks_mut(BLOCK_ROWS).map(move |products| (next, products))
        };
        let mut scored = scored.into_iter().flat_map(parts);
        let rows = weight.chunks_mut(numbers).zip(self.velocity.weight.chunks_mut(numbers));
        let uids = self.slopes.chunks(BLOCK_ROWS).zip(self.awake.chunks(BLOCK_ROWS));
        rows.zip(uids)
            .map(|((weight, velocity), (slopes, awake))| Block {
                weight,
                velocity,
                sum: sums.next(),
                from: from.next(),
                slopes,
                awake,
                scored: scored.next(),
            })
            .collect()
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

/// What a step is taken for.
pub(crate) struct Lesson<'a> {
    /// Who was asked.
    pub(crate) uids: &'a [Uid],
    /// The slope of the loss along the score of each: the gradient of its row is `slope * embedding`,
    /// and that of its bias `slope`.
    pub(crate) slopes: &'a [f32],
    pub(crate) embedding: &'a [f32],
}

/// What all blocks of a step share.
struct Step<'a> {
    rate: Rate,
    set: InstructionSet,
    embedding: &'a [f32],
}

/// Some rows that lie beside each other, for one thread.
struct Block<'a> {
    weight: &'a mut [f32],
    velocity: &'a mut [f32],
    sum: Option<&'a mut [f32]>,
    from: Option<&'a [f32]>,
    slopes: &'a [f32],
    awake: &'a [bool],
    /// What the rows are multiplied with after the step, and the products.
    scored: Option<(&'a [f32], &'a mut [f32])>,
}

impl Step<'_> {
    fn take(&self, mut block: Block<'_>) {
        let size = self.embedding.len();
        for (index, &slope) in block.slopes.iter().enumerate() {
            if !block.awake[index] {
                continue;
            }
            let row = index * size..(index + 1) * size;
            let weight = &mut block.weight[row.clone()];
            if let Some(from) = block.from {
                weight.copy_from_slice(&from[row.clone()]);
            }
            let gradient = match &mut block.sum {
                Some(sum) => summed(&mut sum[row.clone()], slope, self.embedding),
                None => Gradient::Scaled { scale: slope, values: self.embedding },
            };
            descend(self.rate, weight, &mut block.velocity[row], gradient, self.set);
        }
        if let Some((next, products)) = block.scored {
            multiply_rows(block.weight, next, products, self.set);
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
