//! The mean squared error between softmaxed scores and softmaxed rewards, in closed form.

use std::fmt;

/// How far scores were from the rewards they met: 0 when both softmaxes agree.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Loss(f32);

impl Loss {
    /// The loss as a number.
    #[must_use]
    pub const fn value(self) -> f32 {
        self.0
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `exp(values) / sum(exp(values))`, safe for values of any size.
pub(crate) fn softmax(values: &[f32]) -> Vec<f64> {
    let max = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut weights: Vec<f64> =
        values.iter().map(|&value| (f64::from(value) - f64::from(max)).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    weights
}

/// The loss of some scores for their rewards, and its gradient in every score.
///
/// With `p = softmax(scores)`, `q = softmax(rewards)` and `k` entries:
///
/// - loss: `mean((p - q)^2)`
/// - gradient: `p_i (g_i - sum_j p_j g_j)` with `g = 2 (p - q) / k`
///
/// Computed in f64 and rounded once, since `p - q` cancels most of the digits of an f32.
///
/// # Panics
///
/// When there are more or fewer rewards than scores.
///
/// # Example
///
/// ```
/// let (loss, gradient) = gating_core::softmax_mse(&[0.0, 0.0], &[0.0, 1.0]);
/// assert_eq!(loss.value(), 0.053_388_067); // (e / (1 + e) - 1 / 2)^2
/// assert!(gradient[0] > 0.0 && gradient[1] < 0.0); // the second score should rise
/// ```
#[must_use]
pub fn softmax_mse(scores: &[f32], rewards: &[f32]) -> (Loss, Vec<f32>) {
    assert_eq!(scores.len(), rewards.len(), "every score has one reward");
    let (p, q) = (softmax(scores), softmax(rewards));
    let count = scores.len() as f64;
    let loss = p.iter().zip(&q).map(|(p, q)| (p - q).powi(2)).sum::<f64>() / count;
    let outer: Vec<f64> = p.iter().zip(&q).map(|(p, q)| 2.0 * (p - q) / count).collect();
    let mean: f64 = p.iter().zip(&outer).map(|(p, g)| p * g).sum();
    let gradient = p.iter().zip(&outer).map(|(p, g)| (p * (g - mean)) as f32);
    (Loss(loss as f32), gradient.collect())
}
