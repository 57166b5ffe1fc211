//! Opens the CPU by its name, and is told which devices it has to do without.
//!
//! `gating-devices` is the only crate of ours here. Its feature `flex` compiles the CPU in; a program without it still
//! knows the names of devices, and says what it lacks.

use std::error::Error;
use std::panic;

use burn::tensor::Tensor;
use gating_devices::{DeviceError, Opened, found, guarded, is_guarded, open};

fn main() -> Result<(), Box<dyn Error>> {
    println!("devices here: {:?}", found());

    // Nothing falls back to another device: one that cannot be had is an error, with what to do.
    let error = open("cuda:1".parse()?).expect_err("LibTorch is not compiled in");
    println!("{error}; {}", error.advice());
    assert!(matches!(error, DeviceError::NotCompiled { .. }));

    match open("cpu".parse()?) {
        Ok(cpu) => compute(&cpu),
        Err(error) if cfg!(not(feature = "flex")) => {
            println!("{error}; {}", error.advice());
            assert!(found().is_empty());
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Whatever makes tensors takes the device that was opened.
fn compute(cpu: &Opened) -> Result<(), Box<dyn Error>> {
    println!("{} is {}", cpu.name, cpu.about.name);
    let row = || Tensor::<2>::from_floats([[1.0, 2.0, 3.0]], &cpu.device);

    // Burn says by a panic that a device fails, or cannot do something; here that is an error, of which
    // the hook for panics has nothing to print.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !is_guarded() {
            hook(info)
        }
    }));
    let square = guarded(|| row().matmul(row().transpose()).into_scalar::<f32>())?;
    assert_eq!(square, 14.0);
    let error = guarded(|| row().matmul(row())).expect_err("a row has no product with a row");
    println!("{error}");
    Ok(())
}
