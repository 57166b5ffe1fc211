//! The layers as kernels on the memory of the CPU device's tensors.

use std::borrow::Cow;
use std::sync::Mutex;

use burn::backend::Flex;
use burn::tensor::{Device, Tensor, TensorData};
use gating_kernels::{
    Activation, Attention, InstructionSet, LayerNorm, PackedLinear, Pick, Segments,
};

/// The instructions that the kernels use on this device; none where it is not the CPU.
pub(crate) fn instructions(device: &Device) -> Option<InstructionSet> {
    #[cfg(test)]
    if WITHOUT_KERNELS.get() {
        return None;
    }
    (*device == Device::flex()).then(InstructionSet::best)
}

#[cfg(test)]
thread_local! {
    static WITHOUT_KERNELS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Runs a test as on a device that has no kernels, on this thread.
#[cfg(test)]
pub(crate) fn without_kernels<T>(test: impl FnOnce() -> T) -> T {
    WITHOUT_KERNELS.set(true);
    let result = test();
    WITHOUT_KERNELS.set(false);
    result
}

/// Runs a pass through a network on a thread of those that the kernels share their work with: one from
/// outside would wake them, and wait for them, at every kernel.
pub(crate) fn pass<T: Send>(pass: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| pass())
}

/// # Shapes
///
/// - states: `[rows, inputs]`
/// - output: `[rows, outputs]`
pub(crate) fn linear(
    layer: &PackedLinear,
    states: Tensor<2>,
    activation: Option<Activation>,
) -> Tensor<2> {
    let shape = [states.dims()[0], layer.outputs()];
    consume(states, shape, |memory, values| layer.forward_in(memory, values, activation))
}

/// Adds the output of a layer to a sum, in its memory where nobody else holds it.
pub(crate) fn add_linear(layer: &PackedLinear, states: Tensor<2>, sum: Tensor<2>) -> Tensor<2> {
    let sum = change(sum, |sum| read(&states, |values| layer.add(values, sum)));
    recycle(states);
    sum
}

/// # Shapes
///
/// - states, output: `[rows, size]`
pub(crate) fn layer_norm(norm: &LayerNorm, states: Tensor<2>) -> Tensor<2> {
    change(states, |values| norm.forward(values))
}

/// # Shapes
///
/// - states: `[rows, 3 * hidden]`
/// - output: `[picked, hidden]`
pub(crate) fn attention(
    attention: &Attention,
    states: Tensor<2>,
    segments: &Segments,
    pick: Pick,
) -> Tensor<2> {
    let shape = [segments.picked(pick), states.dims()[1] / 3];
    let set = InstructionSet::best();
    consume(states, shape, |memory, values| {
        attention.forward_in(memory, values, segments, pick, set)
    })
}

/// The mean row of each sequence: `[rows, hidden] -> [count, hidden]`.
pub(crate) fn mean(states: &Tensor<2>, segments: &Segments) -> Tensor<2> {
    let hidden = states.dims()[1];
    let means = read(states, |values| segments.mean(values, hidden));
    tensor(means, [segments.count(), hidden], states)
}

fn tensor(values: Vec<f32>, shape: [usize; 2], like: &Tensor<2>) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, shape), &like.device())
}

/// Makes numbers of others, in memory that earlier ones had, and keeps that of the others.
fn consume(
    tensor: Tensor<2>,
    shape: [usize; 2],
    work: impl FnOnce(Vec<f32>, &[f32]) -> Vec<f32>,
) -> Tensor<2> {
    let memory = spare(shape[0] * shape[1]);
    let output = read(&tensor, |values| work(memory, values));
    let output = self::tensor(output, shape, &tensor);
    recycle(tensor);
    output
}

/// How many vectors are kept: as many as a layer has outputs.
const MAX_SPARE: usize = 4;

/// The memory of numbers that are needed no longer. A system that gets large pieces back hands them
/// out page by page again, which takes a quarter of the time of a large batch.
static SPARE: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());

/// The smallest spare vector that holds so many numbers; without one, an empty vector.
fn spare(length: usize) -> Vec<f32> {
    let mut spare = SPARE.lock().expect(NO_PANIC);
    let large = spare.iter().enumerate().filter(|(_, memory)| memory.capacity() >= length);
    let smallest = large.min_by_key(|(_, memory)| memory.capacity()).map(|(index, _)| index);
    smallest.map(|index| spare.swap_remove(index)).unwrap_or_default()
}

/// Keeps the memory of a tensor, unless somebody else holds it too.
fn recycle(tensor: Tensor<2>) {
    let primitive = tensor.try_into_primitive::<Flex>().expect(ON_CPU);
    if !primitive.is_unique() {
        return;
    }
    let Ok(memory) = primitive.into_data().try_into_vec::<f32>() else { return };
    let mut spare = SPARE.lock().expect(NO_PANIC);
    spare.push(memory);
    if spare.len() > MAX_SPARE {
        let sizes = spare.iter().enumerate().map(|(index, memory)| (memory.capacity(), index));
        let (_, smallest) = sizes.min().expect("there is more than one");
        spare.swap_remove(smallest);
    }
}

const NO_PANIC: &str = "nothing panics while it holds the spare memory";

/// Reads the numbers of a tensor, row after row, where they lie.
fn read<T>(tensor: &Tensor<2>, reader: impl FnOnce(&[f32]) -> T) -> T {
    let primitive = tensor.clone().try_into_primitive::<Flex>().expect(ON_CPU);
    let values = match primitive.as_slice::<f32>() {
        Some(values) => Cow::Borrowed(values),
        None => Cow::Owned(primitive.to_contiguous().storage::<f32>().to_vec()),
    };
    reader(&values)
}

/// Changes the numbers of a tensor, in its memory where nobody else holds it.
fn change(tensor: Tensor<2>, writer: impl FnOnce(&mut [f32])) -> Tensor<2> {
    let (shape, device) = (tensor.dims(), tensor.device());
    let mut primitive = tensor.try_into_primitive::<Flex>().expect(ON_CPU);
    let length = primitive.layout().num_elements();
    let whole = primitive.is_contiguous() && primitive.storage::<f32>().len() == length;
    if whole && primitive.is_unique() {
        writer(primitive.storage_mut::<f32>());
        return Tensor::from_primitive::<Flex>(primitive);
    }
    let mut values = spare(length);
    values.clear();
    values.extend_from_slice(primitive.to_contiguous().storage::<f32>());
    writer(&mut values);
    Tensor::from_data(TensorData::new(values, shape), &device)
}

const ON_CPU: &str = "the layer was made for the CPU, and so were its inputs";
