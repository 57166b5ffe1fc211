//! The processor, by the backend Flex.

use std::fs;

use burn::tensor::Device;

use crate::About;

pub(crate) fn init() -> (Device, About) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let about = About {
        name: format!("{} with {threads} threads", std::env::consts::ARCH),
        driver: None,
        memory: memory(),
        max_tensor: None,
        is_software: false,
    };
    (Device::flex(), about)
}

/// The memory of the machine, where the system tells it in a file.
fn memory() -> Option<u64> {
    let about = fs::read_to_string("/proc/meminfo").ok()?;
    let total = about.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
