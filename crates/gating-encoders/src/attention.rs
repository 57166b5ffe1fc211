//! Attention within windows that lie one after the other.

use std::cell::OnceCell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use burn::tensor::activation::softmax;
use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Bool, DType, FloatDType, Int, Tensor, TensorData};
use gating_kernels::{Attention, Pick, RelativeBias, Segments, Sight};

#[cfg(feature = "flex")]
use crate::cpu;
use crate::place::Place;

/// Added to a score, it leaves a weight of exactly 0 after the softmax.
const MASKED: f32 = -1e9;

/// The windows of one pass through a network, and what devices without a kernel for attention need
/// to pad them, made once.
#[derive(Debug)]
pub(crate) struct Windows {
    pub(crate) segments: Segments,
    place: Place,
    padding: OnceCell<Padding>,
}

impl Windows {
    pub(crate) fn new(windows: &[&[u32]], place: &Place) -> Self {
        Self {
            segments: Segments::new(windows.iter().map(|window| window.len())),
            place: place.clone(),
            padding: OnceCell::new(),
        }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// The rows of the states that go on: `[rows, hidden] -> [picked, hidden]`.
    pub(crate) fn pick(&self, states: Tensor<2>, pick: Pick) -> Tensor<2> {
        let row = |range: Range<usize>| match pick {
            Pick::Last => range.end - 1,
            _ => range.start,
        };
        match pick {
            Pick::All => states,
            Pick::First | Pick::Last => {
                let rows = self.segments.ranges().map(row);
                states.select(0, indices(rows, &self.place))
            }
        }
    }

    /// Answers the picked queries of each window.
    ///
    /// # Shapes
    ///
    /// - states: `[rows, 3 * hidden]`: queries, keys and values side by side
    /// - output: `[picked, hidden]`
    pub(crate) fn attend(&self, attention: &Attention, states: Tensor<2>, pick: Pick) -> Tensor<2> {
        #[cfg(feature = "flex")]
        if self.place.has_kernels() {
            return cpu::attention(attention, states, &self.segments, pick);
        }
        self.attend_padded(attention, states, pick)
    }

    /// The same by tensor operations, on windows padded to the longest.
    fn attend_padded(&self, attention: &Attention, states: Tensor<2>, pick: Pick) -> Tensor<2> {
        let padding = self.padding();
        let [count, length, heads] = [self.segments.count(), padding.length, attention.heads];
        let hidden = states.dims()[1] / 3;
        let states = if padding.is_even { states } else { states.select(0, padding.rows.clone()) };
        let states = states.reshape([count, length, 3, heads, hidden / heads]);
        let part = |which: usize, heads: &Range<usize>| {
            let part = states.clone().slice_dim(2, which..which + 1).slice_dim(3, heads.clone());
            part.squeeze_dim::<4>(2).swap_dims(1, 2)
        };
        let some = (self.place.max_tensor / (count * length * length)).clamp(1, heads);
        let groups = (0..heads).step_by(some).map(|first| first..(first + some).min(heads));
        let answer = |heads: Range<usize>| {
            let parts = [0, 1, 2].map(|which| part(which, &heads));
            self.answer(attention, parts, &heads)
        };
        let answers = Tensor::cat(groups.map(answer).collect(), 1);
        let answers = answers.swap_dims(1, 2).reshape([count * length, hidden]);
        let answers =
            if padding.is_even { answers } else { answers.select(0, padding.real.clone()) };
        self.pick(answers, pick)
    }

    /// The answers of some heads: `[windows, heads, length, size]` all.
    fn answer(&self, form: &Attention, parts: [Tensor<4>; 3], heads: &Range<usize>) -> Tensor<4> {
        let dtype = parts[0].dtype();
        // In f16, scores that are not scaled can be too large.
        let [queries, keys, values] = match dtype {
            DType::F16 => parts.map(|part| part.cast(FloatDType::F32)),
            _ => parts,
        };
        let padding = self.padding();
        if padding.needs_no_bias(form) {
            let is_causal = form.sight != Sight::All;
            let scale = Some(f64::from(form.scale));
            let options = AttentionModuleOptions { scale, softcap: None, is_causal };
            return attention(queries, keys, values, None, None, options).cast(dtype);
        }
        let [queries, keys] = [queries, keys].map(|part| part.cast(FloatDType::F32));
        let scores = queries.matmul(keys.transpose()) * form.scale;
        let scores = scores + padding.mask(form.sight, &self.segments, &self.place);
        let scores = match &form.bias {
            Some(relative) => {
                let bias = padding.relative(relative, form.heads, &self.place);
                scores + bias.slice_dim(1, heads.clone())
            }
            None => scores,
        };
        softmax(scores, 3).cast(values.dtype()).matmul(values).cast(dtype)
    }

    /// The largest of every number in the states of each window:
    /// `[rows, hidden] -> [windows, hidden]`.
    pub(crate) fn max(&self, states: &Tensor<2>) -> Tensor<2> {
        let padding = self.padding();
        let shape = [self.segments.count(), padding.length, states.dims()[1]];
        // A padded position repeats a row of its window, which changes nothing.
        let padded = states.clone().select(0, padding.rows.clone()).reshape(shape);
        padded.max_dim(1).squeeze_dim(1)
    }

    fn padding(&self) -> &Padding {
        self.padding.get_or_init(|| Padding::new(&self.segments, &self.place))
    }

    /// The mean of the states of each window: `[rows, hidden] -> [windows, hidden]`.
    pub(crate) fn mean(&self, states: &Tensor<2>) -> Tensor<2> {
        #[cfg(feature = "flex")]
        if self.place.has_kernels() {
            return cpu::mean(states, &self.segments);
        }
        let padding = self.padding();
        let [count, hidden] = [self.segments.count(), states.dims()[1]];
        let shape = [count, padding.length, hidden];
        if padding.is_even {
            return states.clone().reshape(shape).mean_dim(1).squeeze_dim(1);
        }
        let lengths: Vec<usize> = self.segments.ranges().map(|range| range.len()).collect();
        let is_past = |&length: &usize| (0..padding.length).map(move |at| at >= length);
        let past: Vec<bool> = lengths.iter().flat_map(is_past).collect();
        let past = TensorData::new(past, [count, padding.length, 1]);
        let past = Tensor::<3, Bool>::from_data(past, &self.place.device).expand(shape);
        let padded = states.clone().select(0, padding.rows.clone()).reshape(shape);
        let lengths = lengths.into_iter().map(|length| length as f32).collect();
        padded.mask_fill(past, 0.0).sum_dim(1).squeeze_dim::<2>(1)
            / self.place.precise(lengths, [count, 1])
    }
}

/// How windows are padded on the right to the longest, and back.
#[derive(Debug)]
struct Padding {
    length: usize,
    /// Whether all windows are as long, so that nothing is padded.
    is_even: bool,
    /// The row that each padded position holds; past the end of a window, any.
    rows: Tensor<1, Int>,
    /// The padded position of each row.
    real: Tensor<1, Int>,
    /// What is added to scores so that only what is seen counts, by how far a query sees back.
    masks: RefCell<BTreeMap<usize, Tensor<4>>>,
    /// The bias by distance of the last layer that had one: most often all have the same.
    relative: RefCell<Option<(RelativeBias, Tensor<4>)>>,
}

impl Padding {
    fn new(segments: &Segments, place: &Place) -> Self {
        let length = segments.longest();
        let row =
            |range: Range<usize>| (0..length).map(move |at| (range.start + at).min(range.end - 1));
        let real = segments.ranges().enumerate();
        let real =
            real.flat_map(|(window, range)| (0..range.len()).map(move |at| window * length + at));
        Self {
            length,
            is_even: segments.rows() == segments.count() * length,
            rows: indices(segments.ranges().flat_map(row), place),
            real: indices(real, place),
            masks: RefCell::default(),
            relative: RefCell::default(),
        }
    }

