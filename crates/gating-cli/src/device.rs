//! The device and the numbers that were asked for, or an error that says why they cannot be had.

use burn::tensor::{Device, FloatDType};
use gating_devices::{DeviceName, Opened, guarded};

use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::settings::Settings;

/// What `--neuron.device` takes, compiled in or not.
pub(crate) fn expected() -> String {
    format!("auto, {}", DeviceName::EXPECTED)
}

/// Whether a device of this name can be compiled in.
pub(crate) fn is_known(name: &str) -> bool {
    name == AUTO || name.parse::<DeviceName>().is_ok()
}

/// Takes the fastest device that is there.
const AUTO: &str = "auto";

/// What `--neuron.dtype` takes.
pub(crate) const DTYPES: [&str; 3] = ["f32", "f16", "bf16"];

/// The numbers that the settings name.
pub(crate) fn dtype(settings: &Settings) -> FloatDType {
    match settings.dtype.as_str() {
        "f16" => FloatDType::F16,
        "bf16" => FloatDType::BF16,
        _ => FloatDType::F32,
    }
}

/// Opens the device of the settings; `auto` says which one it took, and why.
pub(crate) fn choose(settings: &Settings, output: &Output) -> Result<Device, Failure> {
    let (opened, reason) = open(settings)?;
    if let Some(reason) = reason {
        output.note(format_args!("device: {} ({reason})", opened.name));
    }
    Ok(opened.device)
}

/// Opens the device of the settings, and says why it was taken where they leave that open.
pub(crate) fn open(settings: &Settings) -> Result<(Opened, Option<String>), Failure> {
    let (opened, reason) = match settings.device.as_str() {
        AUTO => {
            let choice = gating_devices::choose()?;
            (choice.opened, Some(choice.reason))
        }
        name => (gating_devices::open(name.parse()?)?, None),
    };
    check_dtype(&opened, settings)?;
    Ok((opened, reason))
}

/// Refuses numbers that networks cannot be computed in on the device.
fn check_dtype(opened: &Opened, settings: &Settings) -> Result<(), Failure> {
    let dtype = dtype(settings);
    let is_had = match opened.name {
        _ if dtype == FloatDType::F32 => true,
        DeviceName::Cpu => false,
        _ => guarded(|| opened.device.supports_dtype(dtype))?,
    };
    if is_had {
        return Ok(());
    }
    let message = format!(
        "`neuron.dtype` {} cannot be had: device `{}` does not compute in it",
        settings.dtype, opened.name
    );
    let failure = Failure::new(Kind::Device, anyhow::Error::msg(message));
    Err(failure
        .hint("leave it out to compute in f32; weights stored as bf16 are read all the same"))
}
