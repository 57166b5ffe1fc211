//! JSON documents of other programs, in the shape that their authors describe.

use std::fs;

use gating_metagraph::{
    Axon, Coldkey, Error, Format, Hotkey, Metagraph, Neuron, Rao, Stake, Subnet,
};
use serde_json::{Value, json};

fn hotkey(key: u8) -> Hotkey {
    Hotkey::new([key; 32])
}

fn key(key: u8) -> String {
    hotkey(key).to_string()
}

fn read(document: &Value) -> Result<Metagraph, Error> {
    Metagraph::from_bytes(document.to_string().as_bytes())
}

/// Reads a document that is wrong, and checks the error and its causes.
fn check(document: &Value, expected: &str) {
    let error = read(document).expect_err("the document is wrong");
    let mut found = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        found.push_str(": ");
        found.push_str(&error.to_string());
        source = error.source();
    }
    // Where in the line it is wrong depends on how the test writes the document.
    let found = found.split(" at line ").next().expect("there is one part at least");
    assert_eq!(found, expected);
}

fn btcli_metagraph() -> Value {
    json!({
        "netuid": 8, "name": "any", "symbol": "α", "identity": null, "block": 700, "tempo": 99,
        "num_uids": 2, "max_uids": 256, "immunity_period": 7200, "moving_price": {"bits": 5},
        "hotkeys": [key(1), key(2)],
        "coldkeys": [key(9), key(9)],
        "axons": [
            {"block": 600, "version": 9, "ip": 3_405_803_783_u32, "port": 8091, "ip_type": 4,
                "protocol": 4, "placeholder1": 0, "placeholder2": 0},
            {"block": 0, "version": 0, "ip": 0, "port": 0, "ip_type": 0,
                "protocol": 0, "placeholder1": 0, "placeholder2": 0},
        ],
        "active": [false, true], "validator_permit": [false, true], "last_update": [5, 6],
        "block_at_registration": [590, 4], "alpha_stake": [1, 2], "tao_stake": [3, 4],
        "total_stake": [5, 6], "rank": [], "trust": [],
    })
}

#[test]
fn btcli_11_has_everything_but_the_network() {
    let metagraph = read(&btcli_metagraph()).expect("it is whole");
    let subnet = Subnet {
        tempo: Some(99),
        max_uids: Some(256),
        immunity_period: Some(7200),
        ..Subnet::at(8, 700)
    };
    let first = Neuron {
        coldkey: Some(Coldkey::new([9; 32])),
        axon: Some(Axon {
            version: Some(9),
            protocol: Some(4),
            block: Some(600),
            ..Axon::new([203, 0, 113, 7].into(), 8091)
        }),
        active: Some(false),
        validator_permit: Some(false),
        stake: Stake {
            own_alpha: None,
            alpha: Some(Rao(1)),
            tao: Some(Rao(3)),
            total: Some(Rao(5)),
        },
        registered_at: Some(590),
        last_update: Some(5),
        ..Neuron::new(hotkey(1))
    };
    assert_eq!(metagraph.subnet(), &subnet);
    assert_eq!(metagraph.neuron(0.into()), Some(&first));
    let second = metagraph.neuron(1.into()).expect("there are two");
    assert!(second.axon.is_some_and(|axon| !axon.serves()), "no axon is not an unknown one");
}

#[test]
fn columns_that_the_chain_no_longer_fills_are_unknown() {
    let mut document = btcli_metagraph();
    for column in ["active", "axons", "total_stake"] {
        document[column] = json!([]);
    }
    document["coldkeys"] = Value::Null;
    let metagraph = read(&document).expect("the hotkeys are there");
    let neuron = metagraph.neuron(0.into()).expect("there are two");
    assert_eq!((neuron.coldkey, neuron.axon, neuron.active), (None, None, None));
    assert_eq!((neuron.stake.total, neuron.stake.tao), (None, Some(Rao(3))));
}

#[test]
fn btcli_11_says_what_is_wrong() {
    let with = |name: &str, value: Value| {
        let mut document = btcli_metagraph();
        document[name] = value;
        document
    };
    let format = "output of `btcli subnets metagraph`";
    check(
        &with("total_stake", json!([5])),
        &format!("`total_stake` of the {format} has 1 value, expected 2"),
    );
    check(
        &with("num_uids", json!(3)),
        &format!("`hotkeys` of the {format} has 2 values, expected 3"),
    );
    check(
        &with("active", json!([false, 1])),
        &format!(
            "the {format} is wrong at `active[1]`: invalid type: integer `1`, expected a boolean"
        ),
    );
    check(
        &with("hotkeys", json!([key(1), "5Grw"])),
        &format!("the {format} is wrong at `hotkeys[1]`: key `5Grw` holds 3 bytes, expected 35"),
    );
    let twice = with("hotkeys", json!([key(1), key(1)]));
    check(&twice, &format!("hotkey {} holds uid 0 and uid 1", key(1)));
}

