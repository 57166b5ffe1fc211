//! Devices are opened once, and found.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use burn::tensor::Device;
#[cfg(any(feature = "cuda", feature = "libtorch"))]
use burn::tensor::Tensor;

#[cfg(feature = "wgpu")]
use crate::adapters;
#[cfg(feature = "cuda")]
use crate::cuda;
#[cfg(feature = "flex")]
use crate::flex;
#[cfg(any(feature = "cuda", feature = "libtorch"))]
use crate::guarded;
#[cfg(feature = "libtorch")]
use crate::libtorch;
use crate::{About, DeviceError, DeviceFamily, DeviceName};

/// A device that answers.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Its name, with its number where there can be several.
    pub name: DeviceName,
    /// The device, for whatever makes tensors.
    pub device: Device,
    /// What is known of it.
    pub about: About,
}

/// The devices that are open: a library below opens none twice.
static OPENED: Mutex<BTreeMap<DeviceName, Opened>> = Mutex::new(BTreeMap::new());

/// Opens a device, or gives it again.
///
/// # Errors
///
/// When it is not compiled in, not there, or cannot be opened.
pub fn open(name: DeviceName) -> Result<Opened, DeviceError> {
    if !DeviceFamily::COMPILED.contains(&name.family()) {
        return Err(DeviceError::NotCompiled { name });
    }
    let name = exact(name)?;
    let key = only(name);
    // Nothing panics while it changes the map.
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(opened) = opened.get(&key) {
        return Ok(Opened { name, ..opened.clone() });
    }
    let (device, about) = init(name)?;
    let found = Opened { name, device, about };
    opened.insert(key, found.clone());
    Ok(found)
}

/// The one name of a device that has two.
fn only(name: DeviceName) -> DeviceName {
    #[cfg(feature = "wgpu")]
    let name = adapters::only(name);
    name
}

/// The name with the number of the device that it means.
fn exact(name: DeviceName) -> Result<DeviceName, DeviceError> {
    match name {
        #[cfg(feature = "wgpu")]
        DeviceName::Wgpu(None) | DeviceName::Vulkan(None) => adapters::best(name),
        name => Ok(name),
    }
}

fn init(name: DeviceName) -> Result<(Device, About), DeviceError> {
    match name {
        #[cfg(feature = "flex")]
        DeviceName::Cpu => Ok(flex::init()),
        #[cfg(feature = "cuda")]
        DeviceName::Cuda(index) => cuda::init(name, index),
        #[cfg(feature = "libtorch")]
        DeviceName::LibTorch | DeviceName::LibTorchCuda(_) => libtorch::init(name),
        #[cfg(feature = "wgpu")]
        DeviceName::Wgpu(_) | DeviceName::Vulkan(_) => adapters::init(name),
        #[allow(unreachable_patterns, reason = "with every feature, every device has its arm")]
        name => Err(DeviceError::NotCompiled { name }),
    }
}

/// Computes a sum: the first tensor is what shows that a library fits the machine.
#[cfg(any(feature = "cuda", feature = "libtorch"))]
pub(crate) fn try_sum(name: DeviceName, device: &Device) -> Result<(), DeviceError> {
    let broken = |said: String| Err(DeviceError::Open { name, said });
    match guarded(|| Tensor::<1>::ones([2], device).sum().try_into_vec_as::<f32>()) {
        Ok(Ok(sum)) if sum == [2.0] => Ok(()),
        Ok(Ok(sum)) => broken(format!("1 + 1 is {sum:?}")),
        Ok(Err(error)) => broken(error.to_string()),
        Err(error) => broken(error.to_string()),
    }
}

/// Every device of the families that are compiled in that the system says it has; whether one
/// answers shows when it is opened.
#[must_use]
pub fn found() -> Vec<DeviceName> {
    let of = |family: &DeviceFamily| match family {
        #[cfg(feature = "cuda")]
        DeviceFamily::Cuda => cuda::found(),
        #[cfg(feature = "libtorch")]
        DeviceFamily::LibTorch => libtorch::found(),
        #[cfg(feature = "wgpu")]
        DeviceFamily::Vulkan | DeviceFamily::Wgpu => adapters::found(*family),
        _ => vec![DeviceName::Cpu],
    };
    DeviceFamily::COMPILED.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_compiled_in_is_told() {
        for name in ["cpu", "libtorch", "cuda:3", "burn:cuda", "wgpu", "vulkan:1"] {
            let name: DeviceName = name.parse().expect("the name is known");
            if DeviceFamily::COMPILED.contains(&name.family()) {
                continue;
            }
            let error = open(name).expect_err("it is not compiled in");
            let expected = format!("device `{name}` is not compiled in; compiled in: ");
            assert!(error.to_string().starts_with(&expected), "{error}");
        }
    }

    #[test]
    #[cfg(feature = "flex")]
    fn a_device_is_opened_once() {
        let (first, again) = (open(DeviceName::Cpu), open(DeviceName::Cpu));
        let (first, again) = (first.expect("it is there"), again.expect("it is there"));
        assert_eq!((first.device, first.about), (again.device, again.about));
        assert!(found().contains(&DeviceName::Cpu));
    }
}
