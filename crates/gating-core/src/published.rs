//! A value that many read while one replaces it.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A value that many read while one replaces it: readers keep the value that they got, and get it
/// without waiting for the next one to be made.
#[derive(Debug)]
pub(crate) struct Published<T>(Mutex<Arc<T>>);

impl<T> Published<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(Arc::new(value)))
    }

    /// The newest value.
    pub(crate) fn get(&self) -> Arc<T> {
        Arc::clone(&self.lock())
    }

    /// The newest value, to be changed by the one who has it alone. Where a reader kept it, it stays
    /// as it is for them.
    pub(crate) fn get_mut(&mut self) -> &mut T
    where
        T: Clone,
    {
        Arc::make_mut(self.0.get_mut().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a newer value in place of the newest.
    pub(crate) fn replace(&self, value: T) {
        let newest = Arc::new(value);
        // What may be the last of the older value is dropped when the lock is open again.
        let older = mem::replace(&mut *self.lock(), newest);
        drop(older);
    }

    /// The lock is held for as long as a pointer is copied.
    fn lock(&self) -> MutexGuard<'_, Arc<T>> {
        // A pointer is whole at any time, whatever a thread that held the lock ended with.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
