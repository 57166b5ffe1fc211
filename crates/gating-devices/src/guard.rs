//! Panics of the libraries below, as errors.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::DeviceError;

/// The begin of the names of the threads on which Burn lets shaders' drivers work.
const RUNNERS: [&str; 2] = ["DSU-", "DSD-"];

/// How many threads wait for such work.
static WAITING: AtomicUsize = AtomicUsize::new(0);

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
/// [`DeviceError::Failed`] with what the panic says.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, DeviceError> {
    DEPTH.set(DEPTH.get() + 1);
    WAITING.fetch_add(1, Ordering::Relaxed);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    WAITING.fetch_sub(1, Ordering::Relaxed);
    DEPTH.set(DEPTH.get() - 1);
    result.map_err(|payload| {
        let said = payload.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| payload.downcast_ref::<&str>().copied());
        DeviceError::failed(said.unwrap_or("it says nothing"))
    })
}

/// Whether this thread is in [`guarded`], or works for one that is, so that a panic hook has nothing
/// to print.
#[must_use]
pub fn is_guarded() -> bool {
    let thread = thread::current();
    let is_runner =
        thread.name().is_some_and(|name| RUNNERS.iter().any(|begin| name.starts_with(begin)));
    DEPTH.get() > 0 || (is_runner && WAITING.load(Ordering::Relaxed) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
