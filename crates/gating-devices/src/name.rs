//! The names of devices.

use std::fmt;
use std::str::FromStr;

use crate::DeviceError;

/// A device by the name that `--neuron.device` has for it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum DeviceName {
    /// `cpu`: the processor, by the kernels of this workspace and the backend Flex.
    Cpu,
    /// `libtorch`: the processor, by LibTorch.
    LibTorch,
    /// `cuda[:N]` or `libtorch:cuda[:N]`: a GPU of NVIDIA, by LibTorch; the first where no number
    /// is given.
    LibTorchCuda(u16),
    /// `burn:cuda[:N]`: a GPU of NVIDIA, by Burn itself; the first where no number is given.
    Cuda(u16),
    /// `wgpu[:N]`: an adapter of Vulkan, Metal or DX12, by shaders in WGSL; the best where no number
    /// is given.
    Wgpu(Option<u16>),
    /// `vulkan[:N]`: an adapter of Vulkan, by shaders in SPIR-V; the best where no number is given.
    Vulkan(Option<u16>),
}

/// What devices have in common: the library that runs them.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum DeviceFamily {
    /// CUDA, by Burn itself.
    Cuda,
    /// The processor, in Rust.
    Flex,
    /// LibTorch, on the processor or on CUDA.
    LibTorch,
    /// WGPU with SPIR-V.
    Vulkan,
    /// WGPU with WGSL.
    Wgpu,
}

impl DeviceName {
    /// Every form of a name, for people.
    pub const EXPECTED: &str = "cpu, libtorch, cuda[:N], libtorch:cuda[:N], burn:cuda[:N], \
                                  wgpu[:N] or vulkan[:N]";

    /// What runs the device.
    #[must_use]
    pub fn family(self) -> DeviceFamily {
        match self {
            Self::Cpu => DeviceFamily::Flex,
            Self::LibTorch | Self::LibTorchCuda(_) => DeviceFamily::LibTorch,
            Self::Cuda(_) => DeviceFamily::Cuda,
            Self::Wgpu(_) => DeviceFamily::Wgpu,
            Self::Vulkan(_) => DeviceFamily::Vulkan,
        }
    }
}

impl DeviceFamily {
    /// The families that are compiled in.
    pub const COMPILED: &[Self] = &[
        #[cfg(feature = "cuda")]
        Self::Cuda,
        #[cfg(feature = "flex")]
        Self::Flex,
        #[cfg(feature = "libtorch")]
        Self::LibTorch,
        #[cfg(feature = "vulkan")]
        Self::Vulkan,
        #[cfg(feature = "wgpu")]
        Self::Wgpu,
    ];

    /// The feature of this crate, and of those above it, that compiles the family in.
    #[must_use]
    pub fn feature(self) -> &'static str {
        match self {
            Self::Cuda => "cuda",
            Self::Flex => "flex",
            Self::LibTorch => "libtorch",
            Self::Vulkan => "vulkan",
            Self::Wgpu => "wgpu",
        }
    }

    /// The features that are compiled in, for people.
    #[must_use]
    pub fn compiled() -> String {
        match Self::COMPILED {
            [] => "none".to_owned(),
            families => {
                families.iter().map(|family| family.feature()).collect::<Vec<_>>().join(", ")
            }
        }
    }
}

impl FromStr for DeviceName {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, DeviceError> {
        let (family, index) = match name.rsplit_once(':') {
            Some((family, index)) if index.starts_with(|first: char| first.is_ascii_digit()) => {
                let index = index.parse().map_err(|_| unknown(name))?;
                (family, Some(index))
            }
            _ => (name, None),
        };
        match (family, index) {
            ("cpu", None) => Ok(Self::Cpu),
            ("libtorch", None) => Ok(Self::LibTorch),
            ("cuda" | "libtorch:cuda", index) => Ok(Self::LibTorchCuda(index.unwrap_or(0))),
            ("burn:cuda", index) => Ok(Self::Cuda(index.unwrap_or(0))),
            ("wgpu", index) => Ok(Self::Wgpu(index)),
            ("vulkan", index) => Ok(Self::Vulkan(index)),
            _ => Err(unknown(name)),
        }
    }
}

fn unknown(name: &str) -> DeviceError {
    DeviceError::Unknown { found: name.to_owned() }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::LibTorch => f.write_str("libtorch"),
            Self::LibTorchCuda(index) => write!(f, "libtorch:cuda:{index}"),
            Self::Cuda(index) => write!(f, "burn:cuda:{index}"),
            Self::Wgpu(None) => f.write_str("wgpu"),
            Self::Wgpu(Some(index)) => write!(f, "wgpu:{index}"),
            Self::Vulkan(None) => f.write_str("vulkan"),
            Self::Vulkan(Some(index)) => write!(f, "vulkan:{index}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        let check = |name: &str, expected, written: &str| {
            let found: DeviceName = name.parse().expect("the name is known");
            assert_eq!((found, found.to_string().as_str()), (expected, written), "{name}");
            assert_eq!(written.parse::<DeviceName>().expect("the name is known"), expected);
        };
        check("cpu", DeviceName::Cpu, "cpu");
        check("libtorch", DeviceName::LibTorch, "libtorch");
        check("cuda", DeviceName::LibTorchCuda(0), "libtorch:cuda:0");
        check("cuda:1", DeviceName::LibTorchCuda(1), "libtorch:cuda:1");
        check("libtorch:cuda:2", DeviceName::LibTorchCuda(2), "libtorch:cuda:2");
        check("burn:cuda", DeviceName::Cuda(0), "burn:cuda:0");
        check("burn:cuda:2", DeviceName::Cuda(2), "burn:cuda:2");
        check("wgpu", DeviceName::Wgpu(None), "wgpu");
        check("wgpu:3", DeviceName::Wgpu(Some(3)), "wgpu:3");
        check("vulkan:0", DeviceName::Vulkan(Some(0)), "vulkan:0");
    }

    #[test]
    fn other_names_are_refused() {
        let wrong = ["", "auto", "gpu", "cpu:0", "cuda:", "cuda:x", "cuda:-1", "libtorch:1", ":0"];
        for name in wrong.into_iter().chain(["burn", "burn:cuda:x"]) {
            let found = name.parse::<DeviceName>();
            assert!(matches!(found, Err(DeviceError::Unknown { .. })), "{name}");
        }
        assert!("wgpu:65536".parse::<DeviceName>().is_err());
    }
}
