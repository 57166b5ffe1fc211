//! Where a network lies, and in what numbers it computes.

use burn::tensor::{Device, FloatDType, Tensor, TensorData};
use gating_devices::guarded;

use crate::Error;
#[cfg(feature = "flex")]
use crate::cpu;

/// A device, and the numbers in which a network computes on it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) device: Device,
    pub(crate) dtype: FloatDType,
    /// How many numbers a tensor has at most, where that can be chosen.
    pub(crate) max_tensor: usize,
}

/// 128 MiB of f32 are what a binding of WGPU holds on common adapters.
const MAX_TENSOR: usize = 1 << 25;

impl Place {
    /// Refuses numbers that the device does not compute in.
    pub(crate) fn new(device: &Device, dtype: FloatDType) -> Result<Self, Error> {
        let place = Self { device: device.clone(), dtype, max_tensor: MAX_TENSOR };
        let is_had = match dtype {
            FloatDType::F32 => true,
            FloatDType::F16 | FloatDType::BF16 => {
                !place.has_kernels() && place.run(|| device.supports_dtype(dtype))?
            }
            _ => false,
        };
        if is_had { Ok(place) } else { Err(Error::DType { found: dtype }) }
    }

    /// Whether layers are kernels here, which compute in f32 alone.
    #[cfg(feature = "flex")]
    pub(crate) fn has_kernels(&self) -> bool {
        cpu::instructions(&self.device).is_some()
    }

    #[cfg(not(feature = "flex"))]
    pub(crate) fn has_kernels(&self) -> bool {
        false
    }

    /// Runs work on the device, whose panics are errors; on the CPU on a thread of those that the
    /// kernels share their work with.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, Error> {
        #[cfg(feature = "flex")]
        if self.has_kernels() {
            return Ok(cpu::pass(work));
        }
        Ok(guarded(work)?)
    }

    /// Numbers of the kind of this place.
    pub(crate) fn tensor<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
        self.precise(values, shape).cast(self.dtype)
    }

    /// Numbers in f32, whatever the kind of this place.
    pub(crate) fn precise<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }
}
