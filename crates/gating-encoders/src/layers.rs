//! Layers that every network is made of, with weights as PyTorch names them.

use burn::module::Param;
use burn::nn::activation::{Activation, ActivationConfig};
use burn::nn::{Embedding, LayerNorm, LayerNormConfig, Linear};
use burn::tensor::Device;

use crate::Error;
use crate::weights::Weights;

/// `[d_input] -> [d_output]` with a bias; PyTorch holds the matrix the other way round.
pub(crate) fn linear(
    weights: &Weights,
    name: &str,
    [d_input, d_output]: [usize; 2],
) -> Result<Linear, Error> {
    let bias = weights.take(&format!("{name}.bias"), [d_output])?;
    let bias = Some(Param::from_tensor(bias));
    Ok(Linear { bias, ..linear_without_bias(weights, name, [d_input, d_output])? })
}

/// `[d_input] -> [d_output]` without a bias.
pub(crate) fn linear_without_bias(
    weights: &Weights,
    name: &str,
    [d_input, d_output]: [usize; 2],
) -> Result<Linear, Error> {
    let weight = weights.take(&format!("{name}.weight"), [d_output, d_input])?;
    Ok(Linear { weight: Param::from_tensor(weight.transpose()), bias: None })
}

/// Layer norm over the last dimension.
pub(crate) fn layer_norm(
    weights: &Weights,
    name: &str,
    size: usize,
    epsilon: f64,
) -> Result<LayerNorm, Error> {
    let gamma = Param::from_tensor(weights.take(&format!("{name}.weight"), [size])?);
    let beta = Param::from_tensor(weights.take(&format!("{name}.bias"), [size])?);
    let mut norm = LayerNormConfig::new(size).with_epsilon(epsilon).init(weights.device());
    (norm.gamma, norm.beta) = (gamma, Some(beta));
    Ok(norm)
}

/// One row of `d_model` numbers for each of `count` ids.
pub(crate) fn embedding(
    weights: &Weights,
    name: &str,
    [count, d_model]: [usize; 2],
) -> Result<Embedding, Error> {
    let weight = weights.take(&format!("{name}.weight"), [count, d_model])?;
    Ok(Embedding { weight: Param::from_tensor(weight) })
}

/// The activation functions by the names that `config.json` has for them.
const ACTIVATIONS: [(&str, ActivationConfig); 6] = [
    ("gelu", ActivationConfig::Gelu),
    ("gelu_new", ActivationConfig::GeluApproximate),
    ("gelu_pytorch_tanh", ActivationConfig::GeluApproximate),
    ("relu", ActivationConfig::Relu),
    ("sigmoid", ActivationConfig::Sigmoid),
    ("tanh", ActivationConfig::Tanh),
];

/// The activation function that `key` of `config.json` names.
pub(crate) fn activation(
    key: &'static str,
    name: &str,
    device: &Device,
) -> Result<Activation, Error> {
    match ACTIVATIONS.iter().find(|(known, _)| *known == name) {
        Some((_, config)) => Ok(config.init(device)),
        None => Err(Error::Config {
            key,
            expected: ACTIVATIONS.map(|(known, _)| known).join(", "),
            found: name.to_owned(),
        }),
    }
}
