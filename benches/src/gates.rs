//! Gates of any size.

use burn::tensor::Device;
use gating_core::{Gate, GateConfig, GradientMode, Rewards, UidSampler};
use gating_metagraph::Uid;

use crate::Constant;

/// A gate of any size with the reference's settings, but for how gradients add up.
///
/// # Panics
///
/// When there are no uids or more than can be numbered.
#[must_use]
pub fn gate(num_uids: usize, hidden_size: usize, device: &Device) -> Gate<Constant> {
    gate_in_mode(num_uids, hidden_size, device, GradientMode::Accumulate)
}

/// The same in either gradient mode.
///
/// # Panics
///
/// As [`gate`].
#[must_use]
pub fn gate_in_mode(
    num_uids: usize,
    hidden_size: usize,
    device: &Device,
    gradient: GradientMode,
) -> Gate<Constant> {
    let config = GateConfig { num_uids, gradient, ..GateConfig::default() };
    let gate = Gate::new(Constant::new(hidden_size, device), config);
    gate.expect("the sizes are those of benchmarks")
}

/// Rewards of so many uids, other ones at every call.
///
/// # Panics
///
/// When there are none, or fewer uids.
pub fn rewards(sampler: &mut UidSampler, num_uids: usize, count: usize) -> Rewards {
    let uids = (0..num_uids).map(|uid| Uid::try_from(uid).expect("uids are 16 bits"));
    let uids = sampler.sample(uids, &[], count).expect("there are as many uids");
    let values = (0..count).map(|index| (index % 5) as f32 / 4.0).collect();
    Rewards::new(uids, values).expect("the uids differ")
}
