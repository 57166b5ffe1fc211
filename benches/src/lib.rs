//! What the benchmarks share: the devices to compare, and gates of any size without a network.

mod constant;
mod devices;
mod gates;

pub use constant::Constant;
pub use devices::{devices, most_tokens};
pub use gates::{gate, gate_in_mode, rewards};
