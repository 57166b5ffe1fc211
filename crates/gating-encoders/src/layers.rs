//! Layers that every network is made of, each defined once: as one kernel on the CPU, as plain tensor
//! operations on every other device.

use burn::tensor::activation::{gelu, gelu_approximate, relu, sigmoid, silu, tanh};
use burn::tensor::module::layer_norm;
use burn::tensor::{FloatDType, Tensor};
#[cfg(feature = "flex")]
use gating_kernels::PackedLinear;
use gating_kernels::{Activation, Layout};

use crate::Error;
#[cfg(feature = "flex")]
use crate::cpu;
use crate::place::Place;
use crate::weights::Weights;

/// `x W + b`.
#[expect(
    clippy::large_enum_variant,
    reason = "a network has some dozens, and they hold its weights"
)]
#[derive(Debug)]
pub(crate) enum Linear {
    /// On the CPU.
    #[cfg(feature = "flex")]
    Packed(Box<PackedLinear>),
    /// On any other device: `[inputs, outputs]` and `[1, outputs]`.
    Plain { weight: Tensor<2>, bias: Tensor<2> },
}

/// The weights of a linear layer as a file holds them.
#[derive(Debug)]
pub(crate) struct LinearWeights {
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) layout: Layout,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

impl LinearWeights {
    /// Takes `name.weight`, which lies as `layout` says, and `name.bias`.
    pub(crate) fn take(
        weights: &Weights,
        name: &str,
        layout: Layout,
        shape: [usize; 2],
    ) -> Result<Self, Error> {
        let bias = weights.take(&format!("{name}.bias"), [shape[1]])?;
        Ok(Self { bias, ..Self::take_without_bias(weights, name, layout, shape)? })
    }

    /// Takes `name.weight`; the bias is zero.
    pub(crate) fn take_without_bias(
        weights: &Weights,
        name: &str,
        layout: Layout,
        [inputs, outputs]: [usize; 2],
    ) -> Result<Self, Error> {
        let shape = match layout {
            Layout::OutputsFirst => [outputs, inputs],
            Layout::InputsFirst => [inputs, outputs],
        };
        let weight = weights.take(&format!("{name}.weight"), shape)?;
        Ok(Self { weight, bias: vec![0.0; outputs], layout, inputs, outputs })
    }

    /// Layers of the same inputs as one, the outputs of the first coming first.
    ///
    /// # Panics
    ///
    /// When the layers do not have their outputs first.
    pub(crate) fn side_by_side(layers: [Self; 3]) -> Self {
        let [mut joined, second, third] = layers;
        for layer in [second, third] {
            assert_eq!([layer.layout, joined.layout], [Layout::OutputsFirst; 2], "rows are joined");
            joined.weight.extend(layer.weight);
            joined.bias.extend(layer.bias);
            joined.outputs += layer.outputs;
        }
        joined
    }

    /// The layer on a device.
    pub(crate) fn init(self, place: &Place) -> Linear {
        #[cfg(feature = "flex")]
        if let Some(set) = cpu::instructions(&place.device) {
            let shape = [self.inputs, self.outputs];
            let packed = PackedLinear::new(&self.weight, self.layout, shape, Some(&self.bias), set);
            return Linear::Packed(Box::new(packed));
        }
        let weight = match self.layout {
            Layout::OutputsFirst => {
                place.tensor(self.weight, [self.outputs, self.inputs]).transpose()
            }
            Layout::InputsFirst => place.tensor(self.weight, [self.inputs, self.outputs]),
        };
        Linear::Plain { weight, bias: place.tensor(self.bias, [1, self.outputs]) }
    }
}

impl Linear {
    /// How many numbers a row of its output has.
    pub(crate) fn outputs(&self) -> usize {
        match self {
            #[cfg(feature = "flex")]
            Self::Packed(layer) => layer.outputs(),
            Self::Plain { bias, .. } => bias.dims()[1],
        }
    }

    /// # Shapes
    ///
    /// - states: `[rows, inputs]`
    /// - output: `[rows, outputs]`
    pub(crate) fn forward(&self, states: Tensor<2>) -> Tensor<2> {
        match self {
            #[cfg(feature = "flex")]
            Self::Packed(layer) => cpu::linear(layer, states, None),
            Self::Plain { weight, bias } => states.matmul(weight.clone()) + bias.clone(),
        }
    }

