//! Why a device cannot be had, or does not go on.

use std::fmt;

use crate::{DeviceFamily, DeviceName};

/// Why a device cannot be had, or does not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// No device has this name.
    #[error("expected a device of {}, found `{found}`", DeviceName::EXPECTED)]
    Unknown {
        /// The name.
        found: String,
    },
    /// This program was built without what runs the device.
    #[error("device `{name}` is not compiled in; compiled in: {}", DeviceFamily::compiled())]
    NotCompiled {
        /// The device.
        name: DeviceName,
    },
    /// No driver answers, or none has so many adapters.
    #[error("device `{name}` is not there: {found}")]
    NoAdapter {
        /// The device.
        name: DeviceName,
        /// What was found instead.
        found: String,
    },
    /// The adapter computes on the processor, which crashes with SPIR-V.
    #[error(
        "device `{name}` is {adapter}, a driver without a GPU, which crashes on the shaders of this \
         build"
    )]
    Software {
        /// The device.
        name: DeviceName,
        /// What its driver calls it.
        adapter: String,
    },
    /// There is no CUDA, or CUDA has no such GPU.
    #[error("device `{name}` is not there: {found}")]
    NoCuda {
        /// The device.
        name: DeviceName,
        /// What was found instead.
        found: String,
    },
    /// The device is there and cannot be opened.
    #[error("device `{name}` cannot be opened: {said}")]
    Open {
        /// The device.
        name: DeviceName,
        /// What the library below says.
        said: String,
    },
    /// The device failed while it worked.
    #[error("the device failed: {said}")]
    Failed {
        /// What the library below says.
        said: String,
    },
    /// No device at all is compiled in.
    #[error(
        "no device is compiled in, expected one of the features cuda, flex, libtorch, vulkan or wgpu"
    )]
    None,
}

impl DeviceError {
    /// What a library below says when the device fails.
    pub fn failed(error: impl fmt::Display) -> Self {
        Self::Failed { said: in_a_line(&error.to_string()) }
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "take one of these names, or `auto`",
            Self::NotCompiled { .. } | Self::None => {
                "build with the feature of the device, or take one that is compiled in"
            }
            Self::NoAdapter { .. } => {
                "install the driver of the GPU, see that this user may open it, or take a device that \
                 `gating doctor` finds"
            }
            Self::Software { .. } => {
                "take `cpu`, or `wgpu` in a build without the feature `vulkan`"
            }
            Self::NoCuda { name, .. } if name.family() == DeviceFamily::Cuda => {
                "install the driver of the GPU, or take a device that `gating doctor` finds"
            }
            Self::NoCuda { .. } => {
                "install the driver of the GPU, and a LibTorch with CUDA where this program finds it"
            }
            Self::Open { .. } => "take a device that `gating doctor` finds",
            Self::Failed { said } if is_out_of_memory(said) => {
                "take a smaller model, free memory of the device, or take another device"
            }
            Self::Failed { .. } => "try again, or take another device",
        }
    }
}

/// What a library says, without the types around it, and without the backtrace or the source of a shader
/// after it.
fn in_a_line(said: &str) -> String {
    let said = said.trim_start_matches("called `Result::unwrap()` on an `Err` value: ");
    let said = said.trim_start_matches("Torch(\"").replace("\\n", "\n");
    let lines = said.lines().map(|line| line.trim().trim_end_matches(':'));
    let is_end = |line: &str| {
        let ends = ["frame #", "Exception raised", "stack backtrace", "No backtrace", "┌"];
        ends.iter().any(|end| line.starts_with(end))
    };
    let is_said =
        |line: &&str| !line.is_empty() && *line != "Caused by" && !line.starts_with("===");
    let lines = lines.take_while(|line| !is_end(line)).filter(is_said);
    lines.collect::<Vec<_>>().join(": ")
}

/// Whether the library below says that memory was missing.
fn is_out_of_memory(said: &str) -> bool {
    let said = said.to_lowercase();
    ["out of memory", "outofmemory", "not enough memory", "can't allocate"]
        .iter()
        .any(|words| said.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libraries_say_becomes_a_line() {
        let check = |said: &str, expected: &str| {
            assert_eq!(
                DeviceError::failed(said).to_string(),
                format!("the device failed: {expected}")
            );
        };
        check("lost", "lost");
        check(
            "a launch failed\nCaused by:\n  no shader\n   ┌─ main:1",
            "a launch failed: no shader",
        );
        check("=== Error ===\n  Operation: 'Matmul'\n  Reason:\n", "Operation: 'Matmul': Reason");
        let unwrap =
            "called `Result::unwrap()` on an `Err` value: Torch(\"no room\\nframe #0: x\")";
        check(unwrap, "no room");
    }

    #[test]
    fn missing_memory_has_an_advice_of_its_own() {
        let advice = |said: &str| DeviceError::Failed { said: said.to_owned() }.advice();
        assert!(advice("CUDA out of memory. Tried to allocate 2.00 GiB").contains("smaller model"));
        assert!(advice("can't allocate memory: 2 bytes").contains("smaller model"));
        assert!(advice("the wgpu device was lost").contains("try again"));
    }
}
