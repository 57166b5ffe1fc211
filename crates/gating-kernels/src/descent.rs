//! Steps of stochastic gradient descent with momentum.

use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdOp};

use crate::instruction_set::InstructionSet;

/// How many numbers ahead of their use are asked for: a kibibyte.
const AHEAD: usize = 256;

/// How far a step goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// How much of the velocity a step adds to the weights.
    pub learning_rate: f32,
    /// How much of the velocity is left after a step.
    pub momentum: f32,
}

/// What velocities grow by in a step; every slice has a number for each weight.
#[derive(Debug)]
pub enum Gradient<'a> {
    /// `scale * values`
    Scaled {
        /// The factor of all.
        scale: f32,
        /// What is scaled.
        values: &'a [f32],
    },
    /// `sum <- sum + scale * values`, and then the sum.
    Summed {
        /// What is added to.
        sum: &'a mut [f32],
        /// The factor of all.
        scale: f32,
        /// What is scaled.
        values: &'a [f32],
    },
}

/// A step as PyTorch's SGD takes it: `v <- m v + gradient`, then `w <- w - lr v`.
///
/// There is a rounding after each operation, so that it is the same to the bit with every set of
/// instructions. Runs on the calling thread alone. What lies behind the slices in memory is fetched
/// ahead, for a caller who goes on there.
///
/// # Panics
///
/// When there are more or fewer velocities or values than weights.
///
/// # Example
///
/// ```
/// use gating_kernels::{Gradient, InstructionSet, Rate, descend};
///
/// let rate = Rate { learning_rate: 0.5, momentum: 0.75 };
/// let (mut weight, mut velocity) = ([1.0], [4.0]);
/// let gradient = Gradient::Scaled { scale: 2.0, values: &[0.5] };
/// descend(rate, &mut weight, &mut velocity, gradient, InstructionSet::best());
/// assert_eq!((weight, velocity), ([-1.0], [4.0]));
/// ```
pub fn descend(
    rate: Rate,
    weight: &mut [f32],
    velocity: &mut [f32],
    gradient: Gradient<'_>,
    set: InstructionSet,
) {
    let (values, sums) = match &gradient {
        Gradient::Scaled { values, .. } => (values.len(), weight.len()),
        Gradient::Summed { sum, values, .. } => (values.len(), sum.len()),
    };
    assert_eq!([velocity.len(), values, sums], [weight.len(); 3], "a number for each weight");
    match gradient {
        Gradient::Scaled { scale, values } => {
            set.run(Scaled { rate, weight, velocity, scale, values });
        }
        Gradient::Summed { sum, scale, values } => {
            set.run(Summed { rate, weight, velocity, sum, scale, values });
        }
    }
}

struct Scaled<'a> {
    rate: Rate,
    weight: &'a mut [f32],
    velocity: &'a mut [f32],
    scale: f32,
    values: &'a [f32],
}

impl SimdOp for Scaled<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        match isa.f32().len() {
            16 => self.run::<I, 16>(isa),
            8 => self.run::<I, 8>(isa),
            _ => self.run::<I, 4>(isa),
        }
    }
}

impl Scaled<'_> {
    #[inline(always)]
    fn run<I: Isa, const LANES: usize>(self, isa: I) {
        let (ops, scale) = (isa.f32(), isa.f32().splat(self.scale));
        let (weight, weight_rest) = self.weight.as_chunks_mut::<LANES>();
        let (velocity, velocity_rest) = self.velocity.as_chunks_mut::<LANES>();
        let (values, values_rest) = self.values.as_chunks::<LANES>();
        for ((weight, velocity), values) in weight.iter_mut().zip(velocity).zip(values) {
            fetch(isa, weight);
            fetch(isa, velocity);
            let gradient = ops.mul(scale, ops.load(values));
            step(isa, self.rate, weight, velocity, gradient);
        }
        let rest = weight_rest.iter_mut().zip(velocity_rest).zip(values_rest);
        for ((weight, velocity), value) in rest {
            step_one(self.rate, weight, velocity, self.scale * value);
        }
    }
}

struct Summed<'a> {
    rate: Rate,
    weight: &'a mut [f32],
    velocity: &'a mut [f32],
    sum: &'a mut [f32],
    scale: f32,
    values: &'a [f32],
}

impl SimdOp for Summed<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        match isa.f32().len() {
            16 => self.run::<I, 16>(isa),
            8 => self.run::<I, 8>(isa),
            _ => self.run::<I, 4>(isa),
        }
    }
}