    /// The same, and then a function of each number.
    pub(crate) fn activated(&self, states: Tensor<2>, activation: Activation) -> Tensor<2> {
        match self {
            #[cfg(feature = "flex")]
            Self::Packed(layer) => cpu::linear(layer, states, Some(activation)),
            Self::Plain { .. } => activate(activation, self.forward(states)),
        }
    }

    /// The same, added to `sum`.
    pub(crate) fn added(&self, states: Tensor<2>, sum: Tensor<2>) -> Tensor<2> {
        match self {
            #[cfg(feature = "flex")]
            Self::Packed(layer) => cpu::add_linear(layer, states, sum),
            Self::Plain { .. } => sum + self.forward(states),
        }
    }
}

/// The function, by tensor operations.
fn activate(activation: Activation, states: Tensor<2>) -> Tensor<2> {
    match activation {
        Activation::Gelu => gelu(states),
        Activation::GeluTanh => gelu_approximate(states),
        Activation::Relu => relu(states),
        Activation::Sigmoid => sigmoid(states),
        Activation::Silu => silu(states),
        Activation::Tanh => tanh(states),
    }
}

/// Gives each row mean 0 and variance 1, then scales and shifts it.
#[expect(
    clippy::large_enum_variant,
    reason = "a network has some dozens, and they hold its weights"
)]
#[derive(Debug)]
pub(crate) enum LayerNorm {
    /// On the CPU.
    #[cfg(feature = "flex")]
    Kernel(gating_kernels::LayerNorm),
    /// On any other device: `[size]` both, in f32.
    Plain { gamma: Tensor<1>, beta: Tensor<1>, epsilon: f64 },
}

impl LayerNorm {
    /// Takes `name.weight` and `name.bias`.
    pub(crate) fn load(
        weights: &Weights,
        name: &str,
        size: usize,
        epsilon: f64,
        place: &Place,
    ) -> Result<Self, Error> {
        let gamma = weights.take(&format!("{name}.weight"), [size])?;
        let beta = weights.take(&format!("{name}.bias"), [size])?;
        #[cfg(feature = "flex")]
        if let Some(set) = cpu::instructions(&place.device) {
            let norm = gating_kernels::LayerNorm::new(gamma, beta, epsilon as f32, set);
            return Ok(Self::Kernel(norm));
        }
        let [gamma, beta] = [gamma, beta].map(|values| place.precise(values, [size]));
        Ok(Self::Plain { gamma, beta, epsilon })
    }

    /// # Shapes
    ///
    /// - states, output: `[rows, size]`
    pub(crate) fn forward(&self, states: Tensor<2>) -> Tensor<2> {
        match self {
            #[cfg(feature = "flex")]
            Self::Kernel(norm) => cpu::layer_norm(norm, states),
            Self::Plain { gamma, beta, epsilon } => {
                let dtype = states.dtype();
                let states = states.cast(FloatDType::F32);
                layer_norm(states, gamma.clone(), Some(beta.clone()), *epsilon).cast(dtype)
            }
        }
    }
}

/// The activation functions by the names that `config.json` has for them.
const ACTIVATIONS: [(&str, Activation); 9] = [
    ("gelu", Activation::Gelu),
    ("gelu_fast", Activation::GeluTanh),
    ("gelu_new", Activation::GeluTanh),
    ("gelu_pytorch_tanh", Activation::GeluTanh),
    ("relu", Activation::Relu),
    ("sigmoid", Activation::Sigmoid),
    ("silu", Activation::Silu),
    ("swish", Activation::Silu),
    ("tanh", Activation::Tanh),
];

/// The activation function that `key` of `config.json` names.
pub(crate) fn activation(key: &'static str, name: &str) -> Result<Activation, Error> {
    match ACTIVATIONS.iter().find(|(known, _)| *known == name) {
        Some((_, activation)) => Ok(*activation),
        None => Err(Error::Config {
            key,
            expected: ACTIVATIONS.map(|(known, _)| known).join(", "),
            found: name.to_owned(),
        }),
    }
}
