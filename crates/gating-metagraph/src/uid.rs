//! The number of a worker in its network.

use std::fmt;
use std::num::TryFromIntError;

/// The number of a worker in its network: the row of the head that scores it.
///
/// A subnet numbers its workers from 0 without gaps, so a uid is also an index.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Uid(u16);

impl Uid {
    /// How many uids there can be.
    pub const COUNT: usize = u16::MAX as usize + 1;

    /// The uid with this number.
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// The number itself.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// The number as an index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl From<u16> for Uid {
    fn from(number: u16) -> Self {
        Self(number)
    }
}

impl TryFrom<usize> for Uid {
    type Error = TryFromIntError;

    fn try_from(index: usize) -> Result<Self, Self::Error> {
        u16::try_from(index).map(Self)
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
