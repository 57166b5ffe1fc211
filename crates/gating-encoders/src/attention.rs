//! Attention within windows that lie one after the other.

use std::cell::OnceCell;
use std::cell::RefCell;
use std::collections::BTreeMap;

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use gating_kernels::{Attention, Pick, Segments, Sight};

#[cfg(feature = "flex")]
use crate::cpu;

/// Added to a score, it leaves a weight of exactly 0 after the softmax.
const MASKED: f32 = -1e9;

/// The windows of one pass through a network, and what devices without a kernel for attention need
/// to pad them, made once.
#[derive(Debug)]
pub(crate) struct Windows {
    pub(crate) segments: Segments,
    device: Device,
    padding: OnceCell<Padding>,
}

impl Windows {
    pub(crate) fn new(windows: &[&[u32]], device: &Device) -> Self {
        Self {
            segments: Segments::new(windows.iter().map(|window| window.len())),
            device: device.clone(),
            padding: OnceCell::new(),
        }
    }

    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// The rows of the states that go on: `[rows, hidden] -> [picked, hidden]`.
    pub(crate) fn pick(&self, states: Tensor<2>, pick: Pick) -> Tensor<2> {
        let row = |range: std::ops::Range<usize>| match pick {
            Pick::Last => range.end - 1,
            _ => range.start,
        };
        match pick {
            Pick::All => states,
            Pick::First | Pick::Last => {
                let rows = self.segments.ranges().map(row);
                states.select(0, indices(rows, &self.device))
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
        if cpu::instructions(&self.device).is_some() {
            return cpu::attention(attention, states, &self.segments, pick);
        }
        self.attend_padded(attention, states, pick)
    }

    /// The same by tensor operations, on windows padded to the longest.
    fn attend_padded(&self, attention: &Attention, states: Tensor<2>, pick: Pick) -> Tensor<2> {
        let padding = self.padding();
        let [count, length, heads] = [self.segments.count(), padding.length, attention.heads];
        let hidden = states.dims()[1] / 3;
        let states = states.select(0, padding.rows.clone());
        let states = states.reshape([count, length, 3, heads, hidden / heads]);
        let part = |which: usize| {
            states.clone().slice_dim(2, which..which + 1).squeeze_dim::<4>(2).swap_dims(1, 2)
        };
        let scores = part(0).matmul(part(1).transpose()) * attention.scale;
        let scores = scores + padding.bias(attention, &self.segments, &self.device);
        let answers = softmax(scores, 3).matmul(part(2));
        let answers = answers.swap_dims(1, 2).reshape([count * length, hidden]);
        self.pick(answers.select(0, padding.real.clone()), pick)
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
        self.padding.get_or_init(|| Padding::new(&self.segments, &self.device))
    }

    /// The mean of the states of each window: `[rows, hidden] -> [windows, hidden]`.
    pub(crate) fn mean(&self, states: &Tensor<2>) -> Tensor<2> {
        #[cfg(feature = "flex")]
        if cpu::instructions(&self.device).is_some() {
            return cpu::mean(states, &self.segments);
        }
        let (count, rows) = (self.segments.count(), self.segments.rows());
        let mut weights = vec![0.0; count * rows];
        for (window, range) in self.segments.ranges().enumerate() {
            let weight = 1.0 / range.len() as f32;
            weights[window * rows..][range].fill(weight);
        }
        let weights = TensorData::new(weights, [count, rows]);
        Tensor::<2>::from_data(weights, &self.device).matmul(states.clone())
    }
}

/// How windows are padded on the right to the longest, and back.
#[derive(Debug)]
struct Padding {
    length: usize,
    /// The row that each padded position holds; past the end of a window, any.
    rows: Tensor<1, Int>,
    /// The padded position of each row.
    real: Tensor<1, Int>,
    /// What is added to scores so that only what is seen counts, by how far a query sees back.
    biases: RefCell<BTreeMap<usize, Tensor<4>>>,
}

impl Padding {
    fn new(segments: &Segments, device: &Device) -> Self {
        let length = segments.longest();
        let row = |range: std::ops::Range<usize>| {
            (0..length).map(move |at| (range.start + at).min(range.end - 1))
        };
        let real = segments.ranges().enumerate();
        let real =
            real.flat_map(|(window, range)| (0..range.len()).map(move |at| window * length + at));
        Self {
            length,
            rows: indices(segments.ranges().flat_map(row), device),
            real: indices(real, device),
            biases: RefCell::default(),
        }
    }

    /// What is added to scores: `[1 or windows, 1 or heads, 1 or length, length]`.
    fn bias(&self, attention: &Attention, segments: &Segments, device: &Device) -> Tensor<4> {
        let reach = match attention.sight {
            Sight::All => 0,
            Sight::Behind { reach } => reach.min(self.length),
        };
        let mut biases = self.biases.borrow_mut();
        let mask = biases.entry(reach).or_insert_with(|| match attention.sight {
            Sight::All => self.ends(segments, device),
            sight @ Sight::Behind { .. } => self.triangle(sight, device),
        });
        match &attention.bias {
            Some(relative) => {
                let values = relative.square(attention.heads, self.length);
                let shape = [1, attention.heads, self.length, self.length];
                mask.clone() + Tensor::from_data(TensorData::new(values, shape), device)
            }
            None => mask.clone(),
        }
    }

    /// Nothing past the end of a window is seen: `[windows, 1, 1, length]`.
    fn ends(&self, segments: &Segments, device: &Device) -> Tensor<4> {
        let row =
            |length: usize| (0..self.length).map(move |at| if at < length { 0.0 } else { MASKED });
        let bias: Vec<f32> = segments.ranges().flat_map(|range| row(range.len())).collect();
        Tensor::from_data(TensorData::new(bias, [segments.count(), 1, 1, self.length]), device)
    }

    /// Nothing ahead is seen, so that padding, which lies to the right, needs no mask:
    /// `[1, 1, length, length]`.
    fn triangle(&self, sight: Sight, device: &Device) -> Tensor<4> {
        let row = |query: usize| {
            let keys = sight.keys(query, self.length);
            (0..self.length).map(move |key| if keys.contains(&key) { 0.0 } else { MASKED })
        };
        let bias: Vec<f32> = (0..self.length).flat_map(row).collect();
        Tensor::from_data(TensorData::new(bias, [1, 1, self.length, self.length]), device)
    }
}

fn indices(rows: impl Iterator<Item = usize>, device: &Device) -> Tensor<1, Int> {
    let rows: Vec<i32> = rows.map(|row| row as i32).collect();
    Tensor::from_data(TensorData::from(rows.as_slice()), device)
}
