//! A network with its tokenizer: messages in, one pooled vector a window out.

use burn::tensor::{Device, FloatDType, Tensor};
use gating_kernels::Pick;

use crate::attention::Windows;
use crate::contents::Contents;
use crate::network::Limits;
use crate::place::Place;
use crate::tokenization::Tokenization;
use crate::transformer::Transformer;
use crate::{Error, ModelFiles};

/// The most tokens that go through the network at once, if it is not one longer window: it bounds
/// the memory. The CPU gains nothing from more.
const MAX_BATCH_TOKENS: usize = 2048;

/// The same for other devices, which more tokens keep busy, and which get the next before the last
/// are done.
const MAX_DEVICE_TOKENS: usize = 8192;

/// A frozen network with its tokenizer.
#[derive(Debug)]
pub(crate) struct Model {
    id: String,
    network: Transformer,
    limits: Limits,
    tokenization: Tokenization,
    place: Place,
    /// How many tokens go through the network at once.
    budget: usize,
}

impl Model {
    /// Loads a model folder; `pooling` becomes part of the id.
    pub(crate) fn load(
        pooling: &str,
        files: &ModelFiles,
        device: &Device,
        dtype: FloatDType,
    ) -> Result<Self, Error> {
        let contents = Contents::read(files)?;
        let place = Place::new(device, dtype)?;
        let network = place.run(|| contents.network(&place))??;
        Ok(Self {
            id: format!("{pooling}:{}:{}", contents.config.kind(), contents.fingerprint()?),
            budget: budget(&place, &network),
            network,
            limits: contents.config.limits(),
            tokenization: contents.tokenization()?,
            place,
        })
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn hidden_size(&self) -> usize {
        self.limits.hidden_size
    }

    pub(crate) fn device(&self) -> &Device {
        &self.place.device
    }

    /// Runs work on the network's device.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, Error> {
        self.place.run(work)
    }

    /// The windows of a message, each token known to the network.
    pub(crate) fn windows(&self, message: &str) -> Result<Vec<Vec<u32>>, Error> {
        let windows = self.tokenization.windows(message)?;
        let vocab_size = self.limits.vocab_size;
        match windows.iter().flatten().find(|&&id| id as usize >= vocab_size) {
            Some(&found) => Err(Error::TokenId { found, vocab_size }),
            None => Ok(windows),
        }
    }

    /// Runs windows through the network, those of like length together, and gives a vector for each.
    /// Windows of the same tokens are computed once.
    ///
    /// # Shapes
    ///
    /// - `pool`: the hidden states of the picked positions, `[picked, hidden_size]`, in, and
    ///   `[windows, hidden_size]` out
    /// - output: `[hidden_size]` for each window, in their order
    pub(crate) fn pool(
        &self,
        ids: &[Vec<u32>],
        pick: Pick,
        pool: impl Fn(Tensor<2>, &Windows) -> Tensor<2> + Sync,
    ) -> Result<Vec<Tensor<1>>, Error> {
        let mut order: Vec<usize> = (0..ids.len()).collect();
        order.sort_by_key(|&index| (ids[index].len(), &ids[index]));
        let same: Vec<&[usize]> = order.chunk_by(|&a, &b| ids[a] == ids[b]).collect();
        let mut pooled = vec![None; ids.len()];
        for batch in split(&same, self.budget, |same| ids[same[0]].len()) {
            let ids: Vec<&[u32]> = batch.iter().map(|same| ids[same[0]].as_slice()).collect();
            let vectors = self.place.run(|| {
                let windows = Windows::new(&ids, &self.place);
                let states = self.network.forward(&ids, &windows, pick).cast(FloatDType::F32);
                let vectors = pool(states, &windows);
                vectors.iter_dim(0).map(|vector| vector.squeeze_dim::<1>(0)).collect::<Vec<_>>()
            })?;
            for (vector, same) in vectors.into_iter().zip(batch) {
                same.iter().for_each(|&index| pooled[index] = Some(vector.clone()));
            }
        }
        let pooled = pooled.into_iter();
        Ok(pooled.map(|vector| vector.expect("every window was in one batch")).collect())
    }
}

