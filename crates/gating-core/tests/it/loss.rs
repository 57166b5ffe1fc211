//! The closed form against PyTorch in f64, and against automatic differentiation.

use std::fs;
use std::path::Path;

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};
use gating_core::softmax_mse;
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    scores: Vec<f32>,
    rewards: Vec<f32>,
    loss: f64,
    gradient: Vec<f64>,
}

fn cases() -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/learning/loss.json");
    let json = fs::read_to_string(path).expect("the golden is committed");
    serde_json::from_str::<Golden>(&json).expect("make.py writes this").cases
}

/// The last digit of the f32 that the result is rounded to.
fn rounding(value: f64) -> f64 {
    f64::from(f32::EPSILON) * value.abs() + f64::from(f32::MIN_POSITIVE)
}

#[test]
fn loss_and_gradient_equal_torch() {
    for case in cases() {
        let (loss, gradient) = softmax_mse(&case.scores, &case.rewards);
        let error = (f64::from(loss.value()) - case.loss).abs();
        // p - q cancels in f64 too: 1e-16 is its last digit where both are near 1.
        assert!(error <= rounding(case.loss) + 1e-16, "{}: loss {loss}", case.name);
        for (found, &expected) in gradient.iter().zip(&case.gradient) {
            let error = (f64::from(*found) - expected).abs();
            assert!(error <= rounding(expected) + 1e-16, "{}: {found} {expected}", case.name);
        }
    }
}

/// The same gradient as the graph of tensor operations gives, in f32.
#[test]
fn gradient_equals_automatic_differentiation() {
    let device = Device::flex().autodiff();
    for case in cases() {
        let tensor = |values: &[f32]| Tensor::<1>::from_data(TensorData::from(values), &device);
        let scores = tensor(&case.scores).require_grad();
        let difference = softmax(scores.clone(), 0) - softmax(tensor(&case.rewards), 0);
        let mut gradients = difference.powi_scalar(2).mean().backward();
        let oracle = scores.grad_remove(&mut gradients).expect("the loss depends on the scores");
        let oracle: Vec<f32> = oracle.try_into_vec_as().expect("the CPU does not fail");
        let (_, gradient) = softmax_mse(&case.scores, &case.rewards);
        // f32 rounds p and q at 6e-8 of the larger, and g is 2 / k of their difference.
        let largest = softmax(scores.inner(), 0).max().into_scalar::<f32>();
        let tolerance = 5e-7 * largest / case.scores.len() as f32;
        for (found, expected) in gradient.iter().zip(&oracle) {
            assert!((found - expected).abs() <= tolerance, "{}: {found} {expected}", case.name);
        }
    }
}

#[test]
fn the_gradient_moves_no_score_on_average() {
    for case in cases() {
        let (_, gradient) = softmax_mse(&case.scores, &case.rewards);
        let sum: f64 = gradient.iter().map(|&slope| f64::from(slope)).sum();
        assert!(sum.abs() < 1e-8, "{}: {sum}", case.name); // a softmax ignores a common shift
    }
}
