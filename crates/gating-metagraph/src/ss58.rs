//! SS58, the text form of public keys.

use blake2::{Blake2b512, Digest};

use crate::base58;
use crate::counted::counted;

/// SS58 prefix of Bittensor and of every Substrate chain without one of its own.
const PREFIX: u8 = 42;
const KEY_BYTES: usize = 32;
const CHECKSUM_BYTES: usize = 2;
const SS58_BYTES: usize = 1 + KEY_BYTES + CHECKSUM_BYTES;

/// Why a text is not the SS58 form of a public key.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseKeyError {
    /// The text holds something else than base 58.
    #[error("key `{text}` holds `{found}`, which is no digit of base 58")]
    NotBase58 {
        /// The text that was given.
        text: String,
        /// The first character that is no digit.
        found: char,
    },
    /// The text stands for too many or too few bytes.
    #[error("key `{text}` holds {}, expected {SS58_BYTES}", counted(.found, "byte"))]
    Length {
        /// The text that was given.
        text: String,
        /// How many bytes it stands for.
        found: usize,
    },
    /// The text is far too long to be looked at.
    #[error("a key of {found} characters, expected at most {}", base58::MAX_CHARACTERS)]
    TooLong {
        /// How many characters it has.
        found: usize,
    },
    /// The key belongs to another kind of network.
    #[error("key `{text}` has SS58 prefix {found}, expected {PREFIX}")]
    Prefix {
        /// The text that was given.
        text: String,
        /// Its first byte.
        found: u8,
    },
    /// A character was mistyped or lost.
    #[error("key `{text}` has a wrong checksum")]
    Checksum {
        /// The text that was given.
        text: String,
    },
}

/// The public key that a text stands for.
pub(crate) fn decode(text: &str) -> Result<[u8; KEY_BYTES], ParseKeyError> {
    let owned = || text.to_owned();
    if text.len() > base58::MAX_CHARACTERS {
        return Err(ParseKeyError::TooLong { found: text.chars().count() });
    }
    let bytes =
        base58::decode(text).map_err(|found| ParseKeyError::NotBase58 { text: owned(), found })?;
    let bytes: [u8; SS58_BYTES] = bytes
        .try_into()
        .map_err(|bytes: Vec<u8>| ParseKeyError::Length { text: owned(), found: bytes.len() })?;
    if bytes[0] != PREFIX {
        return Err(ParseKeyError::Prefix { text: owned(), found: bytes[0] });
    }
    let (payload, checksum) = bytes.split_at(1 + KEY_BYTES);
    if checksum != self::checksum(payload) {
        return Err(ParseKeyError::Checksum { text: owned() });
    }
    let mut key = [0; KEY_BYTES];
    key.copy_from_slice(&payload[1..]);
    Ok(key)
}

/// The text that stands for a public key.
pub(crate) fn encode(key: &[u8; KEY_BYTES]) -> String {
    let mut bytes = [PREFIX; SS58_BYTES];
    let (payload, end) = bytes.split_at_mut(1 + KEY_BYTES);
    payload[1..].copy_from_slice(key);
    end.copy_from_slice(&checksum(payload));
    base58::encode(&bytes)
}

fn checksum(payload: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let hash = Blake2b512::new().chain_update(b"SS58PRE").chain_update(payload).finalize();
    [hash[0], hash[1]]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The well-known development accounts of Substrate and their public keys.
    #[test]
    fn known_accounts_round_trip() {
        check(
            "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
            "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d",
        );
        check(
            "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty",
            "8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48",
        );
    }

    fn check(text: &str, hex: &str) {
        let key = decode(text).expect("a known account is valid");
        let found: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, hex);
        assert_eq!(encode(&key), text);
    }

    #[test]
    fn wrong_texts_say_what_is_wrong() {
        let refused = |text: &str| decode(text).expect_err("the text is wrong").to_string();
        assert_eq!(refused(""), "key `` holds 0 bytes, expected 35");
        assert_eq!(refused(&"5".repeat(70)), "a key of 70 characters, expected at most 64");
        assert!(refused("5Grwva0").ends_with("holds `0`, which is no digit of base 58"));
        assert!(refused("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ").ends_with("checksum"));
        assert!(
            refused("12bzRJfh7arnnfPPUZHeJUaE62QLEwhK48QnH9LXeK2m1iZU")
                .ends_with("has SS58 prefix 0, expected 42")
        );
    }
}
