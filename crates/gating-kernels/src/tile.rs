//! The product of a few rows with one panel of columns, in registers: what every product is made of.

#![expect(unsafe_code, reason = "bounds are checked once a tile, not once a number")]

use std::array;
use std::hint::black_box;

use rten_simd::Isa;
use rten_simd::ops::{BitOps, NumOps};

/// How many rows of a panel are asked for ahead of their use, where a register is as long as a cache
/// line. With shorter ones, twice as many would be asked for; AVX2 was faster without in every shape
/// that was tried.
const AHEAD: usize = 12;
/// How many numbers a cache line holds.
const LINE: usize = 16;
/// How many terms are added in one turn of the loop, where registers are shorter than a cache line:
/// a turn has instructions that add nothing, and they weigh more there.
const UNROLLED: usize = 4;

/// The most registers that a row of a tile takes, with any instructions.
pub(crate) const MOST_VECTORS: usize = 3;

/// The most rows of a tile, and registers in each: what leaves registers for the numbers of a term.
/// AVX-512 has 32, AVX2 16.
pub(crate) fn largest(lanes: usize) -> (usize, usize) {
    if lanes >= LINE { (8, MOST_VECTORS) } else { (6, 2) }
}

/// Rows that lie `row_stride` apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strided<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) row_stride: usize,
}

/// The right side of a product.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panel<'a> {
    /// Row after row.
    pub(crate) values: &'a [f32],
    /// What is multiplied after it, and is asked for meanwhile, so that it has come from memory when
    /// its turn comes.
    pub(crate) next: &'a [f32],
}

/// Adds `left * right` to a tile of rows of `vectors * lanes` numbers, or starts it with that.
///
/// # Shapes
///
/// - left: `[rows, depth]`
/// - right: `[depth, vectors * lanes]`, row after row
/// - tile: `[rows, vectors * lanes]`, rows `tile_stride` apart
///
/// # Panics
///
/// When a slice is too short.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "the dimensions of three matrices")]
pub(crate) fn multiply<I: Isa>(
    isa: I,
    rows: usize,
    vectors: usize,
    depth: usize,
    left: Strided<'_>,
    right: Panel<'_>,
    (tile, tile_stride): (&mut [f32], usize),
    start: Start,
) {
    assert!(depth > 0, "a product has at least one term");
    let (most, _) = largest(isa.f32().len());
    let mut row = 0;
    while row < rows {
        let left = Strided { values: &left.values[row * left.row_stride..], ..left };
        let tile = &mut tile[row * tile_stride..];
        let count = match rows - row {
            8.. if most == 8 => 8,
            6.. if most == 6 => 6,
            4.. => 4,
            2.. => 2,
            _ => 1,
        };
        let share = Share::of(right, [row, count, rows], depth);
        let some = Operands { depth, left, right: right.values, share, tile, tile_stride, start };
        match count {
            8 => rows_of::<I, 8>(isa, vectors, some),
            6 => rows_of::<I, 6>(isa, vectors, some),
            4 => rows_of::<I, 4>(isa, vectors, some),
            2 => rows_of::<I, 2>(isa, vectors, some),
            _ => rows_of::<I, 1>(isa, vectors, some),
        }
        row += count;
    }
}

/// What is in a tile before a product is added.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Start {
    /// Nothing that counts: the product replaces it.
    Empty,
    /// The sum so far.
    Sum,
}

struct Operands<'a> {
    depth: usize,
    left: Strided<'a>,
    right: &'a [f32],
    share: Share,
    tile: &'a mut [f32],
    tile_stride: usize,
    start: Start,
}

/// The part of what comes next that is asked for while some rows are multiplied.
#[derive(Clone, Copy)]
struct Share {
    first: *const f32,
    /// How far two terms move on in it. One longer than a cache line, as where rows are few, leaves
    /// lines out: to ask for all of them would hold the products up.
    step: usize,
}

impl Share {
    /// That of `count` rows from `row` on, of `rows` that share it all.
    #[inline(always)]
    fn of(panel: Panel<'_>, [row, count, rows]: [usize; 3], depth: usize) -> Self {
        let length = panel.next.len();
        if length == 0 {
            // What is at hand is asked for again.
            return Self { first: panel.values.as_ptr(), step: 0 };
        }
        let first = panel.next.as_ptr().wrapping_add(length * row / rows);
        Self { first, step: (length * count).div_ceil(rows * depth) }
    }
}

