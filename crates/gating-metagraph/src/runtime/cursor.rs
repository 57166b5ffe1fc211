//! A cursor over SCALE, the chain's binary encoding, that trusts no byte.

use super::error::{DecodeError, DecodeProblem};
use super::shape::Shape;
use crate::Uid;

/// What reading gives.
pub(super) type Read<T> = Result<T, DecodeError>;

/// A place in bytes that nobody vouches for. What fails names the place and leaves nothing read.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// How many bytes were read.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// How many bytes are left.
    pub(super) fn remaining(&self) -> usize {
        self.bytes.len() - self.offset
    }

    /// Refuses what follows.
    pub(super) fn end(&self) -> Read<()> {
        match self.remaining() {
            0 => Ok(()),
            found => Err(DecodeError::new(self.offset, DecodeProblem::Trailing { found })),
        }
    }

    /// Passes over the length of a list of bytes that is all there is; whether there was one.
    pub(super) fn unwrap_bytes(&mut self) -> bool {
        let mut inner = self.clone();
        let length = inner.any_compact().ok().and_then(|length| usize::try_from(length).ok());
        let is_wrapped = length.is_some_and(|length| length > 0 && length == inner.remaining());
        if is_wrapped {
            *self = inner;
        }
        is_wrapped
    }

    pub(super) fn u16(&mut self) -> Read<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Read<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Read<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn u128(&mut self) -> Read<u128> {
        self.array().map(u128::from_le_bytes)
    }

    pub(super) fn u8(&mut self) -> Read<u8> {
        self.array().map(|[byte]| byte)
    }

    /// A byte that is 0 or 1: a truth value, or whether an optional value follows.
    pub(super) fn bool(&mut self) -> Read<bool> {
        let offset = self.offset;
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            found => Err(DecodeError::new(offset, DecodeProblem::NotBool { found })),
        }
    }

    /// A whole number in as few bytes as it takes, of which no more than `bits` may be used.
    pub(super) fn compact(&mut self, bits: u32) -> Read<u128> {
        let offset = self.offset;
        let number = self.any_compact()?;
        if u128::BITS - number.leading_zeros() > bits {
            return Err(DecodeError::new(offset, DecodeProblem::Range { bits, found: number }));
        }
        Ok(number)
    }

    pub(super) fn compact_u16(&mut self) -> Read<u16> {
        self.compact(u16::BITS).map(|number| number as u16)
    }

    pub(super) fn compact_u64(&mut self) -> Read<u64> {
        self.compact(u64::BITS).map(|number| number as u64)
    }

    /// The two lowest bits of the first byte say how many bytes there are.
    fn any_compact(&mut self) -> Read<u128> {
        let offset = self.offset;
        let first = self.u8()?;
        let count = match first & 0b11 {
            0 => return Ok(u128::from(first >> 2)),
            1 => 2,
            2 => 4,
            _ => return self.large_compact(offset, usize::from(first >> 2) + 4),
        };
        self.offset = offset;
        let number = little_endian(self.take(count)?) >> 2;
        // The next shorter form has 6 bits in one byte, or 14 in two.
        let fits_shorter = number >> (if count == 2 { 6 } else { 14 }) == 0;
        if fits_shorter { Err(not_shortest(offset)) } else { Ok(number) }
    }

    fn large_compact(&mut self, offset: usize, count: usize) -> Read<u128> {
        if count > size_of::<u128>() {
            let problem = DecodeProblem::TooLarge { bytes: count };
            return Err(DecodeError::new(offset, problem));
        }
        let bytes = self.take(count)?;
        let number = little_endian(bytes);
        let fits_shorter = bytes.last() == Some(&0) || number >> 30 == 0;
        if fits_shorter { Err(not_shortest(offset)) } else { Ok(number) }
    }

    /// How many items follow of at least so many bytes each: no more than there are bytes for.
    pub(super) fn length(&mut self, item_bytes: usize) -> Read<usize> {
        let offset = self.offset;
        let found = self.any_compact()?;
        let room = self.remaining() / item_bytes.max(1);
        match usize::try_from(found) {
            Ok(length) if length <= room => Ok(length),
            _ => Err(DecodeError::new(offset, DecodeProblem::Length { found, room })),
        }
    }

    /// One item for every uid, of at least so many bytes each.
    pub(super) fn items<T>(
        &mut self,
        item_bytes: usize,
        mut item: impl FnMut(&mut Self) -> Read<T>,
    ) -> Read<Vec<T>> {
        let offset = self.offset;
        let length = self.length(item_bytes)?;
        if length > Uid::COUNT {
            let problem = DecodeProblem::Length { found: length as u128, room: Uid::COUNT };
            return Err(DecodeError::new(offset, problem));
        }
        let mut items = Vec::with_capacity(length);
        for index in 0..length {
            items.push(item(self).map_err(|error| error.at(index))?);
        }
        Ok(items)
    }

    /// Passes over a value of which only the shape matters.
    pub(super) fn skip(&mut self, shape: &Shape) -> Read<()> {
        match *shape {
            Shape::Fixed(count) => self.take(count).map(drop),
            Shape::Bool => self.bool().map(drop),
            Shape::Compact(bits) => self.compact(bits).map(drop),
            Shape::Optional(some) => match self.bool()? {
                true => self.skip(some),
                false => Ok(()),
            },
            Shape::Many(Shape::Fixed(count)) => {
                let length = self.length(*count)?;
                self.take(length * count).map(drop)
            }
            Shape::Many(item) => {
                let length = self.length(item.least_bytes())?;
                (0..length).try_for_each(|index| self.skip(item).map_err(|error| error.at(index)))
            }
            Shape::Tuple(shapes) => shapes.iter().try_for_each(|shape| self.skip(shape)),
        }
    }

    pub(super) fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let bytes = self.take(N)?;
        Ok(bytes.try_into().expect("as many bytes were taken"))
    }

    fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        let rest = &self.bytes[self.offset..];
        let Some(bytes) = rest.get(..count) else {
            let problem = DecodeProblem::End { expected: count, found: rest.len() };
            return Err(DecodeError::new(self.offset, problem));
        };
        self.offset += count;
        Ok(bytes)
    }
}

