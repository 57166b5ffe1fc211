//! `x W + b` with weights packed once, and what follows it applied while the sums are in cache.

#![expect(unsafe_code, reason = "blocks of one output are written by several threads")]

use std::cell::RefCell;
use std::ops::Range;

use rayon::prelude::*;
use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdOp};

use crate::activation::{Activation, apply};
use crate::aligned::Aligned;
use crate::instruction_set::{InstructionSet, MAX_LANES};
use crate::shared::Shared;
use crate::tile::{MOST_VECTORS, Panel, Start, Strided, largest, multiply};

/// Terms of a product that are summed for all rows before the next terms: so many rows of a panel
/// stay in a second-level cache.
const DEPTH: usize = 768;

/// The most rows of the input that are multiplied at once.
const MAX_ROWS: usize = 96;

/// The most numbers of the input that are multiplied at once: they stay in a second-level cache.
const MAX_INPUT: usize = 1 << 18;

/// Rows of the input that are so far apart, in numbers, fall on the same few places of a first-level
/// cache; they are copied further apart by a cache line.
const ALIASED: usize = 1024;
const LINE: usize = 16;

/// Into how many parts the work is cut for each thread, so small that all threads end together;
/// and where each part copies its rows of the input before.
const PARTS: usize = 32;
const COPYING_PARTS: usize = 2;

/// The weights and bias of a linear layer, packed for one set of instructions.
///
/// # Example
///
/// ```
/// use gating_kernels::{InstructionSet, Layout, PackedLinear};
///
/// let set = InstructionSet::best();
/// let layer = PackedLinear::new(&[3.0, 4.0], Layout::OutputsFirst, [2, 1], Some(&[5.0]), set);
/// let mut output = layer.forward(&[1.0, 2.0, 0.0, 1.0], None);
/// assert_eq!(output, [16.0, 9.0]);
/// layer.add(&[1.0, 1.0, 2.0, 2.0], &mut output);
/// assert_eq!(output, [28.0, 28.0]);
/// ```
#[derive(Debug)]
pub struct PackedLinear {
    /// Panel after panel of as many columns as a tile, each `[inputs, width]`; the last one is filled
    /// up with zeros.
    panels: Aligned,
    /// Filled up with zeros like the panels.
    bias: Vec<f32>,
    inputs: usize,
    outputs: usize,
    set: InstructionSet,
}

/// How the weights of a layer lie before they are packed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Layout {
    /// `[outputs, inputs]`, as `torch.nn.Linear` has them.
    OutputsFirst,
    /// `[inputs, outputs]`, as the `Conv1D` of GPT-2 has them.
    InputsFirst,
}

impl PackedLinear {
    /// Packs `[outputs, inputs]` or `[inputs, outputs]` weights; no bias is a bias of zero.
    ///
    /// # Panics
    ///
    /// When the lengths do not fit each other, or a dimension is zero.
    #[must_use]
    pub fn new(
        weight: &[f32],
        layout: Layout,
        [inputs, outputs]: [usize; 2],
        bias: Option<&[f32]>,
        set: InstructionSet,
    ) -> Self {
        assert!(inputs > 0 && outputs > 0, "a layer has inputs and outputs");
        let count = inputs.checked_mul(outputs);
        assert_eq!(Some(weight.len()), count, "weights are inputs times outputs");
        assert!(bias.is_none_or(|bias| bias.len() == outputs), "a bias has one number an output");
        let width = panel_width(set.lanes());
        let padded = outputs.next_multiple_of(width);
        let mut panels = Aligned::zeros(padded * inputs);
        panels.as_mut_slice().par_chunks_mut(width * inputs).enumerate().for_each(
            |(index, panel)| {
                let columns = index * width..outputs.min((index + 1) * width);
                pack_panel(panel, weight, layout, [inputs, outputs], columns, width);
            },
        );
        let mut padded_bias = bias.map_or_else(Vec::new, <[f32]>::to_vec);
        padded_bias.resize(padded, 0.0);
        Self { panels, bias: padded_bias, inputs, outputs, set }
    }

