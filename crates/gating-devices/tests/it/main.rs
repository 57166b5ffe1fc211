//! Devices by name, on whatever this machine has.

use std::env;

use burn::tensor::Tensor;
use gating_devices::{DeviceError, DeviceFamily, DeviceName, Opened, choose, found, guarded, open};

/// The devices that `GATING_DEVICES` names, which must answer, or those that are found.
fn devices() -> Vec<Opened> {
    let names = match env::var("GATING_DEVICES") {
        Ok(names) => {
            let parse = |name: &str| name.parse().expect("the variable holds names of devices");
            names.split(',').map(parse).collect()
        }
        Err(_) => found(),
    };
    names.into_iter().map(|name| open(name).expect("the device answers")).collect()
}

#[test]
fn every_device_computes() {
    for opened in devices() {
        let ones = Tensor::<2>::ones([3, 5], &opened.device);
        let product = guarded(|| ones.clone().matmul(ones.transpose()).try_into_vec_as::<f32>());
        let product = product.expect("nothing panics").expect("the device answers");
        assert_eq!(product, [5.0; 9], "{}", opened.name);
        assert!(!opened.about.name.is_empty(), "{}", opened.name);
    }
}

/// Each of the drivers that there are on Linux tells both.
#[test]
#[cfg(target_os = "linux")]
fn name_and_memory_are_told() {
    for opened in devices() {
        assert!(!opened.about.name.starts_with("GPU "), "{opened:?}");
        assert!(opened.about.memory.is_some_and(|memory| memory > 1 << 20), "{opened:?}");
    }
}

/// A name without a number is that of one with a number, and the same device.
#[test]
fn a_device_has_one_name() {
    for opened in devices() {
        let again = open(opened.name).expect("it answered before");
        assert_eq!((again.name, &again.about), (opened.name, &opened.about));
        assert!(again.device == opened.device, "{}", opened.name);
        assert!(found().contains(&opened.name), "{}", opened.name);
    }
}

#[test]
fn what_a_device_cannot_do_is_an_error() {
    for opened in devices() {
        let wrong = || {
            let left = Tensor::<2>::ones([2, 3], &opened.device);
            left.matmul(Tensor::<2>::ones([2, 3], &opened.device)).try_into_vec_as::<f32>()
        };
        let error = guarded(wrong).map(|_| ()).expect_err("3 columns do not meet 2 rows");
        assert!(matches!(error, DeviceError::Failed { .. }), "{error}");
        // It goes on.
        let ones = guarded(|| Tensor::<1>::ones([2], &opened.device).try_into_vec_as::<f32>());
        assert_eq!(ones.expect("nothing panics").expect("the device answers"), [1.0, 1.0]);
    }
}

#[test]
fn a_device_that_is_not_there_is_told_with_what_is() {
    let check = |name: &str| {
        let name: DeviceName = name.parse().expect("the name is known");
        let error = open(name).expect_err("no machine has so many");
        let is_right = match (&error, DeviceFamily::COMPILED.contains(&name.family())) {
            (DeviceError::NotCompiled { .. }, is_compiled) => !is_compiled,
            (DeviceError::NoAdapter { found, .. } | DeviceError::NoCuda { found, .. }, _) => {
                !found.is_empty()
            }
            _ => false,
        };
        assert!(is_right, "{error}");
        assert!(error.to_string().contains(&format!("`{name}`")), "{error}");
        assert!(!error.advice().is_empty());
    };
    ["cuda:65535", "burn:cuda:65535", "wgpu:65535", "vulkan:65535"].into_iter().for_each(check);
}

#[test]
fn the_chosen_device_is_no_driver_that_stands_in_for_a_gpu() {
    match choose() {
        Ok(choice) => {
            assert!(!choice.reason.is_empty());
            assert!(!choice.opened.about.is_software, "{:?}", choice.opened);
        }
        Err(error) => {
            let nothing = DeviceFamily::COMPILED.is_empty();
            let has_processor = [DeviceFamily::Flex, DeviceFamily::LibTorch]
                .iter()
                .any(|family| DeviceFamily::COMPILED.contains(family));
            assert!(!has_processor, "{error}");
            assert!(nothing == matches!(error, DeviceError::None), "{error}");
        }
    }
}

/// More than a device has, or than one tensor can have: the library's own message comes through, with what to do.
#[test]
#[cfg(any(feature = "cuda", feature = "libtorch", feature = "wgpu"))]
fn missing_memory_of_a_device_is_an_error() {
    for opened in devices() {
        if opened.name == DeviceName::Cpu {
            continue; // The allocator of Rust ends the process.
        }
        // More addresses than a system gives, and more than a binding of shaders can have.
        let is_libtorch = opened.name.family() == DeviceFamily::LibTorch;
        let size = if is_libtorch { 1_usize << 50 } else { 1 << 32 };
        let huge = || Tensor::<1>::zeros([size], &opened.device).try_into_vec_as::<f32>();
        let error = match guarded(huge) {
            Ok(read) => DeviceError::failed(read.expect_err("no device has so much")),
            Err(error) => error,
        };
        println!("{}: {error}", opened.name);
        assert!(error.advice().contains("memory"), "{}: {error}", opened.name);
    }
}
