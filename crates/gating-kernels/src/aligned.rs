//! Numbers that begin at the start of a cache line.

use crate::pages::prefer_large_pages;

/// How many f32 a cache line holds.
const LINE: usize = 16;

/// A vector whose first number lies at the start of a cache line.
#[derive(Debug)]
pub(crate) struct Aligned {
    buffer: Vec<f32>,
    start: usize,
    length: usize,
}

impl Aligned {
    pub(crate) fn zeros(length: usize) -> Self {
        let mut buffer = vec![0.0; length + LINE];
        prefer_large_pages(&mut buffer);
        // Where no offset is known, as under an interpreter, alignment is only a matter of speed.
        let start = buffer.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
        Self { buffer, start, length }
    }

    pub(crate) fn as_slice(&self) -> &[f32] {
        &self.buffer[self.start..self.start + self.length]
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.buffer[self.start..self.start + self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_begins_a_line() {
        for length in [0, 1, 15, 16, 17, 100] {
            let mut numbers = Aligned::zeros(length);
            assert_eq!(numbers.as_slice(), vec![0.0_f32; length]);
            assert_eq!(numbers.as_mut_slice().len(), length);
            if cfg!(not(miri)) {
                assert_eq!(numbers.as_slice().as_ptr().addr() % 64, 0, "{length}");
            }
        }
    }
}
