//! The public behavior of `gating-encoders`, held against PyTorch and against itself.

mod devices;
mod fixture;
mod formats;
mod full;
mod golden;
mod load;
mod pooling;
mod properties;
