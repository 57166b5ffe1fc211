//! Every kernel against plain loops in f64: random shapes, every set of instructions.

mod activation;
mod alone;
mod attention;
mod endless;
mod layer_norm;
mod linear;
mod near;
mod random;
mod refused;
mod rows;
mod segments;
mod strange;