    /// How many numbers a row of the input has.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// How many numbers a row of the output has.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Applies the layer to every row of `input`.
    ///
    /// A row's result does not depend on the other rows, to the bit.
    ///
    /// # Shapes
    ///
    /// - input: `[rows, inputs]`
    /// - output: `[rows, outputs]`
    ///
    /// # Panics
    ///
    /// When `input` is not whole rows.
    #[must_use]
    pub fn forward(&self, input: &[f32], activation: Option<Activation>) -> Vec<f32> {
        self.forward_in(Vec::new(), input, activation)
    }

    /// The same in the memory of a vector, whose numbers are lost. Fresh memory comes page by page at
    /// its first use, which was measured at a quarter of the time of a large batch.
    ///
    /// # Panics
    ///
    /// As [`PackedLinear::forward`].
    #[must_use]
    pub fn forward_in(
        &self,
        mut output: Vec<f32>,
        input: &[f32],
        activation: Option<Activation>,
    ) -> Vec<f32> {
        let length = self.length(input);
        output.clear();
        output.reserve_exact(length);
        let then = activation.map_or(Then::Store, Then::Activate);
        self.run(input, Shared::spare(&mut output), then);
        // SAFETY: the blocks, which cover all rows and columns, have stored every number.
        unsafe { output.set_len(length) };
        output
    }

    /// Adds what the layer makes of every row of `input` to a row of `output`.
    ///
    /// # Shapes
    ///
    /// - input: `[rows, inputs]`
    /// - output: `[rows, outputs]`
    ///
    /// # Panics
    ///
    /// When the lengths do not fit the layer.
    pub fn add(&self, input: &[f32], output: &mut [f32]) {
        assert_eq!(output.len(), self.length(input), "an output row for each input row");
        self.run(input, Shared::new(output), Then::Add);
    }

    /// How many rows an input has.
    fn rows(&self, input: &[f32]) -> usize {
        assert!(input.len().is_multiple_of(self.inputs), "an input is whole rows");
        input.len() / self.inputs
    }

    /// How many numbers an output has.
    fn length(&self, input: &[f32]) -> usize {
        self.rows(input).checked_mul(self.outputs).expect("an output fits in memory")
    }

    /// Fills or changes an output that is long enough for all rows. For [`Then::Add`], which
    /// [`PackedLinear::add`] alone asks for, it holds numbers.
    fn run(&self, input: &[f32], output: Shared<'_>, then: Then) {
        let blocks = self.blocks(self.rows(input));
        // One by one, so that a thread that is held up keeps no others waiting.
        blocks.into_par_iter().with_max_len(1).for_each(|(rows, panels)| {
            let input = &input[rows.start * self.inputs..rows.end * self.inputs];
            SCRATCH.with_borrow_mut(|Scratch { apart, sums }| {
                let (input, stride) = self.spread(input, apart);
                let block = Block { layer: self, input, stride, output, rows, then };
                self.set.run(Panels { block, panels, sums });
            });
        });
    }

    /// The rows of the input and how far they lie apart, copied where that is a bad distance.
    fn spread<'a>(&self, input: &'a [f32], apart: &'a mut Vec<f32>) -> (&'a [f32], usize) {
        if !self.is_spread() {
            return (input, self.inputs);
        }
        let stride = self.inputs + LINE;
        apart.resize(input.len() / self.inputs * stride, 0.0);
        for (to, from) in apart.chunks_exact_mut(stride).zip(input.chunks_exact(self.inputs)) {
            to[..self.inputs].copy_from_slice(from);
        }
        (apart, stride)
    }

    fn is_spread(&self) -> bool {
        self.inputs.is_multiple_of(ALIASED)
    }

    /// Cuts the work into blocks of rows and panels for the threads; no two overlap.
    fn blocks(&self, rows: usize) -> Vec<(Range<usize>, Range<usize>)> {
        let panels = self.bias.len() / panel_width(self.set.lanes());
        let size = (MAX_INPUT / self.inputs / 8 * 8).clamp(8, MAX_ROWS);
        let row_blocks = rows.div_ceil(size).max(1);
        let size = rows.div_ceil(row_blocks).max(1).next_multiple_of(8);
        let parts = if self.is_spread() { COPYING_PARTS } else { PARTS };
        let parts = (parts * rayon::current_num_threads()).div_ceil(row_blocks);
        let width = panels.div_ceil(parts.min(panels));
        let cut = |length: usize, size: usize| {
            (0..length).step_by(size).map(move |start| start..length.min(start + size))
        };
        cut(rows, size)
            .flat_map(|rows| cut(panels, width).map(move |some| (rows.clone(), some)))
            .collect()
    }
}

