//! What the driver of CUDA tells of a GPU, whatever library computes on it.

#![expect(unsafe_code, reason = "a driver is asked through its C interface")]

use cudarc::driver::DriverError;
use cudarc::driver::result::{self, device};

use crate::{About, guarded};

/// Name and memory of a GPU by its number in CUDA; where no driver tells, its number is its name.
pub(crate) fn about(index: u16) -> About {
    // To ask for a driver that is not there is a panic.
    let told = guarded(|| ask(index).ok()).ok().flatten();
    let (name, memory) = told.unzip();
    About { name: name.unwrap_or_else(|| format!("GPU {index}")), memory, ..About::default() }
}

fn ask(index: u16) -> Result<(String, u64), DriverError> {
    result::init()?;
    let gpu = device::get(i32::from(index))?;
    // SAFETY: the driver has just told of this GPU.
    let memory = unsafe { device::total_mem(gpu) }?;
    Ok((device::get_name(gpu)?, memory as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_driver_tells_of_is_called_by_its_number() {
        let expected = About { name: "GPU 65535".to_owned(), ..About::default() };
        assert_eq!(about(u16::MAX), expected);
    }
}