fn btcli_show() -> Value {
    let row = |uid: u16, stake: f64| {
        json!({
            "uid": uid, "stake": stake, "alpha_stake": 0.5, "tao_stake": 0.25, "hotkey": key(uid as u8 + 1),
            "coldkey": key(9), "identity": "~", "claim_type": null,
        })
    };
    json!({
        "netuid": 8, "mechanism_id": 0, "name": "any", "owner": key(9), "rate": 0.01,
        "tempo": {"block_since_last_step": 3, "tempo": 99},
        "uids": [row(2, 4096.000000001), row(0, 1.5), row(1, 0.0)],
    })
}

#[test]
fn btcli_9_sorts_by_stake_and_is_put_in_order() {
    let metagraph = read(&btcli_show()).expect("it is whole");
    let subnet = Subnet { netuid: Some(8), tempo: Some(99), ..Subnet::default() };
    assert_eq!(metagraph.subnet(), &subnet);
    let hotkeys: Vec<_> = metagraph.neurons().map(|(_, neuron)| neuron.hotkey).collect();
    assert_eq!(hotkeys, [hotkey(1), hotkey(2), hotkey(3)]);
    let last = Neuron {
        coldkey: Some(Coldkey::new([9; 32])),
        stake: Stake {
            alpha: Some(Rao(500_000_000)),
            total: Some(Rao(4_096_000_000_001)),
            ..Stake::default()
        },
        ..Neuron::new(hotkey(3))
    };
    assert_eq!(metagraph.neuron(2.into()), Some(&last));
}

#[test]
fn btcli_9_says_what_is_wrong() {
    let with = |row: usize, name: &str, value: Value| {
        let mut document = btcli_show();
        document["uids"][row][name] = value;
        document
    };
    let format = "output of `btcli subnets show`";
    check(&with(0, "uid", json!(0)), &format!("uid 0 stands in the {format} twice"));
    check(&with(1, "uid", json!(7)), &format!("the {format} has 3 uids, but lacks uid 0"));
    check(
        &with(0, "stake", json!(-1.0)),
        &format!("expected an amount in TAO at `stake of uid 2` of the {format}, found -1"),
    );
    check(
        &with(1, "hotkey", json!(5)),
        &format!(
            "the {format} is wrong at `uids[1].hotkey`: invalid type: integer `5`, expected a string"
        ),
    );
}

fn taostats(page: u16, uids: std::ops::Range<u16>, total: u16) -> Value {
    let row = |uid: u16| {
        json!({
            "hotkey": {"ss58": key(uid as u8 + 1), "hex": "0x00"},
            "coldkey": {"ss58": key(9), "hex": "0x00"},
            "netuid": 8, "uid": uid, "block_number": 700, "timestamp": "2026-06-21T00:00:00Z",
            "stake": "0", "total_alpha_stake": "213983708116528.17996773753364",
            "trust": "0", "active": true, "validator_permit": false, "updated": 12,
            "registered_at_block": 600, "is_immunity_period": false,
            "axon": {"block": 650, "ip": "203.0.113.7", "port": 8091, "protocol": 4,
                "version": 9, "ipType": 4},
        })
    };
    json!({
        "pagination": {"current_page": page, "per_page": 2, "total_items": total,
            "total_pages": total.div_ceil(2), "next_page": null, "prev_page": null},
        "data": uids.rev().map(row).collect::<Vec<_>>(),
    })
}

fn taostats_neuron(uid: u16) -> Neuron {
    Neuron {
        coldkey: Some(Coldkey::new([9; 32])),
        axon: Some(Axon {
            version: Some(9),
            protocol: Some(4),
            block: Some(650),
            ..Axon::new([203, 0, 113, 7].into(), 8091)
        }),
        active: Some(true),
        validator_permit: Some(false),
        stake: Stake { total: Some(Rao(213_983_708_116_528)), ..Stake::default() },
        registered_at: Some(600),
        ..Neuron::new(hotkey(uid as u8 + 1))
    }
}

