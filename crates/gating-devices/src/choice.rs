//! The fastest device that is there.

use crate::{DeviceError, DeviceFamily, DeviceName, Opened, found, open};

/// The device that was taken where none was named.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The device.
    pub opened: Opened,
    /// Why this one, for people.
    pub reason: String,
}

/// Opens the fastest device that is there: a GPU by LibTorch, then by Vulkan or WGPU, then the
/// processor. Drivers that only stand in for a GPU are never taken.
///
/// # Errors
///
/// When no device is compiled in, or the one that comes first in this order cannot be opened:
/// what is there and broken is told, and not passed over.
pub fn choose() -> Result<Choice, DeviceError> {
    let gpu = found().into_iter().filter(|name| is_gpu(*name)).min_by_key(|name| rank(*name));
    if let Some(name) = gpu {
        let opened = open(name)?;
        let reason = format!("{} was found", opened.about.name);
        return Ok(Choice { opened, reason });
    }
    let name = match DeviceFamily::COMPILED {
        families if families.contains(&DeviceFamily::Flex) => DeviceName::Cpu,
        families if families.contains(&DeviceFamily::LibTorch) => DeviceName::LibTorch,
        [] => return Err(DeviceError::None),
        _ => DeviceName::Wgpu(None),
    };
    let reason = match DeviceFamily::COMPILED {
        [_] => "the only one compiled in".to_owned(),
        _ => format!("no GPU was found; compiled in: {}", DeviceFamily::compiled()),
    };
    Ok(Choice { opened: open(name)?, reason })
}

/// Whether the name is that of a GPU, and not of the processor or what stands in for one.
fn is_gpu(name: DeviceName) -> bool {
    match name {
        DeviceName::Cpu | DeviceName::LibTorch => false,
        DeviceName::LibTorchCuda(_) => true,
        #[cfg(feature = "wgpu")]
        DeviceName::Wgpu(_) | DeviceName::Vulkan(_) => !crate::adapters::is_software(name),
        #[cfg(not(feature = "wgpu"))]
        DeviceName::Wgpu(_) | DeviceName::Vulkan(_) => false,
    }
}

/// The order in which GPUs are taken: by library, and then as the library counts them.
fn rank(name: DeviceName) -> (u8, u16) {
    match name {
        DeviceName::LibTorchCuda(index) => (0, index),
        DeviceName::Vulkan(index) => (1, index.unwrap_or(0)),
        DeviceName::Wgpu(index) => (2, index.unwrap_or(0)),
        DeviceName::Cpu | DeviceName::LibTorch => (3, 0),
    }
}
