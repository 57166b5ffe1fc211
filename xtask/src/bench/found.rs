//! The devices that our participant finds.

use anyhow::{Context, Result};
use serde_json::Value;

use super::cells::table;

/// A device, as the participant tells it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    /// The name that opens it, such as `wgpu:0`.
    pub(super) name: String,
    /// What is known of it, or why it cannot be had.
    pub(super) about: Result<About, String>,
}

/// What is known of a device.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct About {
    pub(super) name: String,
    pub(super) driver: Option<String>,
    /// In bytes.
    pub(super) memory: Option<u64>,
    /// In bytes.
    pub(super) max_tensor: Option<u64>,
    /// Whether it only stands in for a GPU.
    pub(super) is_software: bool,
}

impl Found {
    pub(super) fn read(device: &Value) -> Result<Self> {
        let text = |key: &str| device[key].as_str().map(str::to_owned);
        let name = text("name").context("a device has no name")?;
        let about = match text("error") {
            Some(error) => Err(error),
            None => Ok(About {
                name: text("about").with_context(|| format!("nothing is said about {name}"))?,
                driver: text("driver"),
                memory: device["memory"].as_u64(),
                max_tensor: device["max_tensor"].as_u64(),
                is_software: device["is_software"].as_bool().unwrap_or(false),
            }),
        };
        Ok(Self { name, about })
    }

    /// A line for each device.
    pub(super) fn table(devices: &[Self]) -> String {
        let head = ["device", "what", "driver", "memory", "largest tensor"];
        table(&head, devices.iter().map(Self::line))
    }

    fn line(&self) -> Vec<String> {
        let mut cells = vec![format!("`{}`", self.name)];
        match &self.about {
            Err(error) => {
                cells.extend([error.clone(), String::new(), String::new(), String::new()])
            }
            Ok(about) => cells.extend([
                about.name.clone(),
                about.driver.clone().unwrap_or_default(),
                mebibytes(about.memory),
                mebibytes(about.max_tensor),
            ]),
        }
        cells
    }

    /// For a message: what it is, or why it cannot be had.
    pub(super) fn sentence(&self) -> String {
        match &self.about {
            Ok(about) if about.is_software => {
                format!("{} ({}, which computes on the processor)", self.name, about.name)
            }
            Ok(about) => format!("{} ({})", self.name, about.name),
            Err(error) => format!("{} ({error})", self.name),
        }
    }
}

fn mebibytes(bytes: Option<u64>) -> String {
    bytes.map_or(String::new(), |bytes| format!("{} MiB", bytes >> 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(device: &str, line: &str, sentence: &str) {
        let device = serde_json::from_str(device).expect("the test holds JSON");
        let found = Found::read(&device).expect("the device is whole");
        assert_eq!(found.line().join(" | "), line);
        assert_eq!(found.sentence(), sentence);
    }

    #[test]
    fn devices_are_told() {
        check(
            r#"{"name": "cpu", "about": "x86_64 with 2 threads", "driver": null,
                "memory": 8589934592, "max_tensor": null, "is_software": false}"#,
            "`cpu` | x86_64 with 2 threads |  | 8192 MiB | ",
            "cpu (x86_64 with 2 threads)",
        );
        check(
            r#"{"name": "wgpu:0", "about": "llvmpipe", "driver": "Vulkan, Mesa 25",
                "memory": null, "max_tensor": 134217728, "is_software": true}"#,
            "`wgpu:0` | llvmpipe | Vulkan, Mesa 25 |  | 128 MiB",
            "wgpu:0 (llvmpipe, which computes on the processor)",
        );
        check(
            r#"{"name": "wgpu:0", "error": "device `wgpu:0` cannot be opened: lost"}"#,
            "`wgpu:0` | device `wgpu:0` cannot be opened: lost |  |  | ",
            "wgpu:0 (device `wgpu:0` cannot be opened: lost)",
        );
    }

    #[test]
    fn a_device_has_a_name() {
        let error = Found::read(&serde_json::json!({})).expect_err("it has none");
        assert_eq!(error.to_string(), "a device has no name");
    }
}
