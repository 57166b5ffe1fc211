//! How much memory there is.

#[cfg(any(feature = "flex", feature = "libtorch"))]
use std::fs;

#[cfg(feature = "wgpu")]
use burn::tensor::wgpu::wgpu::{self, hal};

/// The memory of the machine in bytes, where the system tells it in a file.
#[cfg(any(feature = "flex", feature = "libtorch"))]
pub(crate) fn of_machine() -> Option<u64> {
    let about = fs::read_to_string("/proc/meminfo").ok()?;
    let total = about.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The memory of an adapter in bytes, where its driver is one of Vulkan: that which is nearest to it.
#[cfg(feature = "wgpu")]
pub(crate) fn of_adapter(adapter: &wgpu::Adapter) -> Option<u64> {
    #[expect(unsafe_code, reason = "wgpu does not ask its drivers for this")]
    // SAFETY: the adapter is borrowed, and nothing of it is destroyed.
    let adapter = unsafe { adapter.as_hal::<hal::api::Vulkan>() }?;
    let (gpu, instance) = (adapter.raw_physical_device(), adapter.shared_instance().raw_instance());
    #[expect(unsafe_code, reason = "as above")]
    // SAFETY: the GPU is one of this instance, and the adapter keeps both.
    let memory = unsafe { instance.get_physical_device_memory_properties(gpu) };
    let heaps = memory.memory_heaps_as_slice().iter();
    heaps.filter(|heap| heap.flags.as_raw() & DEVICE_LOCAL != 0).map(|heap| heap.size).max()
}

/// What Vulkan says of memory that is the GPU's own: `VK_MEMORY_HEAP_DEVICE_LOCAL_BIT`.
#[cfg(feature = "wgpu")]
const DEVICE_LOCAL: u32 = 1;
