//! Attention within sequences that lie one after the other; keys that nobody sees cost nothing.

#![expect(unsafe_code, reason = "columns of one output are written by several threads")]

use std::cell::RefCell;
use std::ops::Range;

use rayon::prelude::*;
use rten_simd::ops::BitOps;
use rten_simd::{Isa, SimdOp};

use crate::instruction_set::InstructionSet;
use crate::segments::{Pick, Segments};
use crate::shared::Shared;
use crate::softmax::exponentiate;
use crate::tile::{Panel, Start, Strided, largest, multiply};

/// The most queries that are answered together: as many of them as fill whole tiles.
const MAX_QUERIES: usize = 12;

/// How many positions ahead of their use keys and values are asked for, which lie too far apart for the
/// hardware to foresee.
const AHEAD: usize = 12;

/// How many numbers a cache line holds.
const LINE: usize = 16;

/// Attention of several heads within each of several sequences.
///
/// # Example
///
/// Where all keys are alike, the answer is the mean of the values that a query sees.
///
/// ```
/// use gating_kernels::{Attention, InstructionSet, Pick, Segments, Sight};
///
/// let attention =
///     Attention { heads: 1, scale: 1.0, sight: Sight::Behind { reach: 2 }, bias: None };
/// // Query, key and value of three rows and, in a sequence of its own, of one more.
/// let states = [[0.0, 0.0, 2.0], [0.0, 0.0, 4.0], [0.0, 0.0, 8.0], [0.0, 0.0, 1.0]].concat();
/// let segments = Segments::new([3, 1]);
/// let set = InstructionSet::best();
/// assert_eq!(attention.forward(&states, &segments, Pick::All, set), [2.0, 3.0, 6.0, 1.0]);
/// assert_eq!(attention.forward(&states, &segments, Pick::Last, set), [6.0, 1.0]);
/// ```
#[derive(Clone, Debug)]
pub struct Attention {
    /// How many heads the hidden size is cut into.
    pub heads: usize,
    /// What the products of queries and keys are multiplied by.
    pub scale: f32,
    /// Which keys a query sees.
    pub sight: Sight,
    /// What is added to scores.
    pub bias: Option<RelativeBias>,
}

/// Which keys of its own sequence a query sees.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sight {
    /// All.
    All,
    /// Its own and those before it, `reach` in all at the most.
    Behind {
        /// One or more.
        reach: usize,
    },
}

impl Sight {
    /// The keys that the query at `position` sees in a sequence of `length`.
    ///
    /// # Example
    ///
    /// ```
    /// use gating_kernels::Sight;
    ///
    /// assert_eq!(Sight::All.keys(2, 5), 0..5);
    /// assert_eq!(Sight::Behind { reach: 2 }.keys(2, 5), 1..3);
    /// ```
    #[must_use]
    pub fn keys(self, position: usize, length: usize) -> Range<usize> {
        match self {
            Self::All => 0..length,
            Self::Behind { reach } => (position + 1).saturating_sub(reach)..position + 1,
        }
    }
}

/// What is added to a score, by head and by how far the key lies ahead of the query.
///
/// # Example
///
/// ```
/// use gating_kernels::RelativeBias;
///
/// // One head; a key before the query, the key of the query itself, and one after it.
/// let bias = RelativeBias::new(vec![-1.0, 0.0, 1.0], 1, 1);
/// assert_eq!(bias.square(1, 2), [0.0, 1.0, -1.0, 0.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RelativeBias {
    values: Vec<f32>,
    farthest: usize,
}

impl RelativeBias {
    /// A bias for each head and each distance from `-farthest` to `farthest`.
    ///
    /// # Shapes
    ///
    /// - values: `[heads, 2 * farthest + 1]`; number `farthest + key - query` of a head counts
    ///
    /// # Panics
    ///
    /// When `values` is not that long.
    #[must_use]
    pub fn new(values: Vec<f32>, heads: usize, farthest: usize) -> Self {
        assert_eq!(values.len(), heads * (2 * farthest + 1), "a bias a head and distance");
        Self { values, farthest }
    }

