//! The adapters that the drivers of Vulkan, Metal and DX12 have.

use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use burn::tensor::wgpu::wgpu::{
    self, AdapterInfo, Backend, DeviceType, Instance, InstanceDescriptor,
};
use burn::tensor::wgpu::{WgpuBackend, WgpuSetup};
use burn::tensor::{Device, DeviceKind};

use crate::{About, DeviceError, DeviceFamily, DeviceName, guarded, memory};

/// The interfaces of drivers, the best first, and their names in Burn.
const INTERFACES: [(Backend, WgpuBackend); 3] = [
    (Backend::Vulkan, WgpuBackend::Vulkan),
    (Backend::Metal, WgpuBackend::Metal),
    (Backend::Dx12, WgpuBackend::Dx12),
];

/// An adapter that can be opened, and how Burn counts it.
#[derive(Debug)]
struct Adapter {
    info: AdapterInfo,
    kind: DeviceKind,
}

/// What each interface has. Asked once: loaders of drivers crash where interfaces come and go on
/// several threads.
static FOUND: LazyLock<Vec<(WgpuBackend, Vec<Adapter>)>> = LazyLock::new(|| {
    // A loader that panics has no adapter.
    let ask = |backend| guarded(|| ask(backend)).unwrap_or_default();
    INTERFACES.into_iter().map(|(backend, interface)| (interface, ask(backend))).collect()
});

fn ask(backend: Backend) -> Vec<Adapter> {
    if !Instance::enabled_backend_features().contains(backend.into()) {
        return Vec::new();
    }
    let instance = Instance::new(InstanceDescriptor {
        backends: backend.into(),
        ..InstanceDescriptor::new_without_display_handle()
    });
    let adapters = pin!(instance.enumerate_adapters(backend.into()));
    let Poll::Ready(adapters) = adapters.poll(&mut Context::from_waker(Waker::noop())) else {
        unreachable!("outside of a browser, adapters are listed at once")
    };
    let infos: Vec<AdapterInfo> = adapters.iter().map(wgpu::Adapter::get_info).collect();
    let types: Vec<DeviceType> = infos.iter().map(|info| info.device_type).collect();
    let adapters = infos.into_iter().zip(kinds(&types));
    adapters.filter_map(|(info, kind)| Some(Adapter { info, kind: kind? })).collect()
}

/// How Burn counts adapters of these types: each type from 0 on. Of those on the processor it knows
/// the first alone, and none of those that do not say what they are.
fn kinds(types: &[DeviceType]) -> Vec<Option<DeviceKind>> {
    let kind = |(index, found): (usize, &DeviceType)| {
        let place = types[..index].iter().filter(|other| *other == found).count();
        match found {
            DeviceType::DiscreteGpu => Some(DeviceKind::DiscreteGpu(place)),
            DeviceType::IntegratedGpu => Some(DeviceKind::IntegratedGpu(place)),
            DeviceType::VirtualGpu => Some(DeviceKind::VirtualGpu(place)),
            DeviceType::Cpu => (place == 0).then_some(DeviceKind::Cpu),
            DeviceType::Other => None,
        }
    };
    types.iter().enumerate().map(kind).collect()
}

/// The order in which adapters are taken: a GPU of its own, one in the processor, one that is
/// shared, and what only stands in for one.
fn rank(kind: &DeviceKind) -> u8 {
    match kind {
        DeviceKind::DiscreteGpu(_) => 0,
        DeviceKind::IntegratedGpu(_) => 1,
        DeviceKind::VirtualGpu(_) => 2,
        _ => 3,
    }
}

fn is_gpu(adapter: &Adapter) -> bool {
    adapter.kind != DeviceKind::Cpu
}

/// The adapters that names count: those of the first interface with a GPU, and without one those of
/// the first with any.
fn adapters(family: DeviceFamily) -> Option<(WgpuBackend, &'static [Adapter])> {
    let is_taken =
        |interface: WgpuBackend| family != DeviceFamily::Vulkan || interface == WgpuBackend::Vulkan;
    let found = || FOUND.iter().filter(|(interface, _)| is_taken(*interface));
    let first = found().find(|(_, adapters)| adapters.iter().any(is_gpu));
    let first = first.or_else(|| found().find(|(_, adapters)| !adapters.is_empty()));
    first.map(|(interface, adapters)| (*interface, adapters.as_slice()))
}

