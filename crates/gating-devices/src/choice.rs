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

/// Opens the fastest device that is there: a GPU by LibTorch, then by Burn's CUDA, then by Vulkan or
/// WGPU, then the processor. Drivers that only stand in for a GPU are never taken.
///
/// # Errors
///
/// When there is none of these, or the one that comes first in this order cannot be opened: what is
/// there and broken is told, and not passed over.
pub fn choose() -> Result<Choice, DeviceError> {
    if let Some(name) = gpu() {
        let opened = open(name)?;
        let reason = format!("{} was found", opened.about.name);
        return Ok(Choice { opened, reason });
    }
    let reason = match DeviceFamily::COMPILED {
        [_] => "the only one compiled in".to_owned(),
        _ => format!("no GPU was found; compiled in: {}", DeviceFamily::compiled()),
    };
    Ok(Choice { opened: open(processor()?)?, reason })
}

/// The best GPU of the first family that has one, of those that are found.
fn gpu() -> Option<DeviceName> {
    let found = found();
    let first = |is_wanted: fn(&DeviceName) -> bool| found.iter().copied().find(is_wanted);
    let by_cuda = first(|name| matches!(name, DeviceName::LibTorchCuda(_)))
        .or_else(|| first(|name| matches!(name, DeviceName::Cuda(_))));
    #[cfg(feature = "wgpu")]
    let by_shaders = || {
        let families = [DeviceFamily::Vulkan, DeviceFamily::Wgpu].into_iter();
        let mut compiled = families.filter(|family| DeviceFamily::COMPILED.contains(family));
        compiled.find_map(crate::adapters::best_gpu)
    };
    #[cfg(not(feature = "wgpu"))]
    let by_shaders = || None;
    by_cuda.or_else(by_shaders)
}

fn processor() -> Result<DeviceName, DeviceError> {
    let is_compiled = |family| DeviceFamily::COMPILED.contains(&family);
    if is_compiled(DeviceFamily::Flex) {
        return Ok(DeviceName::Cpu);
    }
    if is_compiled(DeviceFamily::LibTorch) {
        return Ok(DeviceName::LibTorch);
    }
    if is_compiled(DeviceFamily::Wgpu) {
        let found = "no driver has a GPU; one that stands in for it has to be named".to_owned();
        return Err(DeviceError::NoAdapter { name: DeviceName::Wgpu(None), found });
    }
    if is_compiled(DeviceFamily::Cuda) {
        // It says why there is no GPU.
        return Ok(DeviceName::Cuda(0));
    }
    Err(DeviceError::None)
}
