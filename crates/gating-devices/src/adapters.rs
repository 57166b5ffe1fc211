//! The adapters that the drivers of Vulkan, Metal and DX12 have.

use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use burn::tensor::wgpu::wgpu::{
    self, AdapterInfo, Backend, DeviceType, Instance, InstanceDescriptor,
};
use burn::tensor::wgpu::{WgpuBackend, WgpuSetup};
use burn::tensor::{Device, DeviceKind};

use crate::{About, DeviceError, DeviceFamily, DeviceName};

/// The interfaces of drivers, the best first, and their names in Burn.
const INTERFACES: [(Backend, WgpuBackend); 4] = [
    (Backend::Vulkan, WgpuBackend::Vulkan),
    (Backend::Metal, WgpuBackend::Metal),
    (Backend::Dx12, WgpuBackend::Dx12),
    (Backend::Gl, WgpuBackend::Gl),
];

/// What each interface has. Asked once: loaders of drivers crash where interfaces come and go on
/// several threads.
static FOUND: LazyLock<Vec<(WgpuBackend, Vec<AdapterInfo>)>> = LazyLock::new(|| {
    INTERFACES.into_iter().map(|(backend, interface)| (interface, ask(backend))).collect()
});

/// The adapters that names count: those of the first interface with a GPU, and without one those of
/// the first with any.
fn adapters(family: DeviceFamily) -> Option<(WgpuBackend, &'static [AdapterInfo])> {
    let is_taken =
        |interface: WgpuBackend| family != DeviceFamily::Vulkan || interface == WgpuBackend::Vulkan;
    let found = || FOUND.iter().filter(|(interface, _)| is_taken(*interface));
    let has_gpu =
        |adapters: &[AdapterInfo]| adapters.iter().any(|adapter| !computes_on_cpu(adapter));
    let first = found().find(|(_, adapters)| has_gpu(adapters));
    let first = first.or_else(|| found().find(|(_, adapters)| !adapters.is_empty()));
    first.map(|(interface, adapters)| (*interface, adapters.as_slice()))
}

fn computes_on_cpu(adapter: &AdapterInfo) -> bool {
    adapter.device_type == DeviceType::Cpu
}

fn ask(backend: Backend) -> Vec<AdapterInfo> {
    if !Instance::enabled_backend_features().contains(backend.into()) {
        return Vec::new();
    }
    let instance = Instance::new(InstanceDescriptor {
        backends: backend.into(),
        ..InstanceDescriptor::new_without_display_handle()
    });
    let adapters = pin!(instance.enumerate_adapters(backend.into()));
    match adapters.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(adapters) => adapters.iter().map(wgpu::Adapter::get_info).collect(),
        Poll::Pending => unreachable!("outside of a browser, adapters are listed at once"),
    }
}

pub(crate) fn found(family: DeviceFamily) -> Vec<DeviceName> {
    let count = adapters(family).map_or(0, |(_, adapters)| adapters.len());
    (0..count)
        .filter_map(|index| u16::try_from(index).ok())
        .map(|index| named(family, index))
        .collect()
}

fn named(family: DeviceFamily, index: u16) -> DeviceName {
    match family {
        DeviceFamily::Vulkan => DeviceName::Vulkan(Some(index)),
        _ => DeviceName::Wgpu(Some(index)),
    }
}

/// The best adapter: a GPU of its own, then one in the processor, then any, and as the driver
/// orders them among equals.
pub(crate) fn best(name: DeviceName) -> Result<DeviceName, DeviceError> {
    let rank = |adapter: &AdapterInfo| match adapter.device_type {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    };
    let (_, adapters) = adapters(name.family()).ok_or_else(|| none(name))?;
    let best = adapters.iter().enumerate().min_by_key(|(_, adapter)| rank(adapter));
    let index = best.and_then(|(index, _)| u16::try_from(index).ok()).ok_or_else(|| none(name))?;
    Ok(named(name.family(), index))
}

/// Whether the adapter only stands in for a GPU; also where there is none.
pub(crate) fn is_software(name: DeviceName) -> bool {
    let adapters = adapters(name.family()).map(|(_, adapters)| adapters).unwrap_or_default();
    adapters.get(index(name)).is_none_or(computes_on_cpu)
}

fn index(name: DeviceName) -> usize {
    match name {
        DeviceName::Wgpu(index) | DeviceName::Vulkan(index) => usize::from(index.unwrap_or(0)),
        _ => 0,
    }
}

fn none(name: DeviceName) -> DeviceError {
    let expected = match name.family() {
        DeviceFamily::Vulkan => "Vulkan",
        _ => "Vulkan, Metal or DX12",
    };
    DeviceError::NoAdapter { name, found: format!("no driver of {expected} answers") }
}

pub(crate) fn init(name: DeviceName) -> Result<(Device, About), DeviceError> {
    let (interface, adapters) = adapters(name.family()).ok_or_else(|| none(name))?;
    let Some(adapter) = adapters.get(index(name)) else {
        let list = adapters.iter().map(|adapter| adapter.name.as_str()).collect::<Vec<_>>();
        let found = format!("there are {}, numbered from 0: {}", list.len(), list.join(", "));
        return Err(DeviceError::NoAdapter { name, found });
    };
    if computes_on_cpu(adapter) && cfg!(feature = "vulkan") {
        return Err(DeviceError::Software { name, adapter: adapter.name.clone() });
    }
    let before = adapters[..index(name)].iter();
    let place = before.filter(|other| other.device_type == adapter.device_type).count();
    let kind = match adapter.device_type {
        DeviceType::DiscreteGpu => DeviceKind::DiscreteGpu(place),
        DeviceType::IntegratedGpu => DeviceKind::IntegratedGpu(place),
        DeviceType::VirtualGpu => DeviceKind::VirtualGpu(place),
        DeviceType::Cpu => DeviceKind::Cpu,
        DeviceType::Other => {
            let said = format!("`{}` does not say what it is", adapter.name);
            return Err(DeviceError::Open { name, said });
        }
    };
    let options = Device::wgpu_options().device_kind(kind).graphics_api(interface);
    let opened = options.init_with_setup();
    let (device, setup) =
        opened.map_err(|error| DeviceError::Open { name, said: error.to_string() })?;
    Ok((device, about(&setup)))
}

fn about(setup: &WgpuSetup) -> About {
    let (adapter, limits) = (setup.adapter.get_info(), setup.device.limits());
    let driver = format!("{} {}", adapter.driver, adapter.driver_info);
    About {
        is_software: computes_on_cpu(&adapter),
        driver: Some(format!("{:?}, {}", adapter.backend, driver.trim())),
        name: adapter.name,
        memory: None,
        max_tensor: Some(limits.max_storage_buffer_binding_size.min(limits.max_buffer_size)),
    }
}
