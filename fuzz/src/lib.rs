//! What every target does with what it reads.

#[cfg(feature = "encoders")]
pub mod model;

use gating_arrays::Value;
use gating_metagraph::runtime::{Columns, DecodeError};
use gating_metagraph::{
    Availability, AvailabilityRules, Format, Identity, Metagraph, MetagraphDiff, Neuron,
    ResyncPlan, Subnet,
};

/// The classes that a reader of metagraphs allows.
pub const CLASSES: [&str; 3] = [
    "bittensor.chain_data.AxonInfo",
    "bittensor.core.chain_data.neuron_info_lite.NeuronInfoLite",
    "bittensor.utils.balance.Balance",
];

/// Reads a metagraph, and holds it against what must be true of each.
pub fn read_back(bytes: &[u8]) {
    let Ok(metagraph) = Metagraph::from_bytes(bytes) else { return };
    for format in [Format::Snapshot, Format::BtcliMetagraph, Format::Arrays] {
        let written = metagraph.to_bytes(format).expect("it can be written");
        let read = Metagraph::from_bytes(&written).expect("we wrote it");
        if format == Format::Snapshot {
            assert_eq!(read, metagraph);
        }
    }
    assert!(MetagraphDiff::between(&metagraph, &metagraph).expect("one subnet").is_empty());
    let num_uids = metagraph.num_uids();
    let plan = ResyncPlan::between(&metagraph, &metagraph, Identity::HotkeyOrSwap, num_uids);
    assert!(plan.expect("one subnet").is_empty());
    let rules = AvailabilityRules {
        public_addresses: true,
        unique_endpoints: true,
        max_per_address: Some(1),
        ..AvailabilityRules::default()
    };
    assert_eq!(Availability::new(&metagraph, &rules).verdicts().len(), num_uids);
}

/// Makes a metagraph of an answer, and asks for everything that it holds.
pub fn use_columns(answer: Result<Option<Columns>, DecodeError>) {
    let Ok(Some(columns)) = answer else { return };
    let is_complete = columns.is_complete();
    let count = columns.hotkeys.as_ref().map(Vec::len);
    let subnet = Subnet { netuid: columns.netuid, ..Subnet::default() };
    let Ok(metagraph) = columns.into_metagraph(subnet) else { return };
    assert_eq!(Some(metagraph.num_uids()), count);
    let is_known = |neuron: &Neuron| neuron.axon.is_some() && neuron.registered_at.is_some();
    assert!(!is_complete || metagraph.neurons().all(|(_, neuron)| is_known(neuron)));
    read_back(&metagraph.to_bytes(Format::Snapshot).expect("it can be written"));
}

/// Asks for everything that a value holds.
pub fn use_all(value: &Value<'_>) {
    match value {
        Value::Array(array) => {
            let length = array.to_bytes().len();
            assert_eq!(length, array.len() * array.dtype().size());
            let _ = (array.to_f64(), array.to_i64(), array.to_bools(), array.to_texts());
        }
        Value::List(values) | Value::Tuple(values) => values.iter().for_each(use_all),
        Value::Dict(pairs) => use_pairs(pairs),
        Value::Object(object) => use_pairs(&object.state),
        _ => {}
    }
}

fn use_pairs(pairs: &[(Value<'_>, Value<'_>)]) {
    for (key, value) in pairs {
        use_all(key);
        use_all(value);
    }
}

/// A zip archive of one entry, not compressed.
pub fn archive(name: &str, entry: &[u8]) -> Vec<u8> {
    let length = u32::try_from(entry.len()).expect("the fuzzer makes no gigabytes");
    let name_length = u16::try_from(name.len()).expect("the name is short");
    // Versions, flags, method, time and date; then checksum, sizes and lengths.
    let mut common = [20_u16, 0, 0, 0, 0].map(u16::to_le_bytes).concat();
    common.extend([crc32(entry), length, length].map(u32::to_le_bytes).concat());
    common.extend([name_length, 0].map(u16::to_le_bytes).concat());
    let local = [b"PK\x03\x04", &common[..], name.as_bytes(), entry].concat();
    let tail = [0_u16; 5].map(u16::to_le_bytes).concat();
    let central = [b"PK\x01\x02", &[20, 0][..], &common, &tail, &[0; 4], name.as_bytes()].concat();
    let mut end = [0_u16, 0, 1, 1].map(u16::to_le_bytes).concat();
    end.extend([central.len() as u32, local.len() as u32].map(u32::to_le_bytes).concat());
    [&local[..], &central, b"PK\x05\x06", &end, &[0; 2]].concat()
}

/// The checksum of zip archives, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_archive_is_whole() {
        let array = gating_arrays::Array::from_i64(&[2], &[5, 7]).expect("two numbers");
        let file = gating_arrays::write_npz(&[("a", &array)]).expect("it can be written");
        let start = file.windows(6).position(|bytes| bytes == b"\x93NUMPY").expect("one array");
        // A header of 128 bytes and two numbers.
        let entry = &file[start..start + 144];
        let value = gating_arrays::read(&archive("a.npy", entry), &[]).expect("it is whole");
        assert_eq!(value.get("a").and_then(Value::as_array), Some(&array));
    }
}
