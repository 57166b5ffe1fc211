//! Lengths that do not fit are refused with the words that tell which.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gating_kernels::{
    Attention, InstructionSet, LayerNorm, Layout, PackedLinear, Pick, RelativeBias, Segments,
    Sight, multiply_rows,
};

fn check<T>(expected: &str, call: impl FnOnce() -> T) {
    let payload = catch_unwind(AssertUnwindSafe(call)).err().expect(expected);
    let message = payload.downcast_ref::<String>().map(String::as_str);
    let message = message.or_else(|| payload.downcast_ref::<&str>().copied());
    let message = message.expect("a panic has a message");
    assert!(message.contains(expected), "`{message}` does not say `{expected}`");
}

fn pack(weight: usize, shape: [usize; 2], bias: Option<usize>) -> PackedLinear {
    let bias = bias.map(|count| vec![0.0; count]);
    let set = InstructionSet::best();
    PackedLinear::new(&vec![0.0; weight], Layout::OutputsFirst, shape, bias.as_deref(), set)
}

#[test]
fn linear() {
    check("a layer has inputs and outputs", || pack(0, [0, 3], None));
    check("a layer has inputs and outputs", || pack(0, [3, 0], None));
    check("weights are inputs times outputs", || pack(5, [2, 3], None));
    check("weights are inputs times outputs", || pack(0, [1 << (usize::BITS - 1), 2], None));
    check("a bias has one number an output", || pack(6, [2, 3], Some(2)));
    let layer = pack(6, [2, 3], Some(3));
    check("an input is whole rows", || layer.forward(&[0.0; 3], None));
    check("an input is whole rows", || layer.add(&[0.0; 3], &mut [0.0; 3]));
    check("an output row for each input row", || layer.add(&[0.0; 4], &mut [0.0; 3]));
    check("an output row for each input row", || layer.add(&[0.0; 4], &mut [0.0; 9]));
}

#[test]
fn layer_norm() {
    let norm = |gamma, beta| {
        LayerNorm::new(vec![1.0; gamma], vec![0.0; beta], 1e-5, InstructionSet::best())
    };
    check("a scale and a shift a number", || norm(0, 0));
    check("a scale and a shift a number", || norm(3, 2));
    check("whole rows of 3 numbers", || norm(3, 3).forward(&mut [0.0; 4]));
}

#[test]
fn rows() {
    let multiply = |rows, size, count| {
        let set = InstructionSet::best();
        multiply_rows(&vec![0.0; rows], &vec![0.0; size], &mut vec![0.0; count], set)
    };
    check("a vector has numbers", || multiply(0, 0, 3));
    check("a number for each row", || multiply(6, 3, 3));
    check("a number for each row", || multiply(7, 3, 2));
}

#[test]
fn attention() {
    let forward = |attention: &Attention, states: usize, lengths: &[usize]| {
        let segments = Segments::new(lengths.iter().copied());
        attention.forward(&vec![0.0; states], &segments, Pick::All, InstructionSet::best())
    };
    let mut attention = Attention { heads: 2, scale: 1.0, sight: Sight::All, bias: None };
    check("queries, keys and values for every row", || forward(&attention, 13, &[2]));
    check("queries, keys and values for every row", || forward(&attention, 12, &[]));
    check("queries, keys and values for every row", || forward(&attention, 0, &[2]));
    check("heads of one size", || forward(&attention, 9, &[1]));
    check("a sequence has a row", || forward(&attention, 12, &[2, 0]));
    attention.sight = Sight::Behind { reach: 0 };
    check("a query sees a key", || forward(&attention, 12, &[2]));
    attention.sight = Sight::All;
    attention.bias = Some(RelativeBias::new(vec![0.0; 6], 2, 1));
    check("a bias for every distance", || forward(&attention, 18, &[3]));
    attention.heads = 1;
    check("a bias for every head", || forward(&attention, 12, &[2]));
}

#[test]
fn relative_bias() {
    check("a bias a head and distance", || RelativeBias::new(vec![0.0; 5], 2, 1));
    let bias = RelativeBias::new(vec![0.0; 6], 2, 1);
    check("a bias for every head", || bias.square(1, 2));
    check("a bias for every distance", || bias.square(2, 3));
}

#[test]
fn segments() {
    check("rows can be counted", || Segments::new([usize::MAX, 1]));
    check("rows of the segments", || Segments::new([2]).mean(&[0.0; 3], 2));
}
