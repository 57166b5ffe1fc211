//! The arithmetic of frozen transformers on a CPU, on plain slices of numbers: products with packed
//! weights, attention, layer norm; and of the head that scores what they make.
//!
//! Sequences of different lengths lie one after the other without padding ([`Segments`]); what is
//! computed for one of them does not depend on the others, to the bit. Every kernel runs with any
//! [`InstructionSet`] that the processor has.

// The example of the README is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod activation;
mod aligned;
mod attention;
mod descent;
mod instruction_set;
mod layer_norm;
mod linear;
mod pages;
mod rows;
mod segments;
mod shared;
mod softmax;
mod tile;

pub use activation::Activation;
pub use attention::{Attention, RelativeBias, Sight};
pub use descent::{Gradient, Rate, descend};
pub use instruction_set::InstructionSet;
pub use layer_norm::LayerNorm;
pub use linear::{Layout, PackedLinear};
pub use pages::prefer_large_pages;
pub use rows::multiply_rows;
pub use segments::{Pick, Segments};