/// The adapters by name, but for those that this build always refuses, and for those that have a
/// name of Vulkan already.
pub(crate) fn found(family: DeviceFamily) -> Vec<DeviceName> {
    let Some((interface, adapters)) = adapters(family) else { return Vec::new() };
    if family == DeviceFamily::Wgpu && is_spirv(interface) {
        return Vec::new();
    }
    let usable = adapters.iter().enumerate();
    let usable = usable.filter(|(_, adapter)| is_gpu(adapter) || !is_spirv(interface));
    let names = usable.filter_map(|(index, _)| u16::try_from(index).ok());
    names.map(|index| named(family, index)).collect()
}

/// Whether shaders are in SPIR-V there: with the feature `vulkan`, for both families.
fn is_spirv(interface: WgpuBackend) -> bool {
    cfg!(feature = "vulkan") && interface == WgpuBackend::Vulkan
}

/// The one name of an adapter that has two.
pub(crate) fn only(name: DeviceName) -> DeviceName {
    match (name, adapters(name.family())) {
        (DeviceName::Wgpu(index), Some((interface, _))) if is_spirv(interface) => {
            DeviceName::Vulkan(index)
        }
        _ => name,
    }
}

fn named(family: DeviceFamily, index: u16) -> DeviceName {
    match family {
        DeviceFamily::Vulkan => DeviceName::Vulkan(Some(index)),
        _ => DeviceName::Wgpu(Some(index)),
    }
}

/// The best adapter.
pub(crate) fn best(name: DeviceName) -> Result<DeviceName, DeviceError> {
    let (_, adapters) = adapters(name.family()).ok_or_else(|| none(name))?;
    let best = adapters.iter().enumerate().min_by_key(|(_, adapter)| rank(&adapter.kind));
    let index = best.and_then(|(index, _)| u16::try_from(index).ok()).ok_or_else(|| none(name))?;
    Ok(named(name.family(), index))
}

/// The best adapter that is a GPU.
pub(crate) fn best_gpu(family: DeviceFamily) -> Option<DeviceName> {
    let (_, adapters) = adapters(family)?;
    adapters.iter().any(is_gpu).then(|| best(named(family, 0)).ok())?
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
        let list = adapters.iter().map(|adapter| adapter.info.name.as_str()).collect::<Vec<_>>();
        let found = format!("there are {}, numbered from 0: {}", list.len(), list.join(", "));
        return Err(DeviceError::NoAdapter { name, found });
    };
    if !is_gpu(adapter) && is_spirv(interface) {
        return Err(DeviceError::Software { name, adapter: adapter.info.name.clone() });
    }
    let kind = adapter.kind.clone();
    let options = || Device::wgpu_options().device_kind(kind).graphics_api(interface);
    let refused = |said: String| DeviceError::Open { name, said };
    let opened = guarded(|| options().init_with_setup());
    let opened = opened.map_err(|error| refused(error.to_string()))?;
    let (device, setup) = opened.map_err(|error| refused(error.to_string()))?;
    let found = setup.adapter.get_info();
    let identity = |info: &AdapterInfo| (info.name.clone(), info.vendor, info.device);
    if identity(&found) != identity(&adapter.info) {
        return Err(refused(format!("it is {} now, and was {}", found.name, adapter.info.name)));
    }
    Ok((device, about(&setup)))
}

fn about(setup: &WgpuSetup) -> About {
    let (adapter, limits) = (setup.adapter.get_info(), setup.device.limits());
    let driver = format!("{} {}", adapter.driver, adapter.driver_info);
    About {
        is_software: adapter.device_type == DeviceType::Cpu,
        driver: Some(format!("{:?}, {}", adapter.backend, driver.trim())),
        name: adapter.name,
        memory: memory::of_adapter(&setup.adapter),
        max_tensor: Some(limits.max_storage_buffer_binding_size.min(limits.max_buffer_size)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adapters_are_counted_by_type() {
        use DeviceType::{Cpu, DiscreteGpu, IntegratedGpu, Other};
        let found = kinds(&[IntegratedGpu, DiscreteGpu, Other, Cpu, DiscreteGpu, Cpu]);
        let expected = [
            Some(DeviceKind::IntegratedGpu(0)),
            Some(DeviceKind::DiscreteGpu(0)),
            None,
            Some(DeviceKind::Cpu),
            Some(DeviceKind::DiscreteGpu(1)),
            None,
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_gpu_of_its_own_comes_first() {
        let kinds = [DeviceKind::Cpu, DeviceKind::IntegratedGpu(0), DeviceKind::DiscreteGpu(3)];
        assert_eq!(kinds.iter().min_by_key(|kind| rank(kind)), Some(&DeviceKind::DiscreteGpu(3)));
        assert_eq!(kinds.iter().max_by_key(|kind| rank(kind)), Some(&DeviceKind::Cpu));
    }
}
