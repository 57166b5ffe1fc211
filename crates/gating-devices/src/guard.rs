//! Panics of the libraries below, as errors.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};

use crate::DeviceError;

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Runs work on a device, and makes an error of a panic: Burn has no other way to say that a device
/// ran out of memory, was lost or cannot compute something.
///
/// What the work was about to make is lost, and nothing else: it must not leave half of a change
/// behind in what it borrows.
///
/// # Errors
///
/// [`DeviceError::Failed`] with the first line of what the panic says.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, DeviceError> {
    DEPTH.set(DEPTH.get() + 1);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    result.map_err(|payload| {
        let said = payload.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| payload.downcast_ref::<&str>().copied());
        DeviceError::Failed { said: first_line(said.unwrap_or("it says nothing")) }
    })
}

/// Whether this thread is in [`guarded`], so that a panic hook has nothing to print.
#[must_use]
pub fn is_guarded() -> bool {
    DEPTH.get() > 0
}

/// What a library says in a line, without the backtrace that some put after it, and without what
/// `unwrap` and the types of errors put before it.
fn first_line(said: &str) -> String {
    let said = said.strip_prefix("called `Result::unwrap()` on an `Err` value: ").unwrap_or(said);
    let said = said.strip_prefix("Torch(\"").unwrap_or(said).trim();
    said.lines().next().unwrap_or_default().split("\\n").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `tch` has it.
    #[derive(Debug)]
    struct Torch(#[expect(dead_code, reason = "only Debug prints it")] &'static str);

    #[test]
    fn panics_are_errors() {
        assert_eq!(guarded(|| 1).expect("nothing fails"), 1);
        let number = 7;
        let error = guarded(|| {
            assert!(is_guarded());
            panic!("out of memory: {number}\nframe #0")
        });
        let error = error.map(|(): ()| ()).expect_err("it panics");
        assert_eq!(error.to_string(), "the device failed: out of memory: 7");
        assert!(!is_guarded());
        let unwrap = || Err::<(), _>(Torch("no room\nframe #0")).unwrap();
        assert_eq!(
            guarded(unwrap).expect_err("it panics").to_string(),
            "the device failed: no room"
        );
    }
}
