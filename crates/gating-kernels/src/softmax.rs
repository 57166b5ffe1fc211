//! The weights of attention.

use std::f32::consts::LOG2_E;

use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, Simd};

use crate::activation::exp2;
use crate::instruction_set::MAX_LANES;

/// Where weights that are too small for f32 end: the power of two of the least normal number.
const LEAST: f32 = -126.0;

/// Makes `exp(score - largest)` of every score, and gives the sum of them all: what is weighted has to
/// be divided by it, which takes fewer divisions than there are scores.
///
/// Where a score is NaN, so is the sum.
#[inline(always)]
pub(crate) fn exponentiate<I: Isa>(isa: I, scores: &mut [f32]) -> f32 {
    let ops = isa.f32();
    let most = ops.splat(largest(isa, scores));
    let mut sums = ops.zero();
    let mut chunks = scores.chunks_exact_mut(ops.len());
    for chunk in &mut chunks {
        let weights = weights(isa, ops.load(chunk), most);
        sums = ops.add(sums, weights);
        ops.store(weights, chunk);
    }
    let mut sum = 0.0;
    for lane in sums.to_array().as_ref() {
        sum += lane;
    }
    let rest = chunks.into_remainder();
    let mut padded = [0.0; MAX_LANES];
    padded[..rest.len()].copy_from_slice(rest);
    let weights = weights(isa, ops.load(&padded), most);
    ops.store(weights, &mut padded);
    rest.copy_from_slice(&padded[..rest.len()]);
    for weight in rest {
        sum += *weight;
    }
    sum
}

#[inline(always)]
fn weights<I: Isa>(isa: I, scores: I::F32, most: I::F32) -> I::F32 {
    let ops = isa.f32();
    let least = ops.splat(LEAST);
    let powers = ops.mul(ops.sub(scores, most), ops.splat(LOG2_E));
    // A NaN, which is not less, stays one.
    exp2(isa, ops.select(least, powers, ops.lt(powers, least)))
}

#[inline(always)]
fn largest<I: Isa>(isa: I, scores: &[f32]) -> f32 {
    let ops = isa.f32();
    let mut registers = [ops.splat(f32::NEG_INFINITY); 2];
    let chunks = scores.chunks_exact(2 * ops.len());
    let rest = chunks.remainder();
    for chunk in chunks {
        let (front, back) = chunk.split_at(ops.len());
        registers[0] = ops.max(registers[0], ops.load(front));
        registers[1] = ops.max(registers[1], ops.load(back));
    }
    let mut most = f32::NEG_INFINITY;
    for lane in ops.max(registers[0], registers[1]).to_array().as_ref() {
        most = most.max(*lane);
    }
    for score in rest {
        most = most.max(*score);
    }
    most
}
