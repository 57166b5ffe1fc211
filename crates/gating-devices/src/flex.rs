//! The processor, by the backend Flex.

use burn::tensor::Device;

use crate::{About, memory};

pub(crate) fn init() -> (Device, About) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let about = About {
        name: format!("{} with {threads} threads", std::env::consts::ARCH),
        driver: None,
        memory: memory::of_machine(),
        max_tensor: None,
        is_software: false,
    };
    (Device::flex(), about)
}