/// How many columns a panel has.
fn panel_width(lanes: usize) -> usize {
    largest(lanes).1 * lanes
}

fn pack_panel(
    panel: &mut [f32],
    weight: &[f32],
    layout: Layout,
    [inputs, outputs]: [usize; 2],
    columns: Range<usize>,
    width: usize,
) {
    match layout {
        Layout::OutputsFirst => {
            for (lane, column) in columns.enumerate() {
                let values = &weight[column * inputs..(column + 1) * inputs];
                for (row, &value) in panel.chunks_exact_mut(width).zip(values) {
                    row[lane] = value;
                }
            }
        }
        Layout::InputsFirst => {
            for (row, values) in panel.chunks_exact_mut(width).zip(weight.chunks_exact(outputs)) {
                row[..columns.len()].copy_from_slice(&values[columns.clone()]);
            }
        }
    }
}

/// What becomes of `x W + b`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    /// It replaces the output.
    Store,
    /// It goes through a function, then replaces the output.
    Activate(Activation),
    /// It is added to the output.
    Add,
}

/// Memory that a thread keeps from one block to the next.
#[derive(Default)]
struct Scratch {
    /// Rows of the input, further apart.
    apart: Vec<f32>,
    /// The sums of all rows for one panel.
    sums: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Some rows of an input and where they go.
struct Block<'a> {
    layer: &'a PackedLinear,
    input: &'a [f32],
    /// How far two rows of the input are apart.
    stride: usize,
    output: Shared<'a>,
    rows: Range<usize>,
    then: Then,
}

/// Some rows times some panels.
struct Panels<'a> {
    block: Block<'a>,
    panels: Range<usize>,
    sums: &'a mut Vec<f32>,
}

impl SimdOp for Panels<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        self.sums.resize(self.block.rows.len() * panel_width(isa.f32().len()), 0.0);
        for panel in self.panels {
            self.block.panel(isa, panel, self.sums);
        }
    }
}

