//! Metagraphs from a node on the loopback interface.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use gating_core::{Checkpoint, CheckpointFolder};
use gating_metagraph::{Hotkey, Metagraph};
use serde_json::{Value, json};

use crate::fixture::{Place, place};
use crate::node::answers::{Row, block, empty_block};
use crate::node::{Block, Fault, Node};

const NETUID: &str = "7";

fn rows(keys: &[u8]) -> Vec<Row> {
    keys.iter().map(|&key| Row::new(key)).collect()
}

fn at(number: u64, keys: &[u8]) -> Block {
    block(7, number, &rows(keys))
}

fn node() -> Node {
    Node::start(9, vec![at(100, &[1, 2, 3])])
}

/// A command that asks a node about the subnet.
fn asking<'a>(words: &[&'a str], url: &'a str) -> Vec<&'a str> {
    let options = ["--network", url, "--netuid", NETUID, "--format", "json"];
    [&["metagraph"], words, &options].concat()
}

#[test]
fn a_snapshot_is_fetched() {
    let (place, node) = (place(), node());
    node.finalize(at(110, &[1, 2, 3, 4]));
    let run = place.run(&asking(&["fetch"], &node.url()));
    let found = Metagraph::from_json(&run.stdout).expect("stdout is a snapshot");
    assert_eq!((found.netuid(), found.block(), found.num_uids()), (Some(7), Some(110), 4));
    let named = place.run(&asking(&["fetch", "--output", "-"], &node.url()));
    assert_eq!(named.stdout, run.stdout);
    let words = ["fetch", "--block", "100", "--output", "it.json"];
    let run = place.run(&asking(&words, &node.url()));
    let expected = json!({"netuid": 7, "block": 100, "n": 3, "file": "it.json"});
    assert_eq!(run.json(), [expected]);
    let found = Metagraph::read(&place.path().join("it.json")).expect("it was written");
    assert_eq!((found.block(), found.num_uids()), (Some(100), 3));
}

#[test]
fn what_cannot_be_fetched_is_an_error() {
    let (place, node) = (place(), Node::start(9, vec![empty_block(100)]));
    let url = node.url();
    let check = |network: &str, words: &[&str], code: i32, kind: &str, message: &str| {
        let words = [&["fetch", "--retries", "0"], words].concat();
        let run = place.run(&asking(&words, network));
        let error = run.error();
        assert_eq!((run.code, error["kind"].as_str()), (Some(code), Some(kind)), "{run:?}");
        assert_eq!(error["message"].as_str(), Some(message), "{run:?}");
        assert!(run.stdout.is_empty());
    };
    let none = format!("{url}: there is no subnet 7 at block 100");
    check(&url, &[], 1, "metagraph", &none);
    let none = format!("{url}: there is no block 200");
    check(&url, &["--block", "200"], 1, "metagraph", &none);
    let nobody = "ws://127.0.0.1:1";
    check(nobody, &[], 1, "network", "ws://127.0.0.1:1: cannot connect");
    let two = "ws://127.0.0.1:1,ws://127.0.0.1:2";
    check(two, &[], 1, "network", "none of the 2 nodes could be used");
    let wrong = "invalid value 'nowhere' for '--network <NETWORK>': expected finney, test, local, \
                 or URLs such as wss://example.com:443, found `nowhere`";
    check("nowhere", &[], 2, "usage", wrong);
}

/// A run that goes on until it is told, or has reason, to end.
struct Watch {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

fn watch(place: &Place, node: &Node, words: &[&str]) -> Watch {
    let url = node.url();
    let words = [&["watch", "--every", "1"], words].concat();
    let mut command = place.command(&asking(&words, &url));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("the command can be started");
    let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
    Watch { child, stdout }
}

impl Watch {
    /// The next event.
    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("stdout is UTF-8");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
    }

    /// What it said on stderr, once it has ended well.
    fn end(self) -> String {
        let output = self.child.wait_with_output().expect("it was started");
        let stderr = String::from_utf8(output.stderr).expect("all output is UTF-8");
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        stderr
    }

    #[cfg(unix)]
    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(status.expect("the system has the command kill").success());
    }
}

