//! A head on the device of its encoder, for messages that are scored together.

use std::sync::{Arc, Weak};

use burn::tensor::{DType, Device, Tensor, TensorData};
use gating_devices::{DeviceError, guarded};

use crate::rows::Rows;
use crate::{Embedding, Error};

/// How many scores a device computes at once: 64 MiB, half of what a tensor may take on common ones.
const MAX_SCORES: usize = 1 << 24;

/// The rows of a head on a device.
#[derive(Debug)]
pub(crate) struct DeviceRows {
    /// Whose copy this is; a head that learned has other rows.
    of: Weak<Rows>,
    device: Device,
    /// `[hidden_size, num_uids]`
    weight: Tensor<2>,
    /// `[1, num_uids]`
    bias: Tensor<2>,
}

impl DeviceRows {
    /// Copies rows to a device.
    pub(crate) fn new(rows: &Arc<Rows>, device: &Device) -> Result<Self, Error> {
        let [num_uids, hidden_size] = [rows.num_uids(), rows.hidden_size()];
        let copy = |values: &[f32], shape| {
            Tensor::<2>::from_data(TensorData::new(values.to_vec(), shape), device)
        };
        let (weight, bias) = guarded(|| {
            let weight = copy(&rows.weight, [num_uids, hidden_size]).transpose();
            (weight, copy(&rows.bias, [1, num_uids]))
        })?;
        Ok(Self { of: Arc::downgrade(rows), device: device.clone(), weight, bias })
    }

    /// Whether these are the rows of a head as it is.
    pub(crate) fn is_of(&self, rows: &Arc<Rows>) -> bool {
        std::ptr::eq(self.of.as_ptr(), Arc::as_ptr(rows))
    }

    /// Scores every uid for each embedding, all of which have the right size: `s = W h + b`.
    pub(crate) fn scores(&self, embeddings: &[Embedding]) -> Result<Vec<Vec<f32>>, Error> {
        let num_uids = self.bias.dims()[1];
        let mut scores = Vec::with_capacity(embeddings.len());
        for part in embeddings.chunks((MAX_SCORES / num_uids).max(1)) {
            let product = || {
                let embeddings = Embedding::stack(part, &self.device).cast(DType::F32);
                let scores = embeddings.matmul(self.weight.clone()) + self.bias.clone();
                scores.try_to_vec_as::<f32>()
            };
            let fetched = guarded(product)?.map_err(DeviceError::failed)?;
            scores.extend(fetched.chunks_exact(num_uids).map(<[f32]>::to_vec));
        }
        Ok(scores)
    }
}

/// Whether a device has rows of its own: the CPU device computes where the head lies.
pub(crate) fn is_apart(device: &Device) -> bool {
    #[cfg(feature = "flex")]
    if *device == Device::flex() {
        return false;
    }
    // Without that feature there is no such device.
    let _ = device;
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::fill_uniform;
    use crate::scoring;

    fn check(num_uids: usize, hidden_size: usize, count: usize) {
        let (mut rows, device) = (Rows::zeros(num_uids, hidden_size), Device::flex());
        fill_uniform(&mut rows.weight, 1.0, 1, 0, 0);
        fill_uniform(&mut rows.bias, 1.0, 1, 0, 1);
        let rows = Arc::new(rows);
        let numbers: Vec<Arc<[f32]>> = (0..count)
            .map(|index| {
                let mut numbers = vec![0.0; hidden_size];
                fill_uniform(&mut numbers, 1.0, 2, 0, index);
                numbers.into()
            })
            .collect();
        let on_host = numbers.iter().map(|it| Embedding::on_host(Arc::clone(it), &device));
        let on_host: Vec<Embedding> = on_host.collect();
        let on_device: Vec<Embedding> =
            on_host.iter().map(|it| Embedding::new(it.tensor())).collect();
        let copy = DeviceRows::new(&rows, &device).expect("there is memory");
        for embeddings in [on_host, on_device] {
            let found = copy.scores(&embeddings).expect("the device works");
            assert_eq!(found.len(), count);
            for (found, numbers) in found.iter().zip(&numbers) {
                let expected = scoring::scores(&rows, numbers);
                let error = found.iter().zip(&expected).map(|(a, b)| (a - b).abs());
                // Two sums of some hundred products below 1, each rounded at 1e-7 of its size.
                let error = error.fold(0.0, f32::max);
                assert!(error <= 1e-5, "{num_uids}x{hidden_size}: {error:e}");
            }
        }
    }

    #[test]
    fn scores_are_those_of_the_host() {
        for (num_uids, hidden_size, count) in [(1, 1, 1), (3, 5, 0), (7, 384, 2), (1000, 33, 17)] {
            check(num_uids, hidden_size, count);
        }
    }

    /// More scores than a device computes at once.
    #[test]
    fn every_part_of_a_batch_has_its_scores() {
        let weight = (0..=u16::MAX).map(f32::from).collect();
        let rows = Arc::new(Rows { weight, bias: vec![1.0; 65_536] });
        let device = Device::flex();
        let embedding = |index: u16| Embedding::from_slice(&[f32::from(index)], &device);
        let embeddings: Vec<Embedding> = (0..258).map(embedding).collect();
        let copy = DeviceRows::new(&rows, &device).expect("there is memory");
        let found = copy.scores(&embeddings).expect("the device works");
        assert_eq!(found.len(), 258);
        for (index, scores) in found.iter().enumerate() {
            let expected = |uid: u16| (usize::from(uid) * index + 1) as f32;
            for uid in [0, 1, 65_535] {
                assert_eq!(scores[usize::from(uid)], expected(uid), "{uid} of {index}");
            }
        }
    }

    #[test]
    fn a_copy_is_of_one_head_alone() {
        let mut rows = Arc::new(Rows::zeros(2, 3));
        let copy = DeviceRows::new(&rows, &Device::flex()).expect("there is memory");
        assert!(copy.is_of(&rows) && !copy.is_of(&Arc::new(Rows::zeros(2, 3))));
        Arc::make_mut(&mut rows).weight[0] = 1.0;
        assert!(!copy.is_of(&rows), "it changed in place");
    }
}
