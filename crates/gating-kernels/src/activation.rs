//! The functions between the two linear layers of a transformer's feed-forward part.

use std::f32::consts::LOG2_E;

use rten_simd::ops::{BitOps, FloatOps, IntOps, NumOps};
use rten_simd::{Isa, Simd, SimdOp, SimdUnaryOp};
use rten_vecmath::{Sigmoid, Tanh};

use crate::instruction_set::InstructionSet;

/// A function of one number.
///
/// What it gives is off by no more than what is said of it here, and half a unit in the last place.
/// A NaN stays one.
///
/// # Example
///
/// ```
/// use gating_kernels::{Activation, InstructionSet};
///
/// let mut values = [-1.0, 0.0, 2.0];
/// Activation::Relu.apply(&mut values, InstructionSet::best());
/// assert_eq!(values, [0.0, 0.0, 2.0]);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Activation {
    /// `x Phi(x)`, where `Phi(x) = (1 + erf(x / sqrt(2))) / 2`; off by 1e-7.
    Gelu,
    /// `x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2`, the `gelu_new` of GPT-Neo; off by 1e-7.
    GeluTanh,
    /// `max(x, 0)`, exactly.
    Relu,
    /// `1 / (1 + exp(-x))`, off by 2e-7.
    Sigmoid,
    /// `x / (1 + exp(-x))`, off by 1e-7.
    Silu,
    /// The hyperbolic tangent, off by 2e-7.
    Tanh,
}

impl Activation {
    /// Applies the function to every number.
    pub fn apply(self, values: &mut [f32], set: InstructionSet) {
        set.run(Map { activation: self, values });
    }
}

struct Map<'a> {
    activation: Activation,
    values: &'a mut [f32],
}

impl SimdOp for Map<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let ops = isa.f32();
        let mut chunks = self.values.chunks_exact_mut(ops.len());
        for chunk in &mut chunks {
            ops.store(apply(isa, self.activation, ops.load(chunk)), chunk);
        }
        let rest = chunks.into_remainder();
        let mut padded = [0.0; 64];
        padded[..rest.len()].copy_from_slice(rest);
        ops.store(apply(isa, self.activation, ops.load(&padded)), &mut padded);
        rest.copy_from_slice(&padded[..rest.len()]);
    }
}

/// Applies the function to every lane.
#[inline(always)]
pub(crate) fn apply<I: Isa>(isa: I, activation: Activation, x: I::F32) -> I::F32 {
    match activation {
        Activation::Gelu => gelu(isa, x),
        Activation::GeluTanh => gelu_tanh(isa, x),
        Activation::Relu => relu(isa, x),
        Activation::Sigmoid => Sigmoid {}.eval(isa, x),
        Activation::Silu => silu(isa, x),
        Activation::Tanh => Tanh {}.eval(isa, x),
    }
}

#[inline(always)]
fn relu<I: Isa>(isa: I, x: I::F32) -> I::F32 {
    let ops = isa.f32();
    ops.select(ops.zero(), x, ops.lt(x, ops.zero()))
}

/// From here on both kinds of GELU are `max(x, 0)` to a precision far beyond f32.
const FAR: f32 = 9.0;

/// `exp(a^2 / 2) Phi(-a)` as a ratio of polynomials, lowest power first: least squares with the
/// weights of Lawson's method, relatively off by 9.5e-8 at the most for `a` from 0 to 7.
const MILLS: ([f32; 4], [f32; 5]) = (
    [0.499_999_94, 0.340_253_2, 0.107_476_085, 0.014_287_558],
    [1.0, 1.478_385_6, 0.894_581_8, 0.268_942_18, 0.035_829_57],
);

/// `2^x`, fitted as above, relatively off by 1.1e-7 at the most for `x` from -1/2 to 1/2.
#[expect(clippy::approx_constant, reason = "the fit is near the logarithm of 2, and not it")]
const EXP2: [f32; 6] =
    [1.0, 0.693_147, 0.240_222_42, 0.055_507_336, 0.009_671_513, 0.001_326_472_7];