    /// Whether every query sees all keys, or all before it and itself, so that nothing need be added
    /// to scores: padding lies to the right, ahead of all that is real.
    fn needs_no_bias(&self, attention: &Attention) -> bool {
        let sees_all = match attention.sight {
            Sight::All => self.is_even,
            Sight::Behind { reach } => reach >= self.length,
        };
        sees_all && attention.bias.is_none()
    }

    /// What is added to scores so that only what is seen counts: `[1 or windows, 1, 1 or length,
    /// length]`.
    fn mask(&self, sight: Sight, segments: &Segments, place: &Place) -> Tensor<4> {
        let reach = match sight {
            Sight::All => 0,
            Sight::Behind { reach } => reach.min(self.length),
        };
        let mut masks = self.masks.borrow_mut();
        let mask = masks.entry(reach).or_insert_with(|| match sight {
            Sight::All => self.ends(segments, place),
            sight @ Sight::Behind { .. } => self.triangle(sight, place),
        });
        mask.clone()
    }

    /// What is added to scores for the distance of key and query: `[1, heads, length, length]`.
    fn relative(&self, relative: &RelativeBias, heads: usize, place: &Place) -> Tensor<4> {
        let mut kept = self.relative.borrow_mut();
        match &*kept {
            Some((same, tensor)) if same == relative => tensor.clone(),
            _ => {
                let shape = [1, heads, self.length, self.length];
                let tensor = place.precise(relative.square(heads, self.length), shape);
                *kept = Some((relative.clone(), tensor.clone()));
                tensor
            }
        }
    }

    /// Nothing past the end of a window is seen: `[windows, 1, 1, length]`.
    fn ends(&self, segments: &Segments, place: &Place) -> Tensor<4> {
        let row =
            |length: usize| (0..self.length).map(move |at| if at < length { 0.0 } else { MASKED });
        let bias: Vec<f32> = segments.ranges().flat_map(|range| row(range.len())).collect();
        place.precise(bias, [segments.count(), 1, 1, self.length])
    }

    /// Nothing ahead is seen, so that padding, which lies to the right, needs no mask:
    /// `[1, 1, length, length]`.
    fn triangle(&self, sight: Sight, place: &Place) -> Tensor<4> {
        let row = |query: usize| {
            let keys = sight.keys(query, self.length);
            (0..self.length).map(move |key| if keys.contains(&key) { 0.0 } else { MASKED })
        };
        let bias: Vec<f32> = (0..self.length).flat_map(row).collect();
        place.precise(bias, [1, 1, self.length, self.length])
    }
}

fn indices(rows: impl Iterator<Item = usize>, place: &Place) -> Tensor<1, Int> {
    let rows: Vec<i32> = rows.map(|row| row as i32).collect();
    Tensor::from_data(TensorData::from(rows.as_slice()), &place.device)
}
