//! The client against a node on the loopback interface.

use std::time::{Duration, Instant};

use gating_metagraph::chain::{At, Backoff, Client, ClientConfig, Limits};
use gating_metagraph::{Axon, BlockHash, Coldkey, Hotkey, Metagraph, Neuron, Rao, Stake, Subnet};
use serde_json::Value;

use crate::node::answers::{LITE, Row, STATE, WHOLE, block, empty_block, hex, selective};
use crate::node::{Block, Fault, Node, hash};

const NETUID: u16 = 7;
const NUMBER: u64 = 4_321;
const ROWS: [u8; 3] = [1, 2, 3];

/// Where nobody listens: a port that only an administrator could open, and none does.
pub(crate) const NOBODY: &str = "ws://127.0.0.1:1";

/// Short enough that tests of limits take no time, and long enough that a busy machine keeps them.
pub(crate) fn config() -> ClientConfig {
    let limits = Limits {
        connect: Duration::from_secs(5),
        answer: Duration::from_secs(5),
        answer_bytes: 1 << 20,
    };
    let wait = Duration::from_millis(2);
    let backoff = Backoff { first: wait, longest: wait * 2, seed: 0 };
    ClientConfig { limits, backoff, retries: 2 }
}

fn no_retries() -> ClientConfig {
    ClientConfig { retries: 0, ..config() }
}

const SHORT: Duration = Duration::from_millis(60);

/// Leaves slow nodes soon; on a busy machine a good one may have to be asked more than once.
fn impatient(limits: Limits, retries: u32) -> ClientConfig {
    ClientConfig { limits, retries, ..config() }
}

pub(crate) fn rows(keys: &[u8]) -> Vec<Row> {
    keys.iter().map(|&key| Row::new(key)).collect()
}

fn node() -> Node {
    Node::start(9, vec![block(NETUID, NUMBER, &rows(&ROWS))])
}

pub(crate) fn client(nodes: &[&Node], config: ClientConfig) -> Client {
    let urls: Vec<String> = nodes.iter().map(|node| node.url()).collect();
    Client::new(urls.join(",").parse().expect("they are URLs"), config)
}

fn neuron(key: u8) -> Neuron {
    Neuron {
        coldkey: Some(Coldkey::new([0xcc; 32])),
        axon: Some(Axon {
            version: Some(0),
            protocol: Some(4),
            block: Some(0),
            ..Axon::new([203, 0, 113, 7].into(), 8091)
        }),
        active: Some(false),
        validator_permit: Some(false),
        stake: Stake {
            own_alpha: None,
            alpha: Some(Rao(1_000_000_000_000)),
            tao: Some(Rao(1_000_000_000_000)),
            total: Some(Rao(1_000_000_000_000)),
        },
        registered_at: Some(7),
        last_update: Some(100),
        ..Neuron::new(Hotkey::new([key; 32]))
    }
}

fn parsed(hash: &str) -> BlockHash {
    hash.parse().expect("it is a hash")
}

fn expected() -> Metagraph {
    let subnet = Subnet {
        genesis: Some(parsed(&hash(9, 0))),
        block_hash: Some(parsed(&hash(9, NUMBER))),
        tempo: Some(360),
        max_uids: Some(256),
        immunity_period: Some(4096),
        ..Subnet::at(NETUID, NUMBER)
    };
    Metagraph::with_subnet(subnet, ROWS.map(neuron).to_vec()).expect("the keys differ")
}

#[test]
fn a_metagraph_is_one_answer_at_one_block() {
    let node = node();
    let found = client(&[&node], no_retries()).metagraph(NETUID, At::Finalized);
    assert_eq!(found.expect("the node is well"), expected());
    let call = format!("state_call {WHOLE}");
    let calls = ["chain_getBlockHash", "chain_getFinalizedHead", "chain_getHeader", &call];
    assert_eq!(node.take_calls(), calls);
}

#[test]
fn a_block_is_named_by_its_number() {
    let node = node();
    node.finalize(block(NETUID, NUMBER + 10, &rows(&[4])));
    let mut client = client(&[&node], no_retries());
    let found = client.metagraph(NETUID, At::Block(NUMBER)).expect("the node is well");
    assert_eq!(found, expected());
    let mut refused = |number: u64| {
        let error = client.metagraph(NETUID, At::Block(number)).expect_err("it is not final");
        error.problem.to_string()
    };
    assert_eq!(refused(NUMBER + 12), "there is no block 4333");
    assert_eq!(refused(NUMBER + 11), "block 4332 is not final yet, block 4331 is");
    let discarded = refused(NUMBER - 1);
    assert!(discarded.starts_with("it no longer has the state of this block: "), "{discarded}");
}