impl Summed<'_> {
    #[inline(always)]
    fn run<I: Isa, const LANES: usize>(self, isa: I) {
        let (ops, scale) = (isa.f32(), isa.f32().splat(self.scale));
        let (weight, weight_rest) = self.weight.as_chunks_mut::<LANES>();
        let (velocity, velocity_rest) = self.velocity.as_chunks_mut::<LANES>();
        let (sum, sum_rest) = self.sum.as_chunks_mut::<LANES>();
        let (values, values_rest) = self.values.as_chunks::<LANES>();
        let parts = weight.iter_mut().zip(velocity).zip(sum).zip(values);
        for (((weight, velocity), sum), values) in parts {
            fetch(isa, weight);
            fetch(isa, velocity);
            fetch(isa, sum);
            let gradient = ops.add(ops.load(sum), ops.mul(scale, ops.load(values)));
            step(isa, self.rate, weight, velocity, gradient);
            ops.store(gradient, sum);
        }
        let rest = weight_rest.iter_mut().zip(velocity_rest).zip(sum_rest).zip(values_rest);
        for (((weight, velocity), sum), value) in rest {
            *sum += self.scale * value;
            step_one(self.rate, weight, velocity, *sum);
        }
    }
}

/// Asks for numbers that are ahead. They are not read here, so that they may lie past the end.
#[inline(always)]
fn fetch<I: Isa>(isa: I, numbers: &[f32]) {
    isa.f32().prefetch(numbers.as_ptr().wrapping_add(AHEAD));
}

/// A step of as many weights as a register holds.
///
/// All is read before anything is written: where the slices lie a whole number of pages apart, as
/// large ones do, a processor would take what it writes to one for what it reads of the other next,
/// and wait.
#[inline(always)]
fn step<I: Isa>(isa: I, rate: Rate, weight: &mut [f32], velocity: &mut [f32], gradient: I::F32) {
    let ops = isa.f32();
    let (start, before) = (ops.load(weight), ops.load(velocity));
    let speed = ops.add(ops.mul(ops.splat(rate.momentum), before), gradient);
    let way = ops.mul(ops.splat(rate.learning_rate), speed);
    ops.store(speed, velocity);
    ops.store(ops.sub(start, way), weight);
}

#[inline(always)]
fn step_one(rate: Rate, weight: &mut f32, velocity: &mut f32, gradient: f32) {
    *velocity = rate.momentum * *velocity + gradient;
    *weight -= rate.learning_rate * *velocity;
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { learning_rate: 0.03, momentum: 0.9 };
    const SCALE: f32 = 0.7;

    /// Numbers from -0.5 to 0.5 that use all digits.
    fn numbers(length: usize, seed: u32) -> Vec<f32> {
        let hash = |index: u32| (index + seed).wrapping_mul(2_654_435_761) as f32 / 4e9 - 0.5;
        (0..length as u32).map(hash).collect()
    }

    /// The state before a step: weights, velocities, sums.
    fn state(length: usize) -> [Vec<f32>; 3] {
        [1, 2, 3].map(|seed| numbers(length, 1000 * seed))
    }

    /// A step as its formula stands, one number after another.
    fn plain(state: &[Vec<f32>; 3], values: &[f32], is_summed: bool) -> [Vec<f32>; 3] {
        let [mut weight, mut velocity, mut sum] = state.clone();
        for index in 0..values.len() {
            let scaled = SCALE * values[index];
            let gradient = if is_summed { sum[index] + scaled } else { scaled };
            sum[index] = if is_summed { gradient } else { sum[index] };
            velocity[index] = RATE.momentum * velocity[index] + gradient;
            weight[index] -= RATE.learning_rate * velocity[index];
        }
        [weight, velocity, sum]
    }

    fn bits(state: &[Vec<f32>; 3]) -> Vec<u32> {
        state.iter().flatten().map(|value| value.to_bits()).collect()
    }

    fn check(length: usize) {
        let (before, values) = (state(length), numbers(length, 0));
        for set in InstructionSet::available() {
            for is_summed in [false, true] {
                let [mut weight, mut velocity, mut sum] = before.clone();
                let gradient = match is_summed {
                    true => Gradient::Summed { sum: &mut sum, scale: SCALE, values: &values },
                    false => Gradient::Scaled { scale: SCALE, values: &values },
                };
                descend(RATE, &mut weight, &mut velocity, gradient, set);
                let found = [weight, velocity, sum];
                let expected = plain(&before, &values, is_summed);
                let name = set.name();
                assert_eq!(bits(&found), bits(&expected), "{length}, {name}, {is_summed}");
            }
        }
    }

    #[test]
    fn every_set_takes_the_same_step_to_the_bit() {
        [0, 1, 3, 15, 16, 17, 31, 100, 768].into_iter().for_each(check);
    }

    #[test]
    #[should_panic = "a number for each weight"]
    fn all_lengths_agree() {
        let gradient = Gradient::Scaled { scale: 1.0, values: &[0.0; 3] };
        descend(RATE, &mut [0.0; 3], &mut [0.0; 2], gradient, InstructionSet::best());
    }
}
