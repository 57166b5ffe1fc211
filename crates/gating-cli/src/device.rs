//! The device that was asked for, or an error that says why it cannot be had.

use burn::tensor::Device;

use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::settings::Settings;

/// The devices that are compiled in, by the names that `--neuron.device` takes.
pub(crate) const COMPILED: &[&str] = &[
    #[cfg(feature = "flex")]
    "cpu",
];

/// What `--neuron.device` takes, compiled in or not.
pub(crate) const EXPECTED: &str = "auto, cpu, libtorch, cuda[:N], libtorch:cuda[:N], wgpu[:N] or \
                                   vulkan[:N]";

/// Whether a device of this name can be compiled in, in this version or another.
pub(crate) fn is_known(name: &str) -> bool {
    let family = match name.rsplit_once(':') {
        Some((family, index)) if index.parse::<u16>().is_ok() => family,
        _ => {
            return ["auto", "cpu", "libtorch", "cuda", "libtorch:cuda", "wgpu", "vulkan"]
                .contains(&name);
        }
    };
    ["cuda", "libtorch:cuda", "wgpu", "vulkan"].contains(&family)
}

/// What `--neuron.dtype` takes.
pub(crate) const DTYPES: [&str; 2] = ["f32", "bf16"];

/// Picks the device of the settings; `auto` says which one it took.
pub(crate) fn choose(settings: &Settings, output: &Output) -> Result<Device, Failure> {
    check_dtype(&settings.dtype)?;
    match settings.device.as_str() {
        "auto" => {
            let first = COMPILED.first().ok_or_else(|| none_of("auto"))?;
            output.note(format_args!("device: {first} (the only one compiled in)"));
            open(first)
        }
        name => open(name),
    }
}

/// Opens a device that is compiled in.
pub(crate) fn open(name: &str) -> Result<Device, Failure> {
    match name {
        #[cfg(feature = "flex")]
        "cpu" => Ok(Device::flex()),
        name => Err(none_of(name)),
    }
}

/// Refuses numbers that networks cannot be computed in here.
pub(crate) fn check_dtype(dtype: &str) -> Result<(), Failure> {
    if dtype != "bf16" {
        return Ok(());
    }
    let message = "`neuron.dtype` bf16 cannot be had: this version of gating computes in f32 alone";
    let failure = Failure::new(Kind::Device, anyhow::Error::msg(message));
    Err(failure
        .hint("leave it out to compute in f32; weights stored as bf16 are read all the same"))
}

fn none_of(name: &str) -> Failure {
    let message = format!("device `{name}` is not compiled in");
    let compiled = match COMPILED {
        [] => "none".to_owned(),
        names => names.join(", "),
    };
    Failure::new(Kind::Device, anyhow::Error::msg(message)).hint(format!(
        "compiled in: {compiled}; take one of these, or a version of gating that has the other"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_end_in_a_number_where_there_can_be_several() {
        for name in ["auto", "cpu", "libtorch", "cuda", "cuda:1", "libtorch:cuda:0", "vulkan:3"] {
            assert!(is_known(name), "{name}");
        }
        for name in ["", "gpu", "cpu:0", "cuda:", "cuda:x", "cuda:-1", "libtorch:1", ":0"] {
            assert!(!is_known(name), "{name}");
        }
    }
}
