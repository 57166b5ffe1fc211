//! The devices that are compared.

use std::env;

use gating_devices::{DeviceError, DeviceName, Opened, found, open};

/// The environment variable that names the devices to compare, separated by commas.
const DEVICES: &str = "GATING_DEVICES";

/// The most tokens of a batch on a processor, and on a driver that only stands in for a GPU: more
/// would take minutes and tell nothing new.
const PROCESSOR_TOKENS: usize = 2048;
const SOFTWARE_TOKENS: usize = 64;

/// The devices that `GATING_DEVICES` names; where it is not set, all that are compiled in, found and
/// answer.
///
/// # Errors
///
/// When a name is unknown, or a device that was named cannot be opened.
pub fn devices() -> Result<Vec<Opened>, DeviceError> {
    match env::var(DEVICES).as_deref() {
        Err(_) | Ok("") => Ok(answering()),
        Ok(names) => named(names),
    }
}

fn named(names: &str) -> Result<Vec<Opened>, DeviceError> {
    names.split(',').map(|name| open(name.trim().parse()?)).collect()
}

#[expect(clippy::print_stderr, reason = "who compares devices is told which are left out")]
fn answering() -> Vec<Opened> {
    let opened = |name| open(name).inspect_err(|error| eprintln!("left out: {error}"));
    found().into_iter().filter_map(|name| opened(name).ok()).collect()
}

/// How many tokens a batch may have for this device.
#[must_use]
pub fn most_tokens(opened: &Opened) -> usize {
    match opened.name {
        DeviceName::Cpu | DeviceName::LibTorch => PROCESSOR_TOKENS,
        _ if opened.about.is_software => SOFTWARE_TOKENS,
        _ => usize::MAX,
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;

    #[test]
    fn devices_are_named() {
        let opened = named("cpu").expect("it is compiled in");
        assert_eq!(opened.len(), 1);
        assert_eq!(opened[0].name, DeviceName::Cpu);
        assert_eq!(most_tokens(&opened[0]), PROCESSOR_TOKENS);
    }

    #[test]
    fn a_device_that_was_named_must_answer() {
        let check = |names: &str, expected: &str| {
            let error = named(names).expect_err("one cannot be had").to_string();
            assert!(error.contains(expected), "{error}");
        };
        check("cpu,gpu", "found `gpu`");
        check("cpu,", "found ``");
        check("cpu,cuda:999", "`libtorch:cuda:999` is not ");
    }
}
