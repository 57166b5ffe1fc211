//! LibTorch: every call to it. Burn drops it in its next release; `docs/devices.md` lists what goes with
//! this file then.

use burn::tensor::Device;

use crate::open::try_sum;
use crate::{About, DeviceError, DeviceName, guarded, memory, nvidia};

pub(crate) fn init(name: DeviceName) -> Result<(Device, About), DeviceError> {
    let (device, about) = match name {
        DeviceName::LibTorchCuda(index) => (cuda(name, index)?, about(nvidia::about(index))),
        _ => {
            #[expect(deprecated, reason = "it is there until Burn drops it")]
            let device = Device::libtorch();
            let name = std::env::consts::ARCH.to_owned();
            (device, about(About { name, memory: memory::of_machine(), ..About::default() }))
        }
    };
    try_sum(name, &device)?;
    Ok((device, about))
}

/// With the version of the library.
fn about(about: About) -> About {
    // Without CUDA, to ask for its version is an error.
    let version = || tch::utils::has_cuda().then(tch::utils::version_cudart);
    let version = guarded(version).ok().flatten();
    let cuda = |version| format!("LibTorch, CUDA {}.{}", version / 1000, version % 1000 / 10);
    let driver = version.map_or_else(|| "LibTorch without CUDA".to_owned(), cuda);
    About { driver: Some(driver), ..about }
}

fn cuda(name: DeviceName, index: u16) -> Result<Device, DeviceError> {
    let count = count()?;
    let found = match count {
        _ if i64::from(index) < count => {
            #[expect(deprecated, reason = "it is there until Burn drops it")]
            return Ok(Device::libtorch_cuda(usize::from(index)));
        }
        _ if !tch::utils::has_cuda() => {
            "the LibTorch that this program was built with computes on the processor alone"
                .to_owned()
        }
        0 => "CUDA finds no GPU and no driver that fits".to_owned(),
        count => format!("CUDA finds {count}, numbered from 0"),
    };
    Err(DeviceError::NoCuda { name, found })
}

fn count() -> Result<i64, DeviceError> {
    guarded(tch::Cuda::device_count)
}

pub(crate) fn found() -> Vec<DeviceName> {
    // Where asking fails, `init` says why.
    let count = u16::try_from(count().unwrap_or(0)).unwrap_or(0);
    std::iter::once(DeviceName::LibTorch).chain((0..count).map(DeviceName::LibTorchCuda)).collect()
}
