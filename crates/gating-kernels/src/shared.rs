//! Memory that several threads write, each its own part.

#![expect(unsafe_code, reason = "the borrow checker sees one slice, not the parts of it")]

use std::marker::PhantomData;
use std::{ptr, slice};

/// Numbers that several threads write, each its own part.
///
/// It holds a pointer and never a slice of them all: no two threads have a reference to the same
/// number, and none has one to memory that holds no number yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shared<'a> {
    first: *mut f32,
    length: usize,
    borrow: PhantomData<&'a mut [f32]>,
}

// SAFETY: it is a pointer and a length. Numbers are reached through it in unsafe code alone, whose
// author promises that no other thread touches them.
unsafe impl Send for Shared<'_> {}
// SAFETY: as above.
unsafe impl Sync for Shared<'_> {}

impl<'a> Shared<'a> {
    pub(crate) fn new(numbers: &'a mut [f32]) -> Self {
        Self { first: numbers.as_mut_ptr(), length: numbers.len(), borrow: PhantomData }
    }

    /// The memory that a vector has to spare, and holds no numbers yet.
    pub(crate) fn spare(vector: &'a mut Vec<f32>) -> Self {
        let spare = vector.spare_capacity_mut();
        Self { first: spare.as_mut_ptr().cast(), length: spare.len(), borrow: PhantomData }
    }

    /// Writes numbers from `start` on.
    ///
    /// # Panics
    ///
    /// When they go past the end.
    ///
    /// # Safety
    ///
    /// No other thread touches the numbers from `start` on, as many as `values` has, meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn store(self, start: usize, values: &[f32]) {
        self.check(start, values.len());
        // SAFETY: the numbers lie inside, nobody else touches them, and `values`, which is borrowed
        // beside the exclusive borrow that this was made of, lies elsewhere.
        unsafe { ptr::copy_nonoverlapping(values.as_ptr(), self.first.add(start), values.len()) }
    }

    /// Adds to the numbers from `start` on.
    ///
    /// # Panics
    ///
    /// When there are not so many.
    ///
    /// # Safety
    ///
    /// As for [`Shared::store`]; and what is added to was written before.
    #[inline(always)]
    pub(crate) unsafe fn add(self, start: usize, values: &[f32]) {
        self.check(start, values.len());
        // SAFETY: the numbers lie inside, were written, and nobody else touches them.
        let sums = unsafe { slice::from_raw_parts_mut(self.first.add(start), values.len()) };
        sums.iter_mut().zip(values).for_each(|(sum, &value)| *sum += value);
    }

    /// Where the numbers from `start` on lie. Whoever reads or writes there makes the promises of
    /// [`Shared::store`] and [`Shared::add`].
    ///
    /// # Panics
    ///
    /// When there are not so many.
    #[inline(always)]
    pub(crate) fn part(self, start: usize, length: usize) -> *mut f32 {
        self.check(start, length);
        self.first.wrapping_add(start)
    }

    #[inline(always)]
    fn check(self, start: usize, length: usize) {
        assert!(start <= self.length && length <= self.length - start, "a part lies inside");
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn parts_are_written_and_added_to() {
        let mut numbers = vec![1.0, 2.0, 3.0];
        let shared = Shared::new(&mut numbers);
        // SAFETY: there is one thread.
        unsafe {
            shared.store(0, &[5.0]);
            shared.add(1, &[1.0, 1.0]);
            shared.store(3, &[]);
        }
        assert_eq!(numbers, [5.0, 3.0, 4.0]);
    }

    #[test]
    fn memory_to_spare_is_filled() {
        let mut numbers = Vec::with_capacity(2);
        let shared = Shared::spare(&mut numbers);
        // SAFETY: there is one thread, and both numbers are written.
        unsafe {
            shared.store(0, &[1.0]);
            shared.store(1, &[2.0]);
            numbers.set_len(2);
        }
        assert_eq!(numbers, [1.0, 2.0]);
    }

    #[test]
    fn what_goes_past_the_end_is_refused() {
        for start in [2, 3, 4, usize::MAX] {
            let write = || {
                let mut numbers = [0.0; 3];
                // SAFETY: there is one thread.
                unsafe { Shared::new(&mut numbers).store(start, &[0.0; 2]) };
            };
            catch_unwind(write).expect_err("two numbers go past the end");
            let add = || {
                let mut numbers = [0.0; 3];
                // SAFETY: there is one thread.
                unsafe { Shared::new(&mut numbers).add(start, &[0.0; 2]) };
            };
            catch_unwind(add).expect_err("two numbers go past the end");
            let part = || Shared::new(&mut [0.0; 3]).part(start, 2);
            catch_unwind(part).expect_err("two numbers go past the end");
        }
    }
}
