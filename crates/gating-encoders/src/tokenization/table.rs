//! The table of a normalizer that was made by SentencePiece.

use base64::DecodeError;

use crate::Error;

/// How many units a node can lead to: one for each value of a byte.
const BLOCK: usize = 256;
/// Set in a unit that holds a value, and not a node.
const IS_VALUE: u32 = 1 << 31;
/// Set in the unit of a node at which a key ends.
const HAS_VALUE: u32 = 1 << 8;
/// Set in the unit of a node of which the offset counts blocks.
const IN_BLOCKS: u32 = 1 << 9;

/// Checks a table in base64: the size of a trie in bytes, the trie, and the texts that it leads to.
/// The library looks units and texts up without a check.
///
/// The trie is the double array of Darts-clone (Yata, 2008), and its units are those of version
/// 0.32 (`darts.h`).
pub(super) fn check(table: Option<&str>) -> Result<(), Error> {
    let table = table.ok_or_else(|| wrong("no text", "base64"))?;
    let table = base64::decode(table).map_err(|error| wrong(symbol(&error), "base64"))?;
    let (size, rest) = table
        .split_first_chunk()
        .ok_or_else(|| wrong(format!("{} bytes", table.len()), "4 or more"))?;
    let size = u32::from_le_bytes(*size) as usize;
    if size > rest.len() {
        let most = format!("at most the {} that follow", rest.len());
        return Err(wrong(format!("a trie of {size} bytes"), most));
    }
    let (trie, _) = rest[..size].as_chunks();
    let texts = std::str::from_utf8(&rest[4 * trie.len()..]).map_err(|error| {
        wrong(format!("no UTF-8 after {} bytes of text", error.valid_up_to()), "texts")
    })?;
    let units: Vec<u32> = trie.iter().copied().map(u32::from_le_bytes).collect();
    check_units(&units, texts)
}

/// Checks that the root and every other node lead into the trie, whatever byte comes next, and that
/// each key leads to a text.
fn check_units(units: &[u32], texts: &str) -> Result<(), Error> {
    if units.is_empty() {
        return Err(wrong("no unit", "a root"));
    }
    let nodes = units.iter().enumerate().filter(|(at, unit)| *at == 0 || *unit & IS_VALUE == 0);
    for (at, &unit) in nodes {
        let next = at ^ offset(unit);
        if next | (BLOCK - 1) >= units.len() {
            let found = format!("unit {at}, which leads to {next}");
            return Err(wrong(found, format!("a block of the {} units", units.len())));
        }
        let start = (units[next] & !IS_VALUE) as usize;
        if unit & HAS_VALUE != 0 && !texts.is_char_boundary(start) {
            let found = format!("unit {at}, of which the text begins at {start}");
            return Err(wrong(found, format!("a character of the {} bytes of text", texts.len())));
        }
    }
    Ok(())
}

fn offset(unit: u32) -> usize {
    let offset = (unit >> 10) as usize;
    if unit & IN_BLOCKS == 0 { offset } else { offset * BLOCK }
}

fn symbol(error: &DecodeError) -> String {
    match *error {
        DecodeError::InvalidByte(at, byte) | DecodeError::InvalidLastSymbol(at, byte) => {
            format!("{:?} at {at}", char::from(byte))
        }
        DecodeError::InvalidLength => "a part of a byte".to_owned(),
    }
}

fn wrong(found: impl Into<String>, expected: impl Into<String>) -> Error {
    Error::NormalizationTable { expected: expected.into(), found: found.into() }
}

#[cfg(test)]
mod tests {
    use tokenizers::normalizers::Precompiled;

    use super::*;

    /// A node that is reached by a byte, and from which others are so far away.
    fn node(byte: u8, offset: u32) -> u32 {
        u32::from(byte) | offset << 10
    }

    /// A table of two blocks: the root leads into the second, and there `a` is a key whose text
    /// begins at `start`.
    fn units(start: u32) -> Vec<u32> {
        let mut units = vec![0; 2 * BLOCK];
        units[0] = node(0, 1) | IN_BLOCKS;
        let at = BLOCK ^ usize::from(b'a');
        units[at] = node(b'a', (at ^ 2) as u32) | HAS_VALUE;
        units[2] = IS_VALUE | start;
        units
    }

    fn table(units: &[u32], texts: &[u8]) -> Vec<u8> {
        let size = 4 * units.len() as u32;
        let numbers = std::iter::once(size).chain(units.iter().copied());
        numbers.flat_map(u32::to_le_bytes).chain(texts.iter().copied()).collect()
    }

    #[test]
    fn a_whole_table_is_read_as_the_library_does() {
        let table = table(&units(3), "é\0ü".as_bytes());
        super::check(Some(&base64::encode(&table))).expect("it leads nowhere else");
        let library = Precompiled::from(&table).expect("it is whole");
        assert_eq!(library.transform("a"), Some("ü"));
        assert_eq!(library.transform("b"), None);
    }

    fn check(table: &[u8], expected: &str) {
        let error = super::check(Some(&base64::encode(table))).expect_err(expected);
        assert_eq!(error.to_string(), format!("`precompiled_charsmap` has {expected}"));
    }

    #[test]
    fn a_table_that_is_cut_off_is_an_error() {
        check(&[0; 3], "3 bytes, expected 4 or more");
        check(&[0; 4], "no unit, expected a root");
        check(&[9, 0, 0, 0, 1, 1], "a trie of 9 bytes, expected at most the 2 that follow");
        check(&table(&[0; BLOCK], b"a\xff"), "no UTF-8 after 1 bytes of text, expected texts");
    }

    /// The library would look units and texts up that are not there.
    #[test]
    fn a_table_that_leads_out_of_itself_is_an_error() {
        let mut wrong = units(0);
        wrong[BLOCK] = node(0, 2) | IN_BLOCKS;
        check(
            &table(&wrong, b""),
            "unit 256, which leads to 768, expected a block of the 512 units",
        );
        let root = [node(0, 1 << 21) | IN_BLOCKS; BLOCK];
        check(
            &table(&root, b""),
            "unit 0, which leads to 536870912, expected a block of the 256 units",
        );
        let part = &units(0)[..2 * BLOCK - 1];
        check(&table(part, b""), "unit 0, which leads to 256, expected a block of the 511 units");
        let text = |start| {
            format!(
                "unit 353, of which the text begins at {start}, expected a character of the 2 bytes of text"
            )
        };
        check(&table(&units(1), "é".as_bytes()), &text(1));
        check(&table(&units(3), "é".as_bytes()), &text(3));
    }

    #[test]
    fn a_table_that_is_no_base64_is_an_error() {
        let check = |table, expected: &str| {
            let error = super::check(table).expect_err(expected);
            assert_eq!(error.to_string(), format!("`precompiled_charsmap` has {expected}"));
        };
        check(None, "no text, expected base64");
        check(Some("AA?A"), "'?' at 2, expected base64");
        check(Some("AAAAA"), "a part of a byte, expected base64");
    }
}
