//! The device that was asked for, or an error that says why it cannot be had.

use burn::tensor::Device;

use crate::failure::{Failure, Kind};
use crate::output::Output;

/// The devices that are compiled in, by the names that `--neuron.device` takes.
pub(crate) const COMPILED: &[&str] = &[
    #[cfg(feature = "flex")]
    "cpu",
];

/// The names that later versions will know, and that are refused until then.
const KNOWN: [&str; 5] = ["cpu", "libtorch", "cuda", "wgpu", "vulkan"];

/// Picks a device by name; `auto` says which one it took.
pub(crate) fn choose(name: &str, output: &Output) -> Result<Device, Failure> {
    match name {
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

fn none_of(name: &str) -> Failure {
    let family = name.split(':').next().unwrap_or_default();
    let compiled = match COMPILED {
        [] => "no device is".to_owned(),
        names => format!("compiled in: {}", names.join(", ")),
    };
    if name == "auto" || KNOWN.contains(&family) {
        let message = format!("device `{name}` is not compiled in");
        return Failure::new(Kind::Device, anyhow::Error::msg(message))
            .hint(format!("{compiled}; take one of these or build gating with more features"));
    }
    let message = format!("`neuron.device` is `{name}`, which is no device");
    Failure::new(Kind::Configuration, anyhow::Error::msg(message)).hint(compiled)
}