#[inline(always)]
fn rows_of<I: Isa, const ROWS: usize>(isa: I, vectors: usize, operands: Operands<'_>) {
    match vectors {
        1 => multiply_exactly::<I, ROWS, 1>(isa, operands),
        2 => multiply_exactly::<I, ROWS, 2>(isa, operands),
        3 => multiply_exactly::<I, ROWS, 3>(isa, operands),
        _ => unreachable!("a panel is one to three registers wide"),
    }
}

/// Where rows end: so high that nothing lies there where the sum is too large to be counted.
#[inline(always)]
fn end(rows: usize, stride: usize, width: usize) -> usize {
    (rows - 1).saturating_mul(stride).saturating_add(width)
}

/// The sums of all `ROWS * VECTORS` registers stay in registers from the first to the last number.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "the indices run over several matrices at once")]
fn multiply_exactly<I: Isa, const ROWS: usize, const VECTORS: usize>(
    isa: I,
    operands: Operands<'_>,
) {
    let Operands { depth, left, right, share, tile, tile_stride, start } = operands;
    let ops = isa.f32();
    let lanes = ops.len();
    let width = VECTORS * lanes;
    assert!(end(ROWS, left.row_stride, depth) <= left.values.len(), "rows lie inside");
    assert!(end(depth, width, width) <= right.len(), "a panel has a row for every term");
    assert!(end(ROWS, tile_stride, width) <= tile.len(), "a tile has its rows");
    // SAFETY: what is read and written lies before the ends, which lie inside of the slices; what is
    // asked for ahead may lie past them, and is not read.
    unsafe {
        let (left_values, right, tile) = (left.values.as_ptr(), right.as_ptr(), tile.as_mut_ptr());
        // The compiler would work every address out anew for each term rather than keep them all.
        let rows: [*const f32; ROWS] =
            array::from_fn(|row| black_box(left_values.add(row * left.row_stride)));
        let mut sums = [[ops.zero(); VECTORS]; ROWS];
        if start == Start::Sum {
            for row in 0..ROWS {
                for vector in 0..VECTORS {
                    sums[row][vector] = ops.load_ptr(tile.add(row * tile_stride + vector * lanes));
                }
            }
        }
        let mut ahead = share.first;
        let mut term = 0;
        let unrolled = if lanes >= LINE { 0 } else { depth / UNROLLED * UNROLLED };
        while term < unrolled {
            for term in term..term + UNROLLED {
                ops.prefetch(ahead);
                ahead = ahead.wrapping_add(share.step);
                add_term(isa, rows, right, term, &mut sums);
            }
            term += UNROLLED;
        }
        while term < depth {
            ops.prefetch(ahead);
            ahead = ahead.wrapping_add(share.step);
            add_term(isa, rows, right, term, &mut sums);
            term += 1;
        }
        for row in 0..ROWS {
            for vector in 0..VECTORS {
                ops.store_ptr(sums[row][vector], tile.add(row * tile_stride + vector * lanes));
            }
        }
    }
}

