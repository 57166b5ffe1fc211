//! Stochastic gradient descent as PyTorch does it: momentum without dampening, no weight decay.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Tensor;

use crate::rows::{RowSource, Rows};
use crate::{Error, GateConfig};

/// What becomes of the gradient of one step at the next.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum GradientMode {
    /// It is kept, and every step descends along the sum of all gradients so far. The reference
    /// never clears its gradients, so this is what it does.
    #[default]
    Accumulate,
    /// It is cleared, as training loops usually do.
    PerStep,
}

impl GradientMode {
    /// The modes by the names they have in settings and checkpoints.
    const NAMES: [(Self, &str); 2] =
        [(Self::Accumulate, "accumulate"), (Self::PerStep, "per-step")];
}

impl fmt::Display for GradientMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(mode, _)| mode == self);
        f.pad(name.expect("every mode has a name").1)
    }
}

impl FromStr for GradientMode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mode = Self::NAMES.iter().find(|(_, name)| *name == text).map(|(mode, _)| *mode);
        mode.ok_or_else(|| Error::GradientMode { found: text.to_owned() })
    }
}

/// The state that learning keeps beside the weights.
#[derive(Clone, Debug)]
pub(crate) struct Sgd {
    pub(crate) learning_rate: f32,
    pub(crate) momentum: f32,
    pub(crate) velocity: Rows,
    /// The sum of all gradients so far; none where each step clears its own.
    pub(crate) gradient: Option<Rows>,
}

impl Sgd {
    /// The state before the first step of learning these rows.
    pub(crate) fn new(config: &GateConfig, rows: &Rows) -> Self {
        let device = rows.bias.device();
        let zeros = || Rows::zeros(rows.num_uids(), rows.hidden_size(), &device);
        Self {
            learning_rate: config.learning_rate as f32,
            momentum: config.momentum as f32,
            velocity: zeros(),
            gradient: (config.gradient == GradientMode::Accumulate).then(zeros),
        }
    }

    /// One step: `v <- m v + grad`, `w <- w - lr v`, where this step's gradient of row `uids[i]`
    /// is `slopes[i] * embedding` and of its bias `slopes[i]`.
    ///
    /// Every row moves while its velocity is not zero, not only those of `uids`.
    pub(crate) fn step(
        &mut self,
        rows: &mut Rows,
        uids: &[usize],
        slopes: &[f32],
        embedding: &Tensor<1>,
    ) {
        let velocity = self.velocity.clone().scaled(self.momentum);
        self.velocity = match self.gradient.take() {
            Some(gradient) => {
                let gradient = gradient.add_outer(uids, slopes, embedding);
                self.gradient = Some(gradient.clone());
                velocity.plus(gradient)
            }
            None => velocity.add_outer(uids, slopes, embedding),
        };
        *rows = rows.clone().minus(self.velocity.clone().scaled(self.learning_rate));
    }

    /// The same state for rows made anew; fresh rows have neither velocity nor gradient.
    pub(crate) fn gather(&self, sources: &[RowSource]) -> Self {
        let fresh = sources.iter().filter(|source| **source == RowSource::Fresh).count();
        let gather = |rows: &Rows| {
            let device = rows.bias.device();
            rows.gather(sources, Rows::zeros(fresh, rows.hidden_size(), &device))
        };
        Self {
            velocity: gather(&self.velocity),
            gradient: self.gradient.as_ref().map(gather),
            ..*self
        }
    }
}