    /// What is added to the scores of every query and key of a sequence.
    ///
    /// # Shapes
    ///
    /// - output: `[heads, length, length]`
    ///
    /// # Panics
    ///
    /// When the bias was made for other heads, or does not reach from end to end of the sequence.
    #[must_use]
    pub fn square(&self, heads: usize, length: usize) -> Vec<f32> {
        self.check(heads, length);
        let rows = (0..heads).flat_map(|head| (0..length).map(move |query| (head, query)));
        rows.flat_map(|(head, query)| self.row(head, query, 0..length)).copied().collect()
    }

    fn check(&self, heads: usize, length: usize) {
        assert_eq!(self.values.len(), heads * (2 * self.farthest + 1), "a bias for every head");
        assert!(length <= self.farthest + 1, "a bias for every distance");
    }

    /// What is added for one head and query to the scores of these keys.
    fn row(&self, head: usize, query: usize, keys: Range<usize>) -> &[f32] {
        let zero = head * (2 * self.farthest + 1) + self.farthest;
        &self.values[zero + keys.start - query..zero + keys.end - query]
    }
}

impl Attention {
    /// Answers the picked queries of every sequence.
    ///
    /// A sequence's result does not depend on the other sequences, to the bit.
    ///
    /// # Shapes
    ///
    /// - states: `[rows, 3 * hidden]`: queries, keys and values side by side
    /// - output: `[rows, hidden]`, or `[count, hidden]` where one query of each sequence is picked
    ///
    /// # Panics
    ///
    /// When the lengths do not fit, a sequence is empty, no key is seen, or the bias was made for
    /// other heads or shorter sequences.
    #[must_use]
    pub fn forward(
        &self,
        states: &[f32],
        segments: &Segments,
        pick: Pick,
        set: InstructionSet,
    ) -> Vec<f32> {
        self.forward_in(Vec::new(), states, segments, pick, set)
    }

    /// The same in the memory of a vector, whose numbers are lost.
    ///
    /// # Panics
    ///
    /// As [`Attention::forward`].
    #[must_use]
    pub fn forward_in(
        &self,
        mut output: Vec<f32>,
        states: &[f32],
        segments: &Segments,
        pick: Pick,
        set: InstructionSet,
    ) -> Vec<f32> {
        let hidden = self.hidden(states, segments);
        let length = segments.picked(pick) * hidden;
        output.clear();
        output.reserve_exact(length);
        let spare = Shared::spare(&mut output);
        let work: Vec<(usize, usize)> = (0..segments.count())
            .flat_map(|segment| (0..self.heads).map(move |head| (segment, head)))
            .collect();
        work.into_par_iter().with_max_len(1).for_each(|(segment, head)| {
            let rows = segments.range(segment);
            let (queries, first) = segments.queries(segment, pick);
            let states = &states[rows.start * 3 * hidden..rows.end * 3 * hidden];
            SCRATCH.with_borrow_mut(|scratch| {
                let length = rows.len();
                let head_size = hidden / self.heads;
                let one =
                    One { attention: self, states, hidden, head, head_size, length, output: spare };
                set.run(Job { one, queries, first, scratch });
            });
        });
        // SAFETY: each head of each sequence has stored its columns of every row.
        unsafe { output.set_len(length) };
        output
    }

    /// Checks that everything fits, and tells how many numbers a query has.
    fn hidden(&self, states: &[f32], segments: &Segments) -> usize {
        let rows = segments.rows();
        let hidden = states.len() / rows.max(1) / 3;
        let fits = states.len() == 3 * hidden * rows && (hidden > 0 || rows == 0);
        assert!(fits, "queries, keys and values for every row");
        assert!(hidden.is_multiple_of(self.heads), "heads of one size");
        assert!(segments.ranges().all(|range| !range.is_empty()), "a sequence has a row");
        assert!(self.sight != Sight::Behind { reach: 0 }, "a query sees a key");
        if let Some(bias) = &self.bias {
            bias.check(self.heads, segments.longest());
        }
        hidden
    }
}

