//! CUDA by Burn itself, whose kernels are compiled for the GPU at hand while they run.

use burn::tensor::{Device, DeviceType};

use crate::open::try_sum;
use crate::{About, DeviceError, DeviceName, guarded, nvidia};

pub(crate) fn init(name: DeviceName, index: u16) -> Result<(Device, About), DeviceError> {
    let count = guarded(count)?;
    if usize::from(index) >= count {
        let found = match count {
            0 => "CUDA finds no GPU and no driver that fits".to_owned(),
            count => format!("CUDA finds {count}, numbered from 0"),
        };
        return Err(DeviceError::NoCuda { name, found });
    }
    let refused = |error: DeviceError| DeviceError::Open { name, said: error.to_string() };
    let device = guarded(|| Device::cuda(usize::from(index))).map_err(refused)?;
    try_sum(name, &device)?;
    let about = About { driver: Some("CUDA, by Burn".to_owned()), ..nvidia::about(index) };
    Ok((device, about))
}

fn count() -> usize {
    Device::enumerate(DeviceType::Cuda).len()
}

pub(crate) fn found() -> Vec<DeviceName> {
    // Where asking fails, `init` says why.
    let count = guarded(count).ok().and_then(|count| u16::try_from(count).ok());
    (0..count.unwrap_or(0)).map(DeviceName::Cuda).collect()
}