fn little_endian(bytes: &[u8]) -> u128 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u128::from(byte))
}

fn not_shortest(offset: usize) -> DecodeError {
    DecodeError::new(offset, DecodeProblem::NotShortest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_compact(bytes: &[u8], expected: u128) {
        let mut cursor = Cursor::new(bytes);
        assert_eq!(cursor.compact(128), Ok(expected), "{bytes:02x?}");
        assert_eq!(cursor.remaining(), 0, "{bytes:02x?}");
    }

    /// The numbers where the forms meet; those up to 2^32 are in the specification of SCALE.
    #[test]
    fn compact_numbers_take_as_few_bytes_as_they_can() {
        check_compact(&[0x00], 0);
        check_compact(&[0x04], 1);
        check_compact(&[0xa8], 42);
        check_compact(&[0xfc], 63);
        check_compact(&[0x01, 0x01], 64);
        check_compact(&[0x15, 0x01], 69);
        check_compact(&[0xfd, 0xff], 16_383);
        check_compact(&[0x02, 0x00, 0x01, 0x00], 16_384);
        check_compact(&[0xfe, 0xff, 0x03, 0x00], 65_535);
        check_compact(&[0xfe, 0xff, 0xff, 0xff], (1 << 30) - 1);
        check_compact(&[0x03, 0x00, 0x00, 0x00, 0x40], 1 << 30);
        check_compact(&[0x03, 0xff, 0xff, 0xff, 0xff], (1 << 32) - 1);
        check_compact(&[0x07, 0x00, 0x00, 0x00, 0x00, 0x01], 1 << 32);
        check_compact(&[&[0x13][..], &[0xff; 8]].concat(), u128::from(u64::MAX));
        check_compact(&[&[0x33][..], &[0xff; 16]].concat(), u128::MAX);
    }

    fn check_refused<T: std::fmt::Debug + PartialEq>(
        bytes: &[u8],
        read: impl FnOnce(&mut Cursor<'_>) -> Read<T>,
        expected: &str,
    ) {
        let error = read(&mut Cursor::new(bytes)).expect_err("the bytes are wrong");
        assert_eq!(error.to_string(), expected, "{bytes:02x?}");
    }

    #[test]
    fn wrong_compact_numbers_are_refused() {
        let check = |bytes: &[u8], expected: &str| {
            check_refused(bytes, |cursor| cursor.compact(128), expected);
        };
        check(&[], "the answer is wrong at byte 0: expected 1 more byte, found 0");
        check(&[0x01], "the answer is wrong at byte 0: expected 2 more bytes, found 1");
        check(&[0x02, 0, 1], "the answer is wrong at byte 0: expected 4 more bytes, found 3");
        check(&[0x13, 1], "the answer is wrong at byte 1: expected 8 more bytes, found 1");
        let longer = "the answer is wrong at byte 0: a number has leading zeros";
        check(&[0xfd, 0x00], longer);
        check(&[0x01, 0x00], longer);
        check(&[0xfe, 0xff, 0x00, 0x00], longer);
        check(&[0x03, 0xff, 0xff, 0xff, 0x3f], longer);
        check(&[0x07, 1, 1, 1, 1, 0], longer);
        let large = "the answer is wrong at byte 0: a number of 17 bytes, expected at most 16";
        check(&[&[0x37][..], &[0xff; 17]].concat(), large);
    }

    #[test]
    fn numbers_stay_within_their_bits() {
        assert_eq!(Cursor::new(&[0xfe, 0xff, 0x03, 0x00]).compact_u16(), Ok(u16::MAX));
        let expected = "the answer is wrong at byte 0: expected a number of 16 bits, found 65536";
        check_refused(&[0x02, 0x00, 0x04, 0x00], |cursor| cursor.compact_u16(), expected);
        let expected = "the answer is wrong at byte 0: expected 0 or 1, found 2";
        check_refused(&[2], |cursor| cursor.bool(), expected);
    }

    #[test]
    fn lists_are_no_longer_than_their_bytes() {
        let pair = |cursor: &mut Cursor<'_>| cursor.items(2, Cursor::u16);
        assert_eq!(pair(&mut Cursor::new(&[0x08, 1, 0, 2, 0])), Ok(vec![1, 2]));
        let expected =
            "the answer is wrong at byte 0: a list of 2 items, expected at most 1 in what is left";
        check_refused(&[0x08, 1, 0, 2], pair, expected);
        // 2^64 - 1 items.
        let endless = [&[0x13][..], &[0xff; 8], &[0; 4]].concat();
        let expected = "the answer is wrong at byte 0: a list of 18446744073709551615 items, \
                        expected at most 2 in what is left";
        check_refused(&endless, pair, expected);
        let expected = "the answer is wrong in [1] at byte 2: expected 0 or 1, found 7";
        check_refused(&[0x08, 1, 7], |cursor| cursor.items(1, Cursor::bool), expected);
    }

    #[test]
    fn values_without_interest_are_passed_over() {
        const SHAPE: Shape = Shape::Tuple(&[
            Shape::Optional(&Shape::Many(&Shape::Compact(16))),
            Shape::Many(&Shape::Fixed(2)),
            Shape::Many(&Shape::Optional(&Shape::Bool)),
        ]);
        let check = |bytes: &[u8]| {
            let mut cursor = Cursor::new(bytes);
            assert_eq!((cursor.skip(&SHAPE), cursor.remaining()), (Ok(()), 0), "{bytes:?}");
        };
        check(&[0, 0, 0]);
        check(&[1, 8, 4, 0x15, 1, 4, 9, 9, 12, 0, 1, 0, 0]);
        let expected = "the answer is wrong in [1] at byte 4: expected 0 or 1, found 2";
        check_refused(&[0, 0, 8, 0, 2], |cursor| cursor.skip(&SHAPE), expected);
    }
}