#[test]
fn a_subnet_that_does_not_exist_is_told_at_once() {
    let node = Node::start(9, vec![empty_block(NUMBER)]);
    let error = client(&[&node], config()).metagraph(8, At::Finalized).expect_err("there is none");
    assert_eq!(error.to_string(), format!("{}: there is no subnet 8 at block 4321", node.url()));
    assert_eq!(node.take_calls().len(), 4, "nothing is tried again");
}

/// A node whose runtime lacks some methods.
fn older(missing: &[&str]) -> Node {
    let mut block = block(NETUID, NUMBER, &rows(&ROWS));
    block.answers.retain(|call, _| !missing.iter().any(|missing| call.starts_with(missing)));
    Node::start(9, vec![block])
}

fn check_older(node: &Node, change: fn(&mut Neuron)) {
    let found = client(&[node], no_retries()).metagraph(NETUID, At::Finalized);
    let found = found.expect("an older runtime has older methods");
    let mut expected = ROWS.map(neuron);
    expected.iter_mut().for_each(change);
    assert!(expected.iter().eq(found.neurons().map(|(_, neuron)| neuron)), "{found:?}");
}

const OWN_ALPHA: Option<Rao> = Some(Rao(1 << 40));

#[test]
fn older_runtimes_answer_with_older_methods() {
    check_older(&older(&[WHOLE]), |neuron| neuron.stake.own_alpha = OWN_ALPHA);
    check_older(&older(&[WHOLE, STATE]), |neuron| {
        neuron.stake = Stake { own_alpha: OWN_ALPHA, ..Stake::default() };
        neuron.registered_at = None;
    });
    let error = client(&[&older(&[WHOLE, LITE, STATE])], config()).metagraph(NETUID, At::Finalized);
    let error = error.expect_err("no method is left");
    assert!(error.to_string().contains("it does not know state_call: "), "{error}");
}

#[test]
fn a_new_layout_is_met_with_older_methods() {
    let node = node();
    node.fail("state_call", Fault::Result("0x0102".into()));
    check_older(&node, |neuron| neuron.stake.own_alpha = OWN_ALPHA);
}

#[test]
fn columns_that_are_missing_are_asked_for_elsewhere() {
    let node = node();
    let rows = rows(&ROWS);
    let lacking = selective(NETUID, NUMBER, &rows, |place| place != 55 && place != 66);
    node.fail("state_call", Fault::Result(hex(&lacking)));
    check_older(&node, |neuron| neuron.stake.own_alpha = OWN_ALPHA);
}

/// Without another try a fault is an error, and with one it is none.
fn check_fault(method: &'static str, fault: Fault, config: ClientConfig, expected: &str) {
    let node = node();
    node.fail(method, fault.clone());
    let error = client(&[&node], config).metagraph(NETUID, At::Finalized).expect_err(expected);
    assert_eq!(error.problem.to_string(), expected, "{fault:?}");
    node.fail(method, fault.clone());
    let other = self::node();
    let found = client(&[&node, &other], config).metagraph(NETUID, At::Finalized);
    assert_eq!(found.unwrap_or_else(|error| panic!("{fault:?}: {error}")), self::expected());
}

#[test]
fn faults_of_the_connection_are_met_by_another_node() {
    let check = |fault: Fault, expected: &str| {
        for method in ["chain_getBlockHash", "chain_getHeader", "state_call"] {
            check_fault(method, fault.clone(), no_retries(), expected);
        }
    };
    for count in [0, 1, 2, 3, 50] {
        check(Fault::Cut(count), "the connection broke");
    }
    check(Fault::OtherId(99), "an answer to question Some(99), which is not open");
    check(Fault::Text("{\"jsonrpc\":".to_owned()), "an answer that is not JSON-RPC");
    check(Fault::Text("[".repeat(100_000)), "an answer that is not JSON-RPC");
    check(Fault::Text("{\"id\":null}".to_owned()), "an answer to question None, which is not open");
    let error = r#"{"id":null,"error":{"code":-32700,"message":"Parse error"}}"#;
    check(Fault::Text(error.to_owned()), "the question failed (-32700): Parse error");
    check(Fault::Flood(2 << 20), "an answer of more than 1048576 bytes");
    check(Fault::Error(-32005, "slow down"), "it was asked too often (-32005): slow down");
}

