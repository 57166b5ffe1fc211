//! The public behavior of `gating-core`, held against PyTorch and against itself.

mod cache;
mod checkpoint;
mod fixture;
mod gate;
mod interchange;
mod learning;
mod long_run;
mod loss;
mod oracle;
mod threads;