/// Adds the products of one term of each row with a row of the panel.
///
/// # Safety
///
/// The term of every row and of the panel can be read.
#[inline(always)]
unsafe fn add_term<I: Isa, const ROWS: usize, const VECTORS: usize>(
    isa: I,
    rows: [*const f32; ROWS],
    right: *const f32,
    term: usize,
    sums: &mut [[I::F32; VECTORS]; ROWS],
) {
    let ops = isa.f32();
    let lanes = ops.len();
    let width = VECTORS * lanes;
    let mut columns = [ops.zero(); VECTORS];
    for (vector, column) in columns.iter_mut().enumerate() {
        if lanes >= LINE {
            ops.prefetch(right.wrapping_add((term + AHEAD) * width + vector * lanes));
        }
        // SAFETY: as the caller promises.
        *column = unsafe { ops.load_ptr(right.add(term * width + vector * lanes)) };
    }
    for (row, sums) in rows.into_iter().zip(sums) {
        // SAFETY: as the caller promises.
        let value = ops.splat(unsafe { *row.add(term) });
        for (sum, column) in sums.iter_mut().zip(columns) {
            *sum = ops.mul_add(value, column, *sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use rten_simd::SimdOp;

    use super::*;
    use crate::instruction_set::InstructionSet;

    /// A product whose rows lie further apart than they are long, by so many numbers.
    const APART: usize = 3;

    struct Product {
        rows: usize,
        vectors: usize,
        depth: usize,
        left: Vec<f32>,
        right: Vec<f32>,
        tile: Vec<f32>,
        tile_stride: usize,
        start: Start,
    }

    impl SimdOp for Product {
        type Output = Vec<f32>;

        fn eval<I: Isa>(mut self, isa: I) -> Vec<f32> {
            let left = Strided { values: &self.left, row_stride: self.depth + APART };
            let tile = (self.tile.as_mut_slice(), self.tile_stride);
            let right = Panel { values: &self.right, next: &self.right };
            multiply(isa, self.rows, self.vectors, self.depth, left, right, tile, self.start);
            self.tile
        }
    }

    /// Small whole numbers, whose products and sums are exact.
    fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|index| (index * 7 % 11) as f32 - 5.0).collect()
    }

    /// As short as the slices may be.
    fn product(set: InstructionSet, rows: usize, vectors: usize, start: Start) -> Product {
        let (width, depth) = (vectors * set.lanes(), 5);
        let tile_stride = width + APART;
        Product {
            rows,
            vectors,
            depth,
            left: numbers(rows * (depth + APART) - APART),
            right: numbers(depth * width),
            tile: numbers(rows * tile_stride - APART),
            tile_stride,
            start,
        }
    }

    fn expected(product: &Product) -> Vec<f32> {
        let Product { rows, depth, left, right, tile_stride, .. } = product;
        let width = tile_stride - APART;
        let mut tile = product.tile.clone();
        for (row, column) in (0..*rows).flat_map(|row| (0..width).map(move |column| (row, column)))
        {
            let terms = 0..*depth;
            let terms =
                terms.map(|term| left[row * (depth + APART) + term] * right[term * width + column]);
            let sum: f32 = terms.sum();
            let number = &mut tile[row * tile_stride + column];
            *number = if product.start == Start::Sum { *number + sum } else { sum };
        }
        tile
    }

    fn each(mut check: impl FnMut(InstructionSet, usize, usize, Start)) {
        let most = if cfg!(miri) { 7 } else { 17 };
        for set in InstructionSet::available() {
            for (rows, vectors) in (1..=most).flat_map(|rows| [1, 2, 3].map(|some| (rows, some))) {
                check(set, rows, vectors, Start::Empty);
                check(set, rows, vectors, Start::Sum);
            }
        }
    }

    #[test]
    fn every_tile_is_exact_and_nothing_beside_it_changes() {
        each(|set, rows, vectors, start| {
            let product = product(set, rows, vectors, start);
            let expected = expected(&product);
            assert_eq!(set.run(product), expected, "{rows} x {vectors} with {}", set.name());
        });
    }

    #[test]
    fn a_slice_that_is_too_short_is_refused() {
        each(|set, rows, vectors, start| {
            let shorten: [fn(&mut Product); 3] = [
                |product| product.left.truncate(product.left.len() - 1),
                |product| product.right.truncate(product.right.len() - 1),
                |product| product.tile.truncate(product.tile.len() - 1),
            ];
            for shorten in shorten {
                let mut product = product(set, rows, vectors, start);
                shorten(&mut product);
                catch_unwind(AssertUnwindSafe(|| set.run(product))).expect_err("it is too short");
            }
        });
    }

    /// The shares of all rows lie one behind the other, and reach the end.
    #[test]
    fn shares_are_all_of_what_comes_next() {
        let check = |rows: usize, at_once: usize, depth: usize, length: usize| {
            let next = vec![0.0; length];
            let panel = Panel { values: &[0.0], next: &next };
            let mut asked = 0;
            for row in (0..rows).step_by(at_once) {
                let count = at_once.min(rows - row);
                let share = Share::of(panel, [row, count, rows], depth);
                let from = (share.first.addr() - next.as_ptr().addr()) / size_of::<f32>();
                assert!(from <= asked, "{from} of {asked}: {rows} rows, {length} numbers");
                asked = from + share.step * depth;
            }
            assert!(asked >= length, "{asked} of {length}: {rows} rows");
        };
        for rows in [1, 8, 50, 56, 63, 96] {
            check(rows, 8, 768, 768 * 48);
            check(rows, 4, 384, 384 * 24);
            check(rows, 4, 5, 100);
            check(rows, 6, 32, 32 * 16);
        }
        let values = [0.0];
        let Share { first, step } = Share::of(Panel { values: &values, next: &[] }, [4, 4, 8], 3);
        assert_eq!((first, step), (values.as_ptr(), 0), "nothing comes next");
    }

    #[test]
    fn ends_do_not_wrap() {
        assert_eq!(end(3, 10, 4), 24);
        assert_eq!(end(usize::MAX, usize::MAX, 4), usize::MAX);
        assert_eq!(end(2, usize::MAX, 4), usize::MAX);
    }
}