fn check_slow(node: &Node, limits: Limits, expected: &str) {
    let other = self::node();
    let error = client(&[node], impatient(limits, 0)).metagraph(NETUID, At::Finalized);
    assert_eq!(error.expect_err(expected).problem.to_string(), expected);
    let found = client(&[node, &other], impatient(limits, 100)).metagraph(NETUID, At::Finalized);
    assert_eq!(found.expect("the other node is well"), self::expected());
}

#[test]
fn slow_nodes_are_left() {
    let start = Instant::now();
    let limits = Limits { answer: SHORT, ..config().limits };
    for (method, fault) in [("state_call", Fault::Drip), ("chain_getBlockHash", Fault::Silence)] {
        let node = node();
        (0..2).for_each(|_| node.fail(method, fault.clone()));
        check_slow(&node, limits, "an answer took longer than 60ms");
    }
    let deaf = node();
    deaf.become_deaf();
    let limits = Limits { connect: SHORT, ..config().limits };
    check_slow(&deaf, limits, "connecting took longer than 60ms");
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn answers_of_other_types_are_met_by_another_node() {
    let check = |method, result: Value, expected: &str| {
        check_fault(method, Fault::Result(result), no_retries(), expected);
    };
    check("chain_getBlockHash", 5.into(), "an unexpected answer to chain_getBlockHash");
    let not_hex = "an answer to chain_getBlockHash that is not hexadecimal";
    check("chain_getBlockHash", "0x00".into(), not_hex);
    check("chain_getHeader", Value::Null, "an unexpected answer to chain_getHeader");
    check("state_call", Value::Null, "an unexpected answer to state_call");
    check("state_call", "0x0".into(), "an answer to state_call that is not hexadecimal");
}

#[test]
fn answers_about_something_else_are_met_by_another_node() {
    let rows = rows(&ROWS);
    let check = |answer: Vec<u8>, expected: &str| {
        let node = node();
        node.fail("state_call", Fault::Result(hex(&answer)));
        let error = client(&[&node], no_retries()).metagraph(NETUID, At::Finalized);
        let error = error.expect_err(expected).problem;
        assert_eq!(error.to_string(), "the answer about subnet 7 is inconsistent");
        let source = std::error::Error::source(&error).expect("it has a cause");
        assert_eq!(source.to_string(), expected);
    };
    let all = |_| true;
    let other = "expected an answer about subnet 7, found subnet 8";
    check(selective(8, NUMBER, &rows, all), other);
    let other = "expected an answer about block 4321, found block 4320";
    check(selective(NETUID, NUMBER - 1, &rows, all), other);
    let hotkey = Hotkey::new([1; 32]);
    let twice = selective(NETUID, NUMBER, &self::rows(&[1, 2, 1]), all);
    check(twice, &format!("hotkey {hotkey} holds uid 0 and uid 2"));
    check(selective(NETUID, NUMBER, &self::rows(&[1, 0]), all), "uid 1 has no hotkey");
}

#[test]
fn answers_may_come_in_any_order() {
    let node = node();
    node.fail("chain_getFinalizedHead", Fault::Late);
    let found = client(&[&node], no_retries()).metagraph(NETUID, At::Block(NUMBER));
    assert_eq!(found.expect("the node is well"), expected());
    let node = older(&[WHOLE]);
    node.fail("chain_getHeader", Fault::Late);
    let found = client(&[&node], no_retries()).metagraph(NETUID, At::Block(NUMBER));
    assert_eq!(found.expect("the node is well").num_uids(), 3);
}

#[test]
fn a_node_of_another_network_is_not_asked() {
    let (other, right) = (node(), node());
    other.change_genesis(1);
    let mut network: gating_metagraph::chain::Network =
        format!("{},{}", other.url(), right.url()).parse().expect("they are URLs");
    network.genesis = Some(parsed(&hash(9, 0)));
    let found = Client::new(network, config()).metagraph(NETUID, At::Finalized);
    assert_eq!(found.expect("the other node is right"), expected());
    assert_eq!(other.take_calls(), ["chain_getBlockHash"]);
}

#[test]
fn a_network_is_known_by_the_first_node_that_answers() {
    let (node, other) = (node(), node());
    let mut client = client(&[&node, &other], no_retries());
    client.metagraph(NETUID, At::Finalized).expect("the node is well");
    node.fail("chain_getFinalizedHead", Fault::Cut(0));
    other.change_genesis(1);
    let error = client.metagraph(NETUID, At::Finalized).expect_err("one fails, one is wrong");
    let expected = format!("expected the network with genesis {}, found", hash(9, 0));
    assert!(error.problem.to_string().starts_with(&expected), "{error}");
}

#[test]
fn nodes_that_refuse_are_left_alone() {
    let (busy, other) = (node(), node());
    busy.refuse(429, "Retry-After: 3600\r\n");
    let found = client(&[&busy, &other], config()).metagraph(NETUID, At::Finalized);
    assert_eq!(found.expect("the other node is well"), expected());
    assert!(busy.take_calls().is_empty());
    busy.refuse(429, "Retry-After: 3600\r\n");
    let error = client(&[&busy], config()).metagraph(NETUID, At::Finalized);
    let expected = "the connection was refused with HTTP status 429";
    assert_eq!(error.expect_err("an hour is too long").problem.to_string(), expected);
    // Without a time to wait for it is asked again soon.
    busy.refuse(503, "");
    let found = client(&[&busy], config()).metagraph(NETUID, At::Finalized);
    assert_eq!(found.expect("the node is well again"), self::expected());
}

#[test]
fn a_state_that_is_gone_is_asked_of_an_archive() {
    let newest = block(NETUID, NUMBER + 500, &rows(&[4]));
    let node = Node::start(9, vec![newest.clone()]);
    let archive = Node::start(9, vec![block(NETUID, NUMBER, &rows(&ROWS)), newest]);
    let mut client = client(&[&node, &archive], no_retries());
    let found = client.metagraph(NETUID, At::Block(NUMBER)).expect("the archive has it");
    assert_eq!(found, expected());
}

#[test]
fn a_node_that_is_not_there_is_an_error() {
    let network = NOBODY.parse().expect("it is a URL");
    let error = Client::new(network, config()).metagraph(NETUID, At::Finalized);
    let error = error.expect_err("nobody listens");
    assert_eq!(error.to_string(), format!("{NOBODY}: cannot connect"));
}

/// Whatever is lost or changed on the way is asked for again or refused.
#[test]
fn damaged_answers_never_pass_for_whole_ones() {
    let node = node();
    let mut client = client(&[&node], no_retries());
    let whole = selective(NETUID, NUMBER, &rows(&ROWS), |_| true);
    for length in 0..whole.len() {
        node.fail("state_call", Fault::Result(hex(&whole[..length])));
        if let Ok(found) = client.metagraph(NETUID, At::Finalized) {
            let own =
                |(_, neuron): (_, &Neuron)| (neuron.hotkey, neuron.axon, neuron.registered_at);
            assert!(found.neurons().map(own).eq(expected().neurons().map(own)), "{length} bytes");
        }
    }
    for bit in (0..whole.len() * 8).step_by(37) {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        node.fail("state_call", Fault::Result(hex(&flipped)));
        if let Ok(found) = client.metagraph(NETUID, At::Finalized) {
            assert_eq!((found.netuid(), found.block()), (Some(NETUID), Some(NUMBER)));
        }
    }
}

#[test]
fn no_other_block_passes_for_the_one_that_was_asked_for() {
    let node = node();
    let header = serde_json::json!({"number": "0x1"});
    node.fail("chain_getHeader", Fault::Result(serde_json::json!({"number": "0xffff"})));
    node.fail("chain_getHeader", Fault::Result(header));
    let error = client(&[&node], no_retries()).metagraph(NETUID, At::Block(NUMBER));
    let error = error.expect_err("the header is of block 1");
    assert_eq!(error.problem.to_string(), "expected block 4321, found block 1");
}

#[test]
fn recordings_are_read_through_the_client() {
    let Some(folder) = crate::samples::folder() else { return };
    let recorded = |name: &str| crate::samples::answer(&folder, name);
    let base = "chain-recorded/finney-sn1-block6530367-spec320-get";
    let answers = [
        (LITE.to_owned(), recorded(&format!("{base}_neurons_lite.json"))),
        (STATE.to_owned(), recorded(&format!("{base}_subnet_state.json"))),
    ];
    let older = Block { number: 6_530_367, answers: answers.into_iter().collect() };
    let name = "constructed/sn1-block6852690-selective_metagraph-min-spec461.json";
    let answers = [(WHOLE.to_owned(), recorded(name))].into_iter().collect();
    let node = Node::start(9, vec![older, Block { number: 6_852_690, answers }]);
    let mut client = client(&[&node], no_retries());
    let found = client.metagraph(1, At::Block(6_530_367)).expect("the recording is whole");
    let expected = crate::samples::network(&folder, 6_530_367);
    assert!(expected.neurons().eq(found.neurons()));
    let found = client.metagraph(1, At::Finalized).expect("the answer is whole");
    assert_eq!((found.num_uids(), found.block()), (1024, Some(6_852_690)));
}
