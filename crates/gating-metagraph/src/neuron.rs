//! What a metagraph knows of one uid.

use std::net::IpAddr;

use crate::Hotkey;

/// What a metagraph knows of one uid; what its source lacks is `None`, never false or zero.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Neuron {
    /// Who holds the uid.
    pub hotkey: Hotkey,
    /// Where it can be asked.
    pub axon: Option<Axon>,
    /// Whether it may validate.
    pub validator_permit: Option<bool>,
    /// All of its stake.
    pub stake: Option<Rao>,
    /// The block at which this hotkey was registered at this uid. A hotkey swap keeps it.
    pub registered_at: Option<u64>,
}

impl Neuron {
    /// A uid of which only the holder is known.
    #[must_use]
    pub const fn new(hotkey: Hotkey) -> Self {
        Self { hotkey, axon: None, validator_permit: None, stake: None, registered_at: None }
    }
}

/// Where a worker listens.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Axon {
    /// Its address; unspecified (`0.0.0.0`) while it does not serve.
    pub ip: IpAddr,
    /// Its port.
    pub port: u16,
}

/// An amount of stake in rao, the smallest unit: 10^9 rao are one TAO or one alpha.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Rao(pub u64);