/// How many tokens go through a network at once, so that no tensor is larger than a device takes.
fn budget(place: &Place, network: &Transformer) -> usize {
    match place.has_kernels() {
        true => MAX_BATCH_TOKENS,
        false => MAX_DEVICE_TOKENS.min(place.max_tensor / network.widest().max(1)),
    }
}

/// Cuts windows, the shortest first, into batches of at most `budget` tokens when all are padded to
/// the longest, or of one window.
fn split<T>(windows: &[T], budget: usize, length: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let (mut batches, mut start) = (Vec::new(), 0);
    for (index, window) in windows.iter().enumerate() {
        if index > start && (index - start + 1) * length(window) > budget {
            batches.push(&windows[start..index]);
            start = index;
        }
    }
    if start < windows.len() {
        batches.push(&windows[start..]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn model() -> Model {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/tiny-bert");
        let files = ModelFiles::open(folder).expect("the model is committed");
        Model::load("test", &files, &Device::flex(), FloatDType::F32).expect("the model is whole")
    }

    #[test]
    fn the_same_tokens_are_computed_once() {
        let (model, computed) = (model(), Mutex::new(Vec::new()));
        let ids = [vec![2, 9, 3], vec![2, 7, 8, 3], vec![2, 9, 3], vec![2, 8, 3], vec![2, 9, 3]];
        let vectors = model.pool(&ids, Pick::First, |states, windows| {
            let lengths = windows.segments.ranges().map(|range| range.len());
            computed.lock().expect("no pass panics").extend(lengths);
            states
        });
        let vectors = vectors.expect("the CPU does not fail");
        assert_eq!(computed.into_inner().expect("no pass panics"), [3, 3, 4]);
        for (vector, ids) in vectors.iter().zip(&ids) {
            let alone = model.pool(std::slice::from_ref(ids), Pick::First, |states, _| states);
            let alone = alone.expect("the CPU does not fail");
            assert_eq!(vector.to_data(), alone[0].to_data(), "{ids:?}");
        }
    }

    /// Of many windows, such as those of one over-long message, each is computed once, and no pass
    /// is larger than the memory is meant for.
    #[test]
    fn no_pass_is_larger_than_the_budget() {
        let (model, passes) = (model(), Mutex::new(Vec::new()));
        let window = |index: usize| vec![4 + (index % 60) as u32; 1 + index * 7 % 48];
        let ids: Vec<Vec<u32>> = (0..60 * 48).map(window).collect();
        let vectors = model.pool(&ids, Pick::First, |states, windows| {
            passes.lock().expect("no pass panics").push(windows.segments.rows());
            states
        });
        let vectors = vectors.expect("the CPU does not fail");
        let (passes, mut distinct) = (passes.into_inner().expect("no pass panics"), ids.clone());
        distinct.sort();
        distinct.dedup();
        assert!(passes.iter().all(|&rows| rows <= MAX_BATCH_TOKENS), "{passes:?}");
        assert_eq!(passes.iter().sum::<usize>(), distinct.concat().len());
        assert_eq!(vectors.len(), ids.len());
    }

    fn check(lengths: &[usize], expected: &[usize]) {
        let sizes: Vec<usize> =
            split(lengths, 2048, |&length| length).iter().map(|some| some.len()).collect();
        assert_eq!(sizes, expected, "{lengths:?}");
    }

    #[test]
    fn a_batch_is_bounded_or_one_window() {
        check(&[], &[]);
        check(&[1], &[1]);
        check(&[1, 1, 1024, 1024, 1024], &[2, 2, 1]);
        check(&[4000, 4000], &[1, 1]);
        check(&[1, 1024, 1024, 2047, 4000], &[2, 1, 1, 1]);
        check(&[512; 9], &[4, 4, 1]);
    }
}