/// `max(x, 0) - a Phi(-a)` with `a = |x|`: where `1 + erf(x / sqrt(2))` would cancel, nothing does.
#[inline(always)]
fn gelu<I: Isa>(isa: I, x: I::F32) -> I::F32 {
    let ops = isa.f32();
    let size = size(isa, x, FAR);
    let ratio = ops.div(polynomial(isa, size, MILLS.0), polynomial(isa, size, MILLS.1));
    let bell = exp2(isa, ops.mul(ops.mul(size, size), ops.splat(-0.5 * LOG2_E)));
    ops.sub(relu(isa, x), ops.mul(ops.mul(size, ratio), bell))
}

/// The same as [`silu`] of `2 sqrt(2 / pi) (x + 0.044715 x^3)`, but for the factor `x`.
#[inline(always)]
fn gelu_tanh<I: Isa>(isa: I, x: I::F32) -> I::F32 {
    /// `-2 sqrt(2 / pi) log2(e)`
    const SLOPE: f32 = -2.302_208_2;
    let ops = isa.f32();
    let size = size(isa, x, FAR);
    let slope = ops.mul_add(ops.mul(size, size), ops.splat(0.044_715 * SLOPE), ops.splat(SLOPE));
    ops.sub(relu(isa, x), logistic(isa, size, ops.mul(size, slope)))
}

/// `max(x, 0) - a e / (1 + e)` with `a = |x|` and `e = exp(-a)`.
#[inline(always)]
fn silu<I: Isa>(isa: I, x: I::F32) -> I::F32 {
    /// What is subtracted is next to nothing from here on, and a power of two that f32 has.
    const FAR: f32 = 87.0;
    let ops = isa.f32();
    let size = size(isa, x, FAR);
    ops.sub(relu(isa, x), logistic(isa, size, ops.mul(size, ops.splat(-LOG2_E))))
}

/// `x e / (1 + e)` with `e = 2^exponent`, which is from -126 to 0.
#[inline(always)]
fn logistic<I: Isa>(isa: I, x: I::F32, exponent: I::F32) -> I::F32 {
    let ops = isa.f32();
    let power = exp2(isa, exponent);
    ops.div(ops.mul(x, power), ops.add(ops.one(), power))
}

/// `|x|`, or `most` where that is less.
#[inline(always)]
fn size<I: Isa>(isa: I, x: I::F32, most: f32) -> I::F32 {
    let ops = isa.f32();
    let digits = ops.splat(f32::from_bits(i32::MAX as u32));
    ops.min(ops.and(x, digits), ops.splat(most))
}

/// `2^x` for `x` from -126 to 0.
#[inline(always)]
pub(crate) fn exp2<I: Isa>(isa: I, x: I::F32) -> I::F32 {
    // Numbers of this size have no digits after the point, so that what is added to one is rounded
    // and becomes its lowest bits; of these, with the 127 that are there, the shift makes a power.
    const WHOLE: f32 = 12_582_912.0 + 127.0;
    let ops = isa.f32();
    let shifted = ops.add(x, ops.splat(WHOLE));
    let rest = ops.sub(x, ops.sub(shifted, ops.splat(WHOLE)));
    let bits: I::I32 = shifted.reinterpret_cast();
    let power: I::F32 = isa.i32().shift_left::<23>(bits).reinterpret_cast();
    ops.mul(polynomial(isa, rest, EXP2), power)
}

#[inline(always)]
fn polynomial<I: Isa, const N: usize>(isa: I, x: I::F32, coefficients: [f32; N]) -> I::F32 {
    let ops = isa.f32();
    let mut sum = ops.splat(coefficients[N - 1]);
    // A closure would be compiled without the instructions that are enabled here.
    for power in (0..N - 1).rev() {
        sum = ops.mul_add(sum, x, ops.splat(coefficients[power]));
    }
    sum
}