impl Block<'_> {
    /// All rows times one panel. What follows is done for a few rows at a time, so that fetching and
    /// writing their output goes on while the next ones are multiplied.
    #[inline(always)]
    fn panel<I: Isa>(&self, isa: I, panel: usize, sums: &mut [f32]) {
        let inputs = self.layer.inputs;
        let (at_once, vectors) = largest(isa.f32().len());
        let width = panel_width(isa.f32().len());
        let rest = &self.layer.panels.as_slice()[panel * width * inputs..];
        let rows = self.rows.len();
        let mut from = 0;
        while from < inputs {
            let depth = DEPTH.min(inputs - from);
            let start = if from == 0 { Start::Empty } else { Start::Sum };
            let (values, next) = rest[from * width..].split_at(depth * width);
            let next = &next[..next.len().min(DEPTH.min(inputs) * width)];
            let mut row = 0;
            while row < rows {
                let some = row..rows.min(row + at_once);
                let share = next.len() * some.start / rows..next.len() * some.end / rows;
                let right = Panel { values, next: &next[share] };
                let left = &self.input[row * self.stride + from..];
                let left = Strided { values: left, row_stride: self.stride };
                let sums = &mut sums[some.start * width..some.end * width];
                let last = from + depth == inputs;
                if last {
                    self.fetch(isa, panel, some.clone());
                }
                multiply(isa, some.len(), vectors, depth, left, right, (&mut *sums, width), start);
                if last {
                    self.finish(isa, panel, some.clone(), sums);
                }
                row = some.end;
            }
            from += depth;
        }
    }

    /// Asks for the columns of a panel in some rows of the output.
    #[inline(always)]
    fn fetch<I: Isa>(&self, isa: I, panel: usize, rows: Range<usize>) {
        let column = panel * panel_width(isa.f32().len());
        let columns = panel_width(isa.f32().len()).min(self.layer.outputs - column);
        for row in rows {
            let row = (self.rows.start + row) * self.layer.outputs;
            let first = self.output.part(row + column, columns);
            isa.f32().prefetch_write(first);
            isa.f32().prefetch_write(first.wrapping_add(columns - 1));
        }
    }

    /// Adds the bias, does what follows, and writes the columns of a panel to some rows of the output.
    #[inline(always)]
    fn finish<I: Isa>(&self, isa: I, panel: usize, rows: Range<usize>, sums: &[f32]) {
        let ops = isa.f32();
        let lanes = ops.len();
        let width = panel_width(lanes);
        let column = panel * width;
        let columns = width.min(self.layer.outputs - column);
        let bias = self.layer.bias[column..column + width].chunks_exact(lanes);
        for (row, sums) in rows.zip(sums.chunks_exact(width)) {
            let start = (self.rows.start + row) * self.layer.outputs + column;
            let mut results = [ops.zero(); MOST_VECTORS];
            let results = &mut results[..width / lanes];
            let sums = sums.chunks_exact(lanes).zip(bias.clone());
            for (result, (sums, bias)) in results.iter_mut().zip(sums) {
                let sum = ops.add(ops.load(sums), ops.load(bias));
                *result = match self.then {
                    Then::Activate(activation) => apply(isa, activation, sum),
                    Then::Store | Then::Add => sum,
                };
            }
            // SAFETY: no other block has these rows and this panel (`blocks`), and `Then::Add` comes
            // with an output of numbers (`run`).
            unsafe {
                match columns == width {
                    true => self.write(isa, results, start),
                    false => self.write_some(isa, results, start, columns),
                }
            }
        }
    }

    /// Writes a row of a whole panel.
    ///
    /// # Safety
    ///
    /// No other thread touches these numbers of the output meanwhile, and they were written before
    /// where sums are added to them.
    #[inline(always)]
    unsafe fn write<I: Isa>(&self, isa: I, sums: &[I::F32], start: usize) {
        let ops = isa.f32();
        let output = self.output.part(start, sums.len() * ops.len());
        for (index, &sum) in sums.iter().enumerate() {
            // SAFETY: the part has a register's numbers for each sum, and nobody else touches them.
            unsafe {
                let output = output.add(index * ops.len());
                let sum = match self.then {
                    Then::Add => ops.add(ops.load_ptr(output), sum),
                    Then::Store | Then::Activate(_) => sum,
                };
                ops.store_ptr(sum, output);
            }
        }
    }

    /// Writes a row of a panel that is filled up.
    ///
    /// # Safety
    ///
    /// As for [`Block::write`].
    #[inline(always)]
    unsafe fn write_some<I: Isa>(&self, isa: I, sums: &[I::F32], start: usize, columns: usize) {
        let ops = isa.f32();
        let mut row = [0.0; MOST_VECTORS * MAX_LANES];
        for (&sum, part) in sums.iter().zip(row.chunks_exact_mut(ops.len())) {
            ops.store(sum, part);
        }
        // SAFETY: as the caller promises.
        unsafe {
            match self.then {
                Then::Add => self.output.add(start, &row[..columns]),
                Then::Store | Then::Activate(_) => self.output.store(start, &row[..columns]),
            }
        }
    }
}
