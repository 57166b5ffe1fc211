//! A head on the device of its encoder, for messages that are scored where they were encoded.

use burn::tensor::{DType, Device, Tensor, TensorData, Transaction};
use gating_devices::{DeviceError, guarded};

use crate::rows::Rows;
use crate::{Embedding, Error};

/// How many numbers a tensor takes at most: 64 MiB, half of what common devices bind at once.
const MAX_NUMBERS: usize = 1 << 24;

/// A copy of a head's rows. A clone is the same copy.
#[derive(Clone, Debug)]
pub(crate) struct DeviceHead {
    /// After how many steps and resyncs it was copied.
    version: (u64, u64),
    device: Device,
    num_uids: usize,
    blocks: Vec<Block>,
}

/// As many rows as a tensor takes.
#[derive(Clone, Debug)]
struct Block {
    /// `[num_rows, hidden_size]`
    weight: Tensor<2>,
    /// `[1, num_rows]`
    bias: Tensor<2>,
}

impl DeviceHead {
    /// Copies rows, as they are after so many steps and resyncs, to a device.
    pub(crate) fn new(rows: &Rows, version: (u64, u64), device: &Device) -> Result<Self, Error> {
        let copy = |values: &[f32], shape| {
            Tensor::<2>::from_data(TensorData::new(values.to_vec(), shape), (device, DType::F32))
        };
        let hidden_size = rows.hidden_size();
        let num_rows = (MAX_NUMBERS / hidden_size).max(1);
        let block = |(weight, bias): (&[f32], &[f32])| Block {
            weight: copy(weight, [bias.len(), hidden_size]),
            bias: copy(bias, [1, bias.len()]),
        };
        let blocks = rows.weight.chunks(num_rows * hidden_size).zip(rows.bias.chunks(num_rows));
        let blocks = guarded(|| blocks.map(block).collect())?;
        Ok(Self { version, device: device.clone(), num_uids: rows.num_uids(), blocks })
    }

    /// After how many steps and resyncs it was copied: neither is ever fewer later.
    pub(crate) fn version(&self) -> (u64, u64) {
        self.version
    }

    /// Scores every uid for each embedding, all of which have the right size: `s = W h + b`.
    pub(crate) fn scores(&self, embeddings: &[Embedding]) -> Result<Vec<Vec<f32>>, Error> {
        let size = embeddings.first().map_or(1, Embedding::hidden_size);
        let together = (MAX_NUMBERS / self.num_uids.max(size)).max(1);
        let mut scores = Vec::with_capacity(embeddings.len());
        for part in embeddings.chunks(together) {
            let products = || {
                let stacked = Embedding::stack(part, &self.device);
                let product = |Block { weight, bias }: &Block| {
                    stacked.clone().matmul(weight.clone().transpose()) + bias.clone()
                };
                let products = self.blocks.iter().map(product);
                products.fold(Transaction::default(), Transaction::register).try_execute()
            };
            let mut found = vec![Vec::with_capacity(self.num_uids); part.len()];
            for data in guarded(products)?.map_err(DeviceError::failed)? {
                let block = data.try_into_vec_as::<f32>().map_err(DeviceError::failed)?;
                let rows = block.chunks_exact(block.len() / part.len());
                found.iter_mut().zip(rows).for_each(|(all, some)| all.extend(some));
            }
            scores.append(&mut found);
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
    // Without that feature it is a device like others.
    let _ = device;
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Head;
    use crate::rows::fill_uniform;

    const VERSION: (u64, u64) = (0, 0);

    fn check(num_uids: usize, hidden_size: usize, count: usize) {
        let (mut rows, device) = (Rows::zeros(num_uids, hidden_size), Device::flex());
        fill_uniform(&mut rows.weight, 1.0, 1, 0, 0);
        fill_uniform(&mut rows.bias, 1.0, 1, 0, 1);
        let copy = DeviceHead::new(&rows, VERSION, &device).expect("there is memory");
        let head = Head::new(rows);
        let embedding = |index| {
            let mut numbers = vec![0.0; hidden_size];
            fill_uniform(&mut numbers, 1.0, 2, 0, index);
            Embedding::from_slice(&numbers, &device)
        };
        let on_host: Vec<Embedding> = (0..count).map(embedding).collect();
        let on_device = on_host.iter().map(|it| Embedding::new(it.tensor())).collect();
        // As they come from a cache that has some of a batch.
        let mut mixed = on_host.clone();
        mixed.iter_mut().step_by(2).for_each(|it| *it = Embedding::new(it.tensor()));
        for embeddings in [on_host, on_device, mixed] {
            let found = copy.scores(&embeddings).expect("the device works");
            assert_eq!(found.len(), count);
            for (found, embedding) in found.iter().zip(&embeddings) {
                let expected = head.forward(embedding).expect("the sizes agree");
                assert_eq!(found.len(), num_uids);
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

    /// More scores than a tensor takes.
    #[test]
    fn every_part_of_a_batch_has_its_scores() {
        let weight = (0..=u16::MAX).map(f32::from).collect();
        let rows = Rows { weight, bias: vec![1.0; 65_536] };
        let device = Device::flex();
        let embedding = |index: u16| Embedding::from_slice(&[f32::from(index)], &device);
        let embeddings: Vec<Embedding> = (0..258).map(embedding).collect();
        let copy = DeviceHead::new(&rows, VERSION, &device).expect("there is memory");
        let found = copy.scores(&embeddings).expect("the device works");
        assert_eq!(found.len(), 258);
        for (index, scores) in found.iter().enumerate() {
            let expected = |uid: u16| (usize::from(uid) * index + 1) as f32;
            for uid in [0, 1, 65_535] {
                assert_eq!(scores[usize::from(uid)], expected(uid), "{uid} of {index}");
            }
        }
    }

    /// More weights than a tensor takes: the last block has one row.
    #[test]
    fn every_block_of_a_head_has_its_scores() {
        let hidden_size = 1 << 12;
        let num_uids = MAX_NUMBERS / hidden_size + 1;
        let mut rows = Rows::zeros(num_uids, hidden_size);
        for (uid, row) in rows.weight.chunks_exact_mut(hidden_size).enumerate() {
            row[0] = uid as f32;
        }
        rows.bias[num_uids - 1] = 0.5;
        let device = Device::flex();
        let copy = DeviceHead::new(&rows, VERSION, &device).expect("there is memory");
        let embeddings = [1.0, 2.0].map(|first| {
            let mut numbers = vec![1.0; hidden_size];
            numbers[0] = first;
            Embedding::from_slice(&numbers, &device)
        });
        let found = copy.scores(&embeddings).expect("the device works");
        for (found, factor) in found.iter().zip([1.0, 2.0]) {
            let mut expected: Vec<f32> = (0..num_uids).map(|uid| factor * uid as f32).collect();
            expected[num_uids - 1] += 0.5;
            assert_eq!(*found, expected);
        }
    }
}