#[test]
fn taostats_pages_make_one_metagraph() {
    let expected = (0..3).map(taostats_neuron).collect();
    let expected = Metagraph::new(8, 700, expected).expect("the keys differ");
    let pages = [taostats(2, 2..3, 3), taostats(1, 0..2, 3)];
    assert_eq!(read(&taostats(1, 0..3, 3)).expect("one page"), expected);
    assert_eq!(read(&json!(pages)).expect("an array of pages"), expected);
    let lines = pages.each_ref().map(Value::to_string);
    let one_after_another = lines.join("\n");
    let read = Metagraph::from_bytes(one_after_another.as_bytes());
    assert_eq!(read.expect("pages one after another"), expected);

    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let paths = ["a.json", "b.json"].map(|name| folder.path().join(name));
    for (path, line) in paths.iter().zip(lines) {
        fs::write(path, line).expect("the folder can be written to");
    }
    assert_eq!(Metagraph::read_pages(&paths).expect("two files"), expected);
    fs::write(&paths[0], btcli_show().to_string()).expect("the folder can be written to");
    let error = Metagraph::read_pages(&paths).expect_err("one file is of another kind");
    assert_eq!(
        error.to_string(),
        "expected pages of taostats, found the output of `btcli subnets show`"
    );
}

#[test]
fn taostats_tells_null_from_nothing_and_knows_older_rows() {
    let mut document = taostats(1, 0..2, 2);
    document["data"][0]["axon"] = Value::Null;
    let row = document["data"][1].as_object_mut().expect("a row is an object");
    row.remove("axon");
    row.remove("total_alpha_stake");
    row["stake"] = json!(7);
    let metagraph = read(&document).expect("the hotkeys are there");
    let neurons: Vec<_> = metagraph.neurons().map(|(_, neuron)| neuron).collect();
    assert_eq!((neurons[0].axon, neurons[0].stake.total), (None, Some(Rao(7))));
    assert_eq!(neurons[1].axon, Some(Axon::not_serving()));
}

#[test]
fn taostats_says_what_is_wrong() {
    let with = |name: &str, value: Value| {
        let mut document = taostats(1, 0..2, 2);
        document["data"][1][name] = value;
        document
    };
    check(&taostats(1, 0..2, 3), "expected the 3 uids of all taostats pages, found 2");
    check(
        &json!([taostats(2, 2..3, 3), taostats(1, 0..1, 3)]),
        "the taostats metagraph has 2 uids, but lacks uid 1",
    );
    check(
        &with("block_number", json!(701)),
        "the taostats pages disagree on `block_number`: 700 and 701; fetch them again",
    );
    check(
        &with("total_alpha_stake", json!("1e5")),
        "the taostats metagraph is wrong at `data[1].total_alpha_stake`: \
         invalid value: string \"1e5\", expected an amount in rao",
    );
    let mut document = taostats(1, 0..2, 2);
    document["data"][0]["axon"]["ip"] = json!("nowhere");
    check(
        &document,
        "the taostats metagraph is wrong at `data[0].axon.ip`: invalid IP address syntax",
    );
}

#[test]
fn bytes_of_no_known_kind_are_refused() {
    let check = |bytes: &[u8], expected: &str| {
        let error = Metagraph::from_bytes(bytes).expect_err("these are no metagraph");
        assert_eq!(error.to_string(), expected);
    };
    check(b"", "expected a metagraph, found nothing");
    check(b" \n", "expected a metagraph, found nothing");
    check(b"{", "expected a metagraph in JSON");
    let keys = "`format`, `hotkeys`, `uids`, `pagination` or `data`";
    check(b"{}", &format!("expected a metagraph, found JSON without {keys}"));
    check(b"[]", &format!("expected a metagraph, found JSON without {keys}"));
    check(b"[[{}],{\"uids\":[]}]", &format!("expected a metagraph, found JSON without {keys}"));
    check(b"\x7fELF", "expected a metagraph, found a file that begins with 7f 45 4c 46");
    let deep = "[".repeat(100_000);
    check(deep.as_bytes(), "expected a metagraph in JSON");
    assert_eq!(
        Format::of(b"{\"a\":[1,{}],\"uids\":").expect("the first telling key decides"),
        Format::BtcliShow
    );
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let json = format!("\u{feff}{}", btcli_show());
    Metagraph::from_bytes(json.as_bytes()).expect("only the mark is there besides");
}
