//! The public behaviour of `gating-core`, held against PyTorch and against itself.

mod checkpoint;
mod fixture;
mod gate;
mod learning;
mod loss;
