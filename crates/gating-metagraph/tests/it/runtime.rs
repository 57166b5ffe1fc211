//! Answers of the runtime: an invented subnet always, recordings where there are any.

use std::fs;
use std::path::Path;

use gating_metagraph::runtime::{Columns, DecodeError};
use gating_metagraph::{Axon, Coldkey, Hotkey, Metagraph, Neuron, Rao, Stake, Subnet};
use serde_json::Value;

use crate::samples;

/// What `testdata/answers/make.py` made.
fn invented() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/answers/answers.json");
    let json = fs::read_to_string(path).expect("it is committed");
    serde_json::from_str(&json).expect("the data is JSON")
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn bytes(hex: &Value) -> Vec<u8> {
    let digits = hex.as_str().and_then(|text| text.strip_prefix("0x")).expect("it is hexadecimal");
    let byte = |index| u8::from_str_radix(&digits[index..index + 2], 16).expect("it has digits");
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// A row of the invented subnet as it is known from all answers together.
fn neuron(row: &Value) -> Neuron {
    let key = |name| [number(&row[name]) as u8; 32];
    let ip = row["ip"].as_str().and_then(|ip| ip.parse().ok()).expect("addresses are numbers");
    Neuron {
        hotkey: Hotkey::new(key("hotkey")),
        coldkey: Some(Coldkey::new(key("coldkey"))),
        axon: Some(Axon {
            version: Some(number(&row["version"]) as u32),
            protocol: Some(number(&row["protocol"]) as u8),
            block: Some(number(&row["axon_block"])),
            ..Axon::new(Axon::ip_from_number(ip), number(&row["port"]) as u16)
        }),
        active: row["active"].as_bool(),
        validator_permit: row["validator_permit"].as_bool(),
        stake: Stake {
            own_alpha: Some(Rao(number(&row["own_alpha"]))),
            alpha: Some(Rao(number(&row["alpha"]))),
            tao: Some(Rao(number(&row["tao"]))),
            total: Some(Rao(number(&row["total"]))),
        },
        registered_at: Some(number(&row["registered_at"])),
        last_update: Some(number(&row["last_update"])),
    }
}

fn selective(answer: &Value) -> Columns {
    let columns = Columns::from_selective_metagraph(&bytes(answer)).expect("the answer is whole");
    columns.expect("the subnet exists")
}

fn neurons_lite(answer: &Value) -> Columns {
    Columns::from_neurons_lite(&bytes(answer)).expect("the answer is whole")
}

fn subnet_state(answer: &Value) -> Columns {
    let columns = Columns::from_subnet_state(&bytes(answer)).expect("the answer is whole");
    columns.expect("the subnet exists")
}

/// The metagraph, with what may differ between answers made equal by `change`.
fn rows(columns: Columns, subnet: &Subnet, change: fn(&mut Neuron)) -> Vec<Neuron> {
    let metagraph = columns.into_metagraph(subnet.clone()).expect("the answer is consistent");
    let rows = metagraph.neurons().map(|(_, neuron)| neuron.clone());
    rows.map(|mut neuron| {
        change(&mut neuron);
        neuron
    })
    .collect()
}

#[test]
fn answers_are_read_to_the_last_field() {
    let data = invented();
    let (answers, subnet) = (&data["answers"], &data["subnet"]);
    let asked = Subnet::at(7, number(&subnet["block"]));
    let whole = selective(&answers["whole"]);
    assert!(whole.is_complete());
    let expected = data["rows"].as_array().expect("there are rows").iter().map(neuron);
    let lite = neurons_lite(&answers["neurons_lite"]);
    let found = whole.clone().or(lite).into_metagraph(asked).expect("the answer is consistent");
    assert!(expected.eq(found.neurons().map(|(_, neuron)| neuron.clone())));
    let known = Subnet {
        tempo: Some(number(&subnet["tempo"])),
        max_uids: Some(number(&subnet["max_uids"]) as u16),
        immunity_period: Some(number(&subnet["immunity_period"])),
        ..Subnet::at(7, number(&subnet["block"]))
    };
    assert_eq!(*found.subnet(), known);
}

#[test]
fn other_runtimes_say_the_same() {
    let data = invented();
    let answers = &data["answers"];
    let whole = selective(&answers["whole"]);
    assert_eq!(selective(&answers["every"]), whole);
    assert_eq!(selective(&answers["older"]), whole);
    assert_eq!(selective(&answers["newer"]), Columns { trailing: 4, ..whole.clone() });
    let identities = selective(&answers["identities"]);
    assert!(!identities.is_complete());
    assert_eq!(identities.hotkeys, whole.hotkeys);
    assert_eq!(identities.block_at_registration, whole.block_at_registration);
    let lite = neurons_lite(&answers["neurons_lite"]);
    let wrapped = neurons_lite(&answers["wrapped"]);
    assert_eq!(wrapped, Columns { own_alpha: None, ..lite.clone() });
    let both = lite.or(subnet_state(&answers["subnet_state"]));
    assert!(both.is_complete());
    let asked = Subnet::at(7, number(&data["subnet"]["block"]));
    let without_own = |neuron: &mut Neuron| neuron.stake.own_alpha = None;
    assert_eq!(rows(both, &asked, without_own), rows(whole, &asked, |_| {}));
}

#[test]
fn a_subnet_that_does_not_exist_is_no_error() {
    assert_eq!(Columns::from_selective_metagraph(&[0]), Ok(None));
    assert_eq!(Columns::from_subnet_state(&[0]), Ok(None));
    let none = Columns::from_neurons_lite(&[0]).expect("no rows are well formed");
    assert_eq!(none.hotkeys.as_deref(), Some(&[][..]));
}

type Decode = fn(&[u8]) -> Result<Option<Columns>, DecodeError>;

const DECODERS: [(&str, Decode); 3] = [
    ("every", Columns::from_selective_metagraph),
    ("subnet_state", Columns::from_subnet_state),
    ("neurons_lite", |bytes| Columns::from_neurons_lite(bytes).map(Some)),
];

/// Cuts an answer at every so many bytes. Whatever is lost is either noticed or absent: nothing
/// that is there is wrong.
fn check_cuts(name: &str, decode: Decode, bytes: &[u8], step: usize) {
    let whole = decode(bytes).expect("the answer is whole").expect("the subnet exists");
    for length in (0..bytes.len()).step_by(step) {
        match decode(&bytes[..length]) {
            Err(error) => assert!(error.offset <= length, "{name}: {error}"),
            Ok(None) => panic!("{name}: of {length} bytes there is no subnet"),
            Ok(Some(found)) => {
                assert_ne!(name, "neurons_lite");
                assert_eq!(found.or(whole.clone()), whole, "{name}: {length} bytes");
            }
        }
    }
}

#[test]
fn answers_that_were_cut_are_noticed() {
    let answers = &invented()["answers"];
    for (name, decode) in DECODERS {
        let bytes = bytes(&answers[name]);
        check_cuts(name, decode, &bytes, 1);
    }
}

#[test]
fn flipped_bits_never_panic() {
    let answers = &invented()["answers"];
    for (name, decode) in DECODERS {
        let mut bytes = bytes(&answers[name]);
        let whole = decode(&bytes);
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(Some(columns)) = decode(&bytes) {
                // What no check can find is still a metagraph, or said not to be one.
                let _: Result<Metagraph, _> = columns.into_metagraph(Subnet::default());
            }
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        assert_eq!(decode(&bytes), whole);
    }
}

#[test]
fn errors_name_field_and_byte() {
    let data = invented();
    let check = |name: &str, decode: Decode, cut: usize, expected: &str| {
        let bytes = bytes(&data["answers"][name]);
        let error = decode(&bytes[..cut]).expect_err("the answer is cut");
        assert_eq!(error.to_string(), expected);
    };
    let [every, state, lite] = DECODERS.map(|(_, decode)| decode);
    check("whole", every, 0, "the answer is wrong at byte 0: expected 1 more byte, found 0");
    let expected = "the answer is wrong in block at byte 9: expected 4 more bytes, found 2";
    check("whole", every, 11, expected);
    let expected = "the answer is wrong in hotkeys at byte 2: a list of 5 items, expected at most \
                    1 in what is left";
    check("subnet_state", state, 60, expected);
    let expected = "the answer is wrong in neurons at byte 0: a list of 5 items, expected at most \
                    4 in what is left";
    check("neurons_lite", lite, 700, expected);
}

fn check_recorded(folder: &Path, block: u64, spec: u32) {
    let answer = |method: &str| {
        let name = format!("chain-recorded/finney-sn1-block{block}-spec{spec}-{method}.json");
        samples::answer(folder, &name)
    };
    let expected = samples::network(folder, block);
    let asked = Subnet::at(1, block);
    let lite = neurons_lite(&answer("get_neurons_lite"));
    let state = subnet_state(&answer("get_subnet_state"));
    assert_eq!(state.trailing, 0);
    let found = rows(lite.or(state), &asked, |_| {});
    assert!(expected.neurons().map(|(_, neuron)| neuron).eq(&found));
}

#[test]
fn recorded_answers_are_read_as_the_chain_reads_them() {
    let Some(folder) = samples::folder() else { return };
    check_recorded(&folder, 6_521_772, 315);
    check_recorded(&folder, 6_530_367, 320);
}

#[test]
fn a_recorded_selective_answer_agrees_with_the_others() {
    let Some(folder) = samples::folder() else { return };
    let answer = |name: &str| samples::answer(&folder, name);
    let base = "chain-recorded/finney-sn1-block6530367-spec320";
    let found = selective(&answer(&format!("{base}-get_selective_mechagraph.json")));
    assert_eq!((found.trailing, found.num_uids, found.is_complete()), (0, Some(1024), true));
    let lite = neurons_lite(&answer(&format!("{base}-get_neurons_lite.json")));
    let both = lite.or(subnet_state(&answer(&format!("{base}-get_subnet_state.json"))));
    let asked = Subnet::at(1, 6_530_367);
    let without_own = |neuron: &mut Neuron| neuron.stake.own_alpha = None;
    assert_eq!(rows(found, &asked, |_| {}), rows(both, &asked, without_own));
    let name = "constructed/sn1-block6852690-selective_metagraph-min-spec461.json";
    let found = selective(&answer(name));
    assert_eq!((found.trailing, found.is_complete()), (0, true));
    let asked = Subnet::at(1, 6_852_690);
    assert_eq!(rows(found, &asked, |_| {}).len(), 1024);
}

#[test]
fn the_wrapped_answer_of_an_older_runtime_is_read() {
    let Some(folder) = samples::folder() else { return };
    let name = "chain-recorded/finney-sn23-near-block3264155-spec208-get_neurons_lite.json";
    let found = neurons_lite(&samples::answer(&folder, name));
    assert_eq!((found.netuid, found.hotkeys.map(|keys| keys.len())), (Some(23), Some(19)));
}

#[test]
fn an_abandoned_layout_is_refused() {
    let Some(folder) = samples::folder() else { return };
    let path = folder.join("chain-recorded/btdecode-neurons_lite-4neurons.hex");
    let hex = fs::read_to_string(path).expect("GATING_SAMPLES names a folder with samples");
    let bytes = bytes(&Value::from(format!("0x{}", hex.trim())));
    let error = Columns::from_neurons_lite(&bytes).expect_err("two numbers too many");
    assert!(error.field.starts_with("neurons[0]."), "{error}");
}

#[test]
fn recorded_answers_that_were_cut_are_noticed() {
    let Some(folder) = samples::folder() else { return };
    let base = "chain-recorded/finney-sn1-block6530367-spec320-get";
    let names = ["selective_mechagraph", "subnet_state", "neurons_lite"];
    for ((name, decode), recorded) in DECODERS.iter().zip(names) {
        let bytes = bytes(&samples::answer(&folder, &format!("{base}_{recorded}.json")));
        check_cuts(name, *decode, &bytes, 1009);
    }
}