#[test]
fn changes_are_told_as_they_happen() {
    let (place, node) = (place(), node());
    let mut watch = watch(&place, &node, &["--events", "2"]);
    assert_eq!(watch.next(), json!({"event": "first", "netuid": 7, "block": 100, "n": 3}));
    node.finalize(at(101, &[1, 3, 9, 4]));
    let hotkey = Hotkey::new([3; 32]).to_string();
    let expected = json!({
        "event": "changed",
        "from": {"netuid": 7, "block": 100, "n": 3},
        "to": {"netuid": 7, "block": 101, "n": 4},
        "replaced": [1, 2],
        "moved": [{"hotkey": hotkey, "from": 2, "to": 1}],
        "added": [3],
        "removed": [],
        "swapped": [],
        "reregistered": [],
        "axon_changed": [],
    });
    assert_eq!(watch.next(), expected);
    assert_eq!(watch.end(), "");
}

#[test]
fn changes_are_told_to_people_too() {
    let (place, node) = (place(), node());
    let url = node.url();
    let options = ["--every", "1", "--network", &url, "--netuid", NETUID, "--events", "2"];
    let mut command = place.command(&[&["metagraph", "watch"][..], &options].concat());
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it can be started");
    let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
    let mut next = || lines.next().expect("there is a line").expect("stdout is UTF-8");
    assert_eq!(next(), "block 100: subnet 7 has 3 uids");
    let mut rows = rows(&[1, 3, 9]);
    rows[0].port = 80;
    rows[2].registered_at = 101;
    node.finalize(block(7, 101, &rows));
    assert_eq!(next(), "block 101: 3 of 3 uids changed");
    assert_eq!(next(), "  uid 0: axon 203.0.113.7:8091 -> 203.0.113.7:80");
    let key = |key| Hotkey::new([key; 32]);
    assert_eq!(next(), format!("  uid 1: {} -> {} (moved from uid 2)", key(2), key(3)));
    assert_eq!(next(), format!("  uid 2: {} -> {} (replaced)", key(3), key(9)));
    assert!(child.wait().expect("it was started").success());
}

#[test]
fn a_node_that_fails_ends_nothing() {
    let (place, node) = (place(), node());
    let mut watch = watch(&place, &node, &["--until-block", "103"]);
    watch.next();
    node.fail("state_call", Fault::Cut(20));
    node.finalize(at(101, &[1, 2, 4]));
    assert_eq!(watch.next()["to"]["block"], json!(101));
    node.finalize(at(102, &[1]));
    node.finalize(at(103, &[1, 2, 4]));
    let stderr = watch.end();
    let warning: Value = serde_json::from_str(stderr.lines().next().expect("there is a warning"))
        .expect("stderr is JSON");
    let message = warning["message"].as_str().expect("it has a message");
    assert!(message.starts_with(&format!("{}: the connection broke: ", node.url())), "{stderr}");
    assert!(message.contains("; the metagraph of block 100 is kept, "), "{stderr}");
}

#[cfg(unix)]
#[test]
fn a_watch_ends_well_when_it_is_interrupted() {
    for name in ["INT", "TERM"] {
        let (place, node) = (place(), node());
        let mut watch = watch(&place, &node, &[]);
        watch.next();
        watch.signal(name);
        watch.end();
    }
}

