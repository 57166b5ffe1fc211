//! The wish of a user, or of the system, that a command ends.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::failure::Failure;

/// How long an interrupt may go unnoticed.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// For how long further signals are the same wish: a wrapper may pass on what the terminal has sent already.
const ONE_WISH: Duration = Duration::from_millis(500);

/// Becomes true when the user, or the system, asks for the end.
#[derive(Debug)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from here on. Who asks again later gets the end at once; no file is ever half written.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let (asked, again) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        for signal in [SIGINT, SIGTERM] {
            flag::register_conditional_shutdown(signal, 1, Arc::clone(&again))
                .and_then(|_| flag::register(signal, Arc::clone(&asked)))
                .map_err(|error| Failure::file(Path::new("signals"), error))?;
        }
        let interrupt = Self(asked);
        let first = Self(Arc::clone(&interrupt.0));
        let wait = move || {
            while !first.is_asked() {
                thread::sleep(TICK);
            }
            thread::sleep(ONE_WISH);
            again.store(true, Ordering::Relaxed);
        };
        thread::Builder::new()
            .spawn(wait)
            .map_err(|error| Failure::file(Path::new("a thread"), error))?;
        Ok(interrupt)
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