/// Memory that a thread keeps from one head to the next.
#[derive(Default)]
struct Scratch {
    keys: Vec<f32>,
    values: Vec<f32>,
    scores: Vec<f32>,
    answers: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// One head of one sequence.
struct One<'a> {
    attention: &'a Attention,
    /// `[length, 3 * hidden]`
    states: &'a [f32],
    hidden: usize,
    head: usize,
    head_size: usize,
    length: usize,
    output: Shared<'a>,
}

struct Job<'a> {
    one: One<'a>,
    /// Positions in the sequence.
    queries: Range<usize>,
    /// The row of the output that the first of them is answered in.
    first: usize,
    scratch: &'a mut Scratch,
}

impl SimdOp for Job<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let Self { one, queries, first, scratch } = self;
        let lanes = isa.f32().len();
        let (rows, most_vectors) = largest(lanes);
        let many = MAX_QUERIES / rows * rows;
        let keys = Panels::new(one.length, lanes, most_vectors);
        let values = Panels::new(one.head_size, lanes, most_vectors);
        scratch.keys.resize(keys.columns() * one.head_size, 0.0);
        scratch.values.resize(values.columns() * one.length, 0.0);
        scratch.scores.resize(many * keys.stride(), 0.0);
        scratch.answers.resize(many * values.columns(), 0.0);
        one.pack_keys(isa, keys, &mut scratch.keys);
        one.pack_values(isa, values, &mut scratch.values);
        let mut from = queries.start;
        while from < queries.end {
            let some = from..queries.end.min(from + many);
            let first = first + from - queries.start;
            from = some.end;
            one.answer(isa, keys, values, scratch, some, first);
        }
    }
}

/// How columns are cut into panels.
#[derive(Clone, Copy)]
struct Panels {
    vectors: usize,
    width: usize,
    count: usize,
}

impl Panels {
    fn new(columns: usize, lanes: usize, most_vectors: usize) -> Self {
        let registers = columns.div_ceil(lanes);
        let vectors = registers.div_ceil(registers.div_ceil(most_vectors));
        Self { vectors, width: vectors * lanes, count: registers.div_ceil(vectors) }
    }

    fn columns(self) -> usize {
        self.width * self.count
    }

    /// How far rows of so many columns are apart: never so that they share places of a cache.
    fn stride(self) -> usize {
        self.columns() + LINE
    }
}