/// A checkpoint that has learned, of as many uids as the node has.
fn checkpoint(place: &Place) {
    let words = ["learn", "--message", "hi", "--uids", "0,1", "--rewards", "0,1"];
    let run = place.run_tiny(&[&words[..], &["--checkpoint", "state"]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
}

fn followed(place: &Place) -> Option<u64> {
    let checkpoint = Checkpoint::read(&place.path().join("state")).expect("it was written whole");
    checkpoint.metagraph().and_then(Metagraph::block)
}

const KEYS: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

#[test]
fn a_checkpoint_keeps_up_with_its_network() {
    let (place, node) = (place(), Node::start(9, vec![at(100, &KEYS)]));
    checkpoint(&place);
    let mut watch = watch(&place, &node, &["--checkpoint", "state", "--until-block", "103"]);
    assert_eq!(watch.next()["event"], json!("first"));
    let resync = watch.next();
    assert_eq!((&resync["event"], &resync["kept"]), (&json!("resync"), &json!(8)));
    assert_eq!(followed(&place), Some(100));
    node.finalize(at(101, &[1, 2, 9, 4, 5, 6, 7, 8]));
    assert_eq!(watch.next()["replaced"], json!([2]));
    let resync = watch.next();
    assert_eq!((&resync["kept"], &resync["replaced"]), (&json!(7), &json!([2])));
    assert_eq!(followed(&place), Some(101));
    node.finalize(at(102, &[1, 2, 9, 4, 5, 6, 7, 8]));
    node.finalize(at(103, &[1, 2, 9, 4, 5, 6, 7, 8, 10]));
    assert_eq!(watch.next()["added"], json!([8]));
    assert_eq!(watch.next()["grown"], json!([8]));
    watch.end();
    assert_eq!(followed(&place), Some(103));
}

/// What was to be tried again is not forgotten at the end.
#[test]
fn a_watch_that_could_not_keep_up_fails() {
    let (place, node) = (place(), Node::start(9, vec![at(100, &KEYS)]));
    checkpoint(&place);
    let lock = CheckpointFolder::open(&place.path().join("state")).expect("nobody else has it");
    let url = node.url();
    let run = place.run(&asking(&["watch", "--checkpoint", "state", "--events", "1"], &url));
    assert_eq!((run.code, run.error()["kind"].as_str()), (Some(1), Some("checkpoint")), "{run:?}");
    assert!(run.stderr.contains("it is tried again"), "{run:?}");
    drop(lock);
    let run = place.run(&asking(&["watch", "--checkpoint", "state", "--events", "1"], &url));
    assert_eq!((run.code, followed(&place)), (Some(0), Some(100)), "{run:?}");
}

#[test]
fn a_checkpoint_must_be_there_to_keep_up() {
    let (place, node) = (place(), node());
    let url = node.url();
    let run = place.run(&asking(&["watch", "--checkpoint", "none"], &url));
    assert_eq!((run.code, run.error()["kind"].as_str()), (Some(1), Some("checkpoint")));
    assert!(node.take_calls().is_empty());
}

#[test]
fn a_resync_can_ask_a_node() {
    let (place, node) = (place(), Node::start(9, vec![at(100, &KEYS)]));
    checkpoint(&place);
    let options = ["--checkpoint", "state", "--netuid", NETUID, "--format", "json"];
    let run = place.run(&[&["resync", &node.url()][..], &options].concat());
    assert_eq!(run.json()[0]["kept"], json!(8));
    node.finalize(at(101, &[1, 2, 3, 4, 5, 6, 9, 8]));
    let run = place.run(&[&["resync", &node.url()][..], &options].concat());
    assert_eq!(run.json()[0]["replaced"], json!([6]));
    assert_eq!(followed(&place), Some(101));
    let run = place.run(&[&["resync", "ws://"][..], &options].concat());
    assert_eq!((run.code, run.error()["kind"].as_str()), (Some(2), Some("usage")), "{run:?}");
    let run = place.run(&[&["resync", "none.json"][..], &options].concat());
    assert_eq!((run.code, run.error()["kind"].as_str()), (Some(1), Some("file")), "{run:?}");
    let hint = "name a file, finney, test, local, or the URL of a node";
    assert_eq!(run.error()["hint"].as_str(), Some(hint));
}

#[test]
fn a_subnet_that_is_not_there_yet_is_looked_for_again() {
    let (place, node) = (place(), Node::start(9, vec![empty_block(100)]));
    let mut watch = watch(&place, &node, &["--events", "1"]);
    // The first look must be over before there is such a subnet.
    let mut line = String::new();
    let mut stderr = BufReader::new(watch.child.stderr.take().expect("stderr is piped"));
    stderr.read_line(&mut line).expect("stderr is UTF-8");
    assert!(line.contains("there is no subnet 7 at block 100; it is looked for again"), "{line}");
    node.finalize(at(101, &[1, 2]));
    assert_eq!(watch.next()["block"], json!(101));
    watch.end();
}
