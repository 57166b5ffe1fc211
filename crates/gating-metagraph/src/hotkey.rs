//! The public key that identifies a worker, and its SS58 text form.

use std::fmt;
use std::str::FromStr;

use blake2::{Blake2b512, Digest};

/// SS58 prefix of Bittensor and of every Substrate chain without one of its own.
const PREFIX: u8 = 42;
const KEY_BYTES: usize = 32;
const CHECKSUM_BYTES: usize = 2;
const SS58_BYTES: usize = 1 + KEY_BYTES + CHECKSUM_BYTES;

/// The public key that identifies a worker, whichever uid it holds.
///
/// Its text form is SS58 with prefix 42, as [Substrate](https://docs.polkadot.com) defines it:
/// base 58 of the prefix, the key and the first two bytes of
/// `blake2b512("SS58PRE" + prefix + key)`.
///
/// ```
/// use gating_metagraph::Hotkey;
///
/// let alice: Hotkey = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY".parse()?;
/// assert_eq!(alice.as_bytes()[..4], [0xd4, 0x35, 0x93, 0xc7]);
/// # Ok::<(), gating_metagraph::ParseHotkeyError>(())
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Hotkey([u8; KEY_BYTES]);

impl Hotkey {
    /// The hotkey with these 32 bytes of public key.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The 32 bytes of the public key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Why a text is not the SS58 form of a hotkey.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseHotkeyError {
    /// The text holds something else than base 58.
    #[error("hotkey `{text}` is not base 58")]
    NotBase58 {
        /// The text that was given.
        text: String,
        /// What base 58 has against it.
        source: bs58::decode::Error,
    },
    /// The text stands for too many or too few bytes.
    #[error("hotkey `{text}` holds {found} bytes, expected {SS58_BYTES}")]
    Length {
        /// The text that was given.
        text: String,
        /// How many bytes it stands for.
        found: usize,
    },
    /// The address belongs to another kind of network.
    #[error("hotkey `{text}` has SS58 prefix {found}, expected {PREFIX}")]
    Prefix {
        /// The text that was given.
        text: String,
        /// Its first byte.
        found: u8,
    },
    /// A character was mistyped or lost.
    #[error("hotkey `{text}` has a wrong checksum")]
    Checksum {
        /// The text that was given.
        text: String,
    },
}

impl FromStr for Hotkey {
    type Err = ParseHotkeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let owned = || text.to_owned();
        let bytes = bs58::decode(text)
            .into_vec()
            .map_err(|source| ParseHotkeyError::NotBase58 { text: owned(), source })?;
        let bytes: [u8; SS58_BYTES] = bytes.try_into().map_err(|bytes: Vec<u8>| {
            ParseHotkeyError::Length { text: owned(), found: bytes.len() }
        })?;
        if bytes[0] != PREFIX {
            return Err(ParseHotkeyError::Prefix { text: owned(), found: bytes[0] });
        }
        let (payload, checksum) = bytes.split_at(1 + KEY_BYTES);
        if checksum != self::checksum(payload) {
            return Err(ParseHotkeyError::Checksum { text: owned() });
        }
        let mut key = [0; KEY_BYTES];
        key.copy_from_slice(&payload[1..]);
        Ok(Self(key))
    }
}

impl fmt::Display for Hotkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::with_capacity(SS58_BYTES);
        bytes.push(PREFIX);
        bytes.extend(self.0);
        bytes.extend(checksum(&bytes));
        f.pad(&bs58::encode(bytes).into_string())
    }
}

impl fmt::Debug for Hotkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hotkey({self})")
    }
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
        let hotkey: Hotkey = text.parse().expect("a known account is valid");
        let found: String = hotkey.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, hex);
        assert_eq!(hotkey.to_string(), text);
    }

    #[test]
    fn wrong_texts_say_what_is_wrong() {
        let refused =
            |text: &str| text.parse::<Hotkey>().expect_err("the text is wrong").to_string();
        assert_eq!(refused(""), "hotkey `` holds 0 bytes, expected 35");
        assert!(refused("5Grwva0").ends_with("is not base 58"));
        assert!(refused("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ").ends_with("checksum"));
        assert!(
            refused("12bzRJfh7arnnfPPUZHeJUaE62QLEwhK48QnH9LXeK2m1iZU")
                .ends_with("has SS58 prefix 0, expected 42")
        );
    }
}