impl One<'_> {
    /// Where this head begins in the row at `position`, of queries, keys or values.
    fn start(&self, position: usize, which: usize) -> usize {
        (3 * position + which) * self.hidden + self.head * self.head_size
    }

    /// The numbers of this head in the row at `position`, of queries, keys or values.
    fn part(&self, position: usize, which: usize) -> &[f32] {
        &self.states[self.start(position, which)..][..self.head_size]
    }

    /// Asks for these numbers. They are not read here, so that the position may lie past the end.
    #[inline(always)]
    fn fetch<I: Isa>(&self, isa: I, position: usize, which: usize) {
        let first = self.states.as_ptr().wrapping_add(self.start(position, which));
        for line in 0..self.head_size.div_ceil(LINE) {
            isa.f32().prefetch(first.wrapping_add(line * LINE));
        }
    }

    /// Keys times the scale: panel after panel, each `[head size, width]`; past the last key, zeros.
    #[inline(always)]
    fn pack_keys<I: Isa>(&self, isa: I, panels: Panels, packed: &mut [f32]) {
        let (width, scale) = (panels.width, self.attention.scale);
        for (index, panel) in packed.chunks_exact_mut(self.head_size * width).enumerate() {
            for lane in 0..width {
                let position = index * width + lane;
                let rows = panel.chunks_exact_mut(width);
                self.fetch(isa, position + AHEAD, 1);
                if position < self.length {
                    let key = self.part(position, 1);
                    rows.zip(key).for_each(|(row, value)| row[lane] = value * scale);
                } else {
                    rows.for_each(|row| row[lane] = 0.0);
                }
            }
        }
    }

    /// Values: panel after panel, each `[length, width]`.
    #[inline(always)]
    fn pack_values<I: Isa>(&self, isa: I, panels: Panels, packed: &mut [f32]) {
        let size = self.head_size;
        for (index, panel) in packed.chunks_exact_mut(self.length * panels.width).enumerate() {
            let columns = index * panels.width..size.min((index + 1) * panels.width);
            for (position, row) in panel.chunks_exact_mut(panels.width).enumerate() {
                if index == 0 {
                    self.fetch(isa, position + AHEAD, 2);
                }
                let (used, rest) = row.split_at_mut(columns.len());
                used.copy_from_slice(&self.part(position, 2)[columns.clone()]);
                rest.fill(0.0);
            }
        }
    }

    /// Answers a few queries.
    #[inline(always)]
    fn answer<I: Isa>(
        &self,
        isa: I,
        keys: Panels,
        values: Panels,
        scratch: &mut Scratch,
        queries: Range<usize>,
        first: usize,
    ) {
        let sight = self.attention.sight;
        let seen = sight.keys(queries.start, self.length).start
            ..sight.keys(queries.end - 1, self.length).end;
        self.score(isa, keys, scratch, &queries, &seen);
        let stride = keys.stride();
        let mut sums = [0.0; MAX_QUERIES];
        let rows = scratch.scores.chunks_exact_mut(stride).zip(queries.clone());
        for (index, (row, query)) in rows.enumerate() {
            let own = sight.keys(query, self.length);
            row[seen.start..own.start].fill(0.0);
            row[own.end..seen.end].fill(0.0);
            let row = &mut row[own.clone()];
            if let Some(bias) = &self.attention.bias {
                let bias = bias.row(self.head, query, own);
                row.iter_mut().zip(bias).for_each(|(score, &bias)| *score += bias);
            }
            sums[index] = exponentiate(isa, row);
        }
        self.weigh(isa, values, scratch, stride, queries.len(), &seen);
        self.write(values, &mut scratch.answers, &sums[..queries.len()], first);
    }

    /// The products of queries with the panels that hold the keys which any of them sees.
    #[inline(always)]
    fn score<I: Isa>(
        &self,
        isa: I,
        keys: Panels,
        scratch: &mut Scratch,
        queries: &Range<usize>,
        seen: &Range<usize>,
    ) {
        let size = self.head_size;
        let values = &self.states[self.start(queries.start, 0)..];
        let left = Strided { values, row_stride: 3 * self.hidden };
        for panel in seen.start / keys.width..seen.end.div_ceil(keys.width) {
            let values = &scratch.keys[panel * size * keys.width..][..size * keys.width];
            let right = Panel { values, next: &[] };
            let tile = (&mut scratch.scores[panel * keys.width..], keys.stride());
            multiply(isa, queries.len(), keys.vectors, size, left, right, tile, Start::Empty);
        }
    }

    /// The sums of the values, by the weights in the scores.
    #[inline(always)]
    fn weigh<I: Isa>(
        &self,
        isa: I,
        values: Panels,
        scratch: &mut Scratch,
        stride: usize,
        queries: usize,
        seen: &Range<usize>,
    ) {
        let weights = &scratch.scores[seen.start..];
        let left = Strided { values: weights, row_stride: stride };
        for panel in 0..values.count {
            let rows = &scratch.values[(panel * self.length + seen.start) * values.width..];
            let right = Panel { values: rows, next: &[] };
            let tile = (&mut scratch.answers[panel * values.width..], values.columns());
            multiply(isa, queries, values.vectors, seen.len(), left, right, tile, Start::Empty);
        }
    }

    /// Divides answers by the sums of their weights, and copies them to this head's columns of the
    /// output.
    #[inline(always)]
    fn write(&self, values: Panels, answers: &mut [f32], sums: &[f32], first: usize) {
        let size = self.head_size;
        let answers = answers.chunks_exact_mut(values.columns());
        for (row, (answer, sum)) in answers.zip(sums).enumerate() {
            let scale = sum.recip();
            answer.iter_mut().for_each(|value| *value *= scale);
            let start = (first + row) * self.hidden + self.head * size;
            // SAFETY: only this job has these rows and this head.
            unsafe { self.output.store(start, &answer[..size]) };
        }
    }
}
