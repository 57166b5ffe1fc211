//! Products of many rows with one vector.

use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdOp};

use crate::instruction_set::InstructionSet;

/// Sums that a product is added up in: as many as two of the widest registers hold. They are the same
/// with every set of instructions.
const SUMS: usize = 32;

/// How many numbers ahead of their use are asked for: a kibibyte.
const AHEAD: usize = 256;

/// The product of every row with one vector.
///
/// It is added up in a fixed order with a rounding after each operation, so that it is the same to the
/// bit with every set of instructions. Runs on the calling thread alone.
///
/// # Shapes
///
/// - rows: `[count, size]`
/// - vector: `[size]`
/// - output: `[count]`
///
/// # Panics
///
/// When the lengths do not fit, or the vector is empty.
///
/// # Example
///
/// ```
/// use gating_kernels::{InstructionSet, multiply_rows};
///
/// let mut output = [0.0; 2];
/// multiply_rows(&[1.0, 2.0, 3.0, 4.0], &[10.0, 1.0], &mut output, InstructionSet::best());
/// assert_eq!(output, [12.0, 34.0]);
/// ```
pub fn multiply_rows(rows: &[f32], vector: &[f32], output: &mut [f32], set: InstructionSet) {
    assert!(!vector.is_empty(), "a vector has numbers");
    assert_eq!(output.len().checked_mul(vector.len()), Some(rows.len()), "a number for each row");
    set.run(Products { rows, vector, output });
}

struct Products<'a> {
    rows: &'a [f32],
    vector: &'a [f32],
    output: &'a mut [f32],
}

impl SimdOp for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let Self { rows, vector, output } = self;
        for (row, output) in rows.chunks_exact(vector.len()).zip(output) {
            *output = match isa.f32().len() {
                16 => product::<I, 2>(isa, row, vector),
                8 => product::<I, 4>(isa, row, vector),
                _ => product::<I, 8>(isa, row, vector),
            };
        }
    }
}

/// Number `i` goes to sum `i % SUMS`, then the sums are added in pairs.
#[inline(always)]
fn product<I: Isa, const VECTORS: usize>(isa: I, row: &[f32], vector: &[f32]) -> f32 {
    let ops = isa.f32();
    let lanes = ops.len();
    assert_eq!(VECTORS * lanes, SUMS, "the sums fill the registers");
    let (row, row_rest) = row.as_chunks::<SUMS>();
    let (vector, vector_rest) = vector.as_chunks::<SUMS>();
    let mut registers = [ops.zero(); VECTORS];
    for (row, vector) in row.iter().zip(vector) {
        for (index, sums) in registers.iter_mut().enumerate() {
            let part = index * lanes..(index + 1) * lanes;
            // Never read here, so that it may lie past the end.
            ops.prefetch(row[part.clone()].as_ptr().wrapping_add(AHEAD));
            let terms = ops.mul(ops.load(&row[part.clone()]), ops.load(&vector[part]));
            *sums = ops.add(*sums, terms);
        }
    }
    let mut sums = [0.0; SUMS];
    for (sums, register) in sums.chunks_exact_mut(lanes).zip(registers) {
        ops.store(register, sums);
    }
    for ((sum, row), vector) in sums.iter_mut().zip(row_rest).zip(vector_rest) {
        *sum += row * vector;
    }
    let mut width = SUMS;
    while width > 1 {
        width /= 2;
        let (front, back) = sums.split_at_mut(width);
        front.iter_mut().zip(back).for_each(|(front, back)| *front += *back);
    }
    sums[0]
}
