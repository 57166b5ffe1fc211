//! A subnet followed on a node of the loopback interface.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use gating_metagraph::chain::{
    Backoff, Client, ClientConfig, Event, FollowConfig, Follower, Shrink, Watcher,
};

use crate::chain::{NOBODY, client, config, rows};
use crate::node::answers::{Row, WHOLE, block, empty_block};
use crate::node::{Fault, Node, hash};

const NETUID: u16 = 7;
const HOUR: Duration = Duration::from_secs(3600);

/// Looks at every block, and never because of time.
const EAGER: FollowConfig =
    FollowConfig { blocks: 1, refresh_blocks: 1000, silence: HOUR, shrink: Shrink::Refuse };

fn node() -> Node {
    Node::start(9, vec![block(NETUID, 100, &rows(&[1, 2, 3, 4]))])
}

fn follow(nodes: &[&Node], config: FollowConfig) -> Follower {
    Follower::new(client(nodes, self::config()), NETUID, config)
}

/// What an event says, without the node.
fn text(event: &Event) -> String {
    match event {
        Event::Connected { .. } => "connected".to_owned(),
        Event::First { metagraph } => format!("first {} uids", metagraph.num_uids()),
        Event::Changed { previous, metagraph, diff } => {
            let numbers = |uids: &[gating_metagraph::Uid]| -> Vec<u16> {
                uids.iter().map(|uid| uid.get()).collect()
            };
            let blocks = [previous, metagraph].map(|side| side.block().expect("a node says it"));
            let (replaced, axons) = (numbers(&diff.replaced), numbers(&diff.axon_changed));
            format!("changed {blocks:?} replaced {replaced:?} axons {axons:?}")
        }
        Event::Unchanged { block } => format!("unchanged {block}"),
        Event::Refused { block, reason } => format!("refused {block}: {reason}"),
        Event::Failed { error, .. } => format!("failed: {}", error.problem),
        other => panic!("{other:?} is new"),
    }
}

fn check(follower: &mut Follower, expected: &[&str]) {
    for expected in expected {
        let event = follower.next_event().expect("nobody stops it");
        assert_eq!(text(&event), *expected);
    }
}

const BEGIN: [&str; 2] = ["connected", "first 4 uids"];
const BROKEN: &str = "failed: the connection broke";

#[test]
fn little_is_asked_while_nothing_changes() {
    let node = node();
    let mut follower = follow(&[&node], EAGER);
    check(&mut follower, &BEGIN);
    node.take_calls();
    node.finalize(block(NETUID, 101, &rows(&[1, 2, 3, 4])));
    check(&mut follower, &["unchanged 101"]);
    let call = format!("state_call {WHOLE}");
    assert_eq!(node.take_calls(), ["chain_getFinalizedHead", "chain_getHeader", &call]);
    let current = follower.current().expect("there was a first one");
    assert_eq!((current.block, current.metagraph.block()), (101, Some(100)));
    node.finalize(block(NETUID, 102, &rows(&[1, 9, 3, 4])));
    check(&mut follower, &["changed [100, 102] replaced [1] axons []"]);
    assert_eq!(node.take_calls(), ["chain_getFinalizedHead", "chain_getHeader", &call, &call]);
}

#[test]
fn a_hotkey_that_came_back_is_a_change() {
    let node = node();
    let mut follower = follow(&[&node], EAGER);
    check(&mut follower, &BEGIN);
    let mut rows = rows(&[1, 2, 3, 4]);
    rows[2].registered_at = 101;
    node.finalize(block(NETUID, 101, &rows));
    check(&mut follower, &["changed [100, 101] replaced [] axons []"]);
}

#[test]
fn everything_is_looked_at_from_time_to_time() {
    let node = node();
    let config = FollowConfig { refresh_blocks: 5, ..EAGER };
    let mut follower = follow(&[&node], config);
    check(&mut follower, &BEGIN);
    let mut rows = rows(&[1, 2, 3, 4]);
    rows[3] = Row { port: 9999, ..rows[3] };
    node.finalize(block(NETUID, 104, &rows));
    check(&mut follower, &["unchanged 104"]);
    node.finalize(block(NETUID, 105, &rows));
    check(&mut follower, &["changed [100, 105] replaced [] axons [3]"]);
}

#[test]
fn a_silent_node_is_asked_after_a_while() {
    let node = node();
    node.become_mute();
    let config = FollowConfig { silence: Duration::from_millis(5), ..EAGER };
    let mut follower = follow(&[&node], config);
    check(&mut follower, &BEGIN);
    node.finalize(block(NETUID, 101, &rows(&[1, 2, 3, 4])));
    // It may have been asked in between.
    let is_newer =
        |event: Option<Event>| event.is_some_and(|event| text(&event) == "unchanged 101");
    assert!((0..1000).any(|_| is_newer(follower.next_event())));
}

#[test]
fn a_node_that_tells_of_no_blocks_is_asked_after_a_while() {
    let node = node();
    node.become_mute();
    node.fail("chain_subscribeFinalizedHeads", Fault::Error(-32601, "Method not found"));
    let config = FollowConfig { silence: Duration::from_millis(5), ..EAGER };
    check(&mut follow(&[&node], config), &["connected", "first 4 uids", "unchanged 100"]);
}

#[test]
fn the_last_good_metagraph_outlives_its_node() {
    let node = node();
    let mut follower = follow(&[&node], EAGER);
    check(&mut follower, &BEGIN);
    node.fail("state_call", Fault::Cut(40));
    node.fail("chain_subscribeFinalizedHeads", Fault::Text("{".to_owned()));
    node.finalize(block(NETUID, 101, &rows(&[1, 2, 3, 9])));
    check(&mut follower, &[BROKEN, "failed: an answer that is not JSON-RPC"]);
    let current = follower.current().expect("there was a first one");
    assert_eq!((current.block, current.metagraph.num_uids()), (100, 4));
    let age = current.age();
    check(&mut follower, &["connected", "changed [100, 101] replaced [3] axons []"]);
    assert!(follower.current().expect("there was a first one").age() <= age + HOUR);
}

/// To let itself be connected to is no answer: such a node is not asked ever again at once.
#[test]
fn a_node_that_connects_and_fails_is_left_alone_for_longer_each_time() {
    let node = node();
    let first = Duration::from_millis(1);
    let backoff = Backoff { first, longest: HOUR, seed: 0 };
    let client = client(&[&node], ClientConfig { backoff, ..config() });
    let mut follower = Follower::new(client, NETUID, EAGER);
    let mut wait_after = |fault: Fault| {
        node.fail("state_call", fault);
        check(&mut follower, &["connected"]);
        match follower.next_event() {
            Some(Event::Failed { retry_in, .. }) => retry_in,
            event => panic!("{event:?} is no failure"),
        }
    };
    let limit = || Fault::Error(-32005, "slow down");
    let waits = [(); 6].map(|()| wait_after(limit()));
    assert!(waits[5] > first * 8, "{waits:?}");
    // An answer makes up for all of that.
    check(&mut follower, &BEGIN);
    node.fail("state_call", limit());
    node.finalize(block(NETUID, 101, &rows(&[1, 2, 3, 9])));
    match follower.next_event() {
        Some(Event::Failed { retry_in, .. }) => assert!(retry_in <= first, "{retry_in:?}"),
        event => panic!("{event:?} is no failure"),
    }
}

#[test]
fn blocks_never_go_back() {
    let (node, slow) = (node(), Node::start(9, vec![block(NETUID, 90, &rows(&[1, 2, 3, 5]))]));
    let mut follower = follow(&[&node, &slow], EAGER);
    check(&mut follower, &BEGIN);
    node.fail("chain_getFinalizedHead", Fault::Cut(0));
    node.finalize(block(NETUID, 101, &rows(&[1, 2, 3, 6])));
    let behind = "failed: it is at block 90, behind block 100 that is known already";
    check(&mut follower, &[BROKEN, "connected", behind, "connected"]);
    check(&mut follower, &["changed [100, 101] replaced [3] axons []"]);
}

#[test]
fn a_subnet_that_collapsed_is_not_taken() {
    let node = node();
    let mut follower = follow(&[&node], EAGER);
    check(&mut follower, &BEGIN);
    node.finalize(block(NETUID, 101, &rows(&[1])));
    check(&mut follower, &["refused 101: it has 1 uid, less than half of the 4 before"]);
    node.finalize(block(NETUID, 102, &[]));
    check(&mut follower, &["refused 102: it has no uids"]);
    assert_eq!(follower.current().map(|current| current.block), Some(100));
    node.finalize(block(NETUID, 103, &rows(&[1, 2])));
    check(&mut follower, &["changed [100, 103] replaced [] axons []"]);

    let mut follower = follow(&[&node], FollowConfig { shrink: Shrink::Accept, ..EAGER });
    check(&mut follower, &["connected", "first 2 uids"]);
    node.finalize(block(NETUID, 104, &rows(&[7, 8, 9, 1, 2])));
    check(&mut follower, &["changed [103, 104] replaced [0, 1] axons []"]);
    node.finalize(block(NETUID, 105, &rows(&[7])));
    check(&mut follower, &["changed [104, 105] replaced [] axons []"]);
}

#[test]
fn a_first_metagraph_has_uids() {
    let node = Node::start(9, vec![block(NETUID, 100, &[])]);
    let mut follower = follow(&[&node], EAGER);
    check(&mut follower, &["connected", "refused 100: it has no uids"]);
    node.finalize(block(NETUID, 101, &rows(&[1])));
    check(&mut follower, &["first 1 uids"]);
}

#[test]
fn a_subnet_is_waited_for() {
    let node = Node::start(9, vec![empty_block(100)]);
    let mut follower = follow(&[&node], EAGER);
    check(&mut follower, &["connected", "failed: there is no subnet 7 at block 100"]);
    // Of this block the node had told when it was connected to.
    check(&mut follower, &["failed: there is no subnet 7 at block 100"]);
    node.finalize(block(NETUID, 101, &rows(&[1])));
    check(&mut follower, &["first 1 uids"]);
}

#[test]
fn the_network_stays_the_same() {
    let node = node();
    let mut follower = follow(&[&node], EAGER);
    check(&mut follower, &BEGIN);
    node.fail("chain_getFinalizedHead", Fault::Cut(0));
    node.change_genesis(1);
    node.finalize(block(NETUID, 101, &rows(&[5, 6, 7, 8])));
    let expected = |genesis| hash(genesis, 0);
    let other =
        format!("failed: expected the network with genesis {}, found {}", expected(9), expected(1));
    check(&mut follower, &[BROKEN, &other]);
    assert_eq!(follower.current().map(|current| current.block), Some(100));
    node.change_genesis(9);
    check(&mut follower, &["connected", "changed [100, 101] replaced [0, 1, 2, 3] axons []"]);
}

#[test]
fn older_runtimes_are_followed_too() {
    let older = |number, keys: &[u8]| {
        let mut block = block(NETUID, number, &rows(keys));
        block.answers.retain(|call, _| !call.starts_with(WHOLE));
        block
    };
    let node = Node::start(9, vec![older(100, &[1, 2, 3, 4])]);
    let mut follower = follow(&[&node], EAGER);
    check(&mut follower, &BEGIN);
    node.finalize(older(101, &[1, 2, 3, 4]));
    check(&mut follower, &["unchanged 101"]);
    node.finalize(older(102, &[1, 2, 5, 4]));
    check(&mut follower, &["changed [101, 102] replaced [2] axons []"]);
}

/// A watcher whose events come out of a channel.
fn watch(follower: Follower) -> (Watcher, mpsc::Receiver<String>) {
    let (sender, receiver) = mpsc::channel();
    let on_event = move |event: Event| sender.send(text(&event)).expect("the test listens");
    (Watcher::spawn(follower, on_event).expect("there are free threads"), receiver)
}

fn expect(events: &mpsc::Receiver<String>, expected: &[&str]) {
    for expected in expected {
        assert_eq!(events.recv().expect("the watcher runs"), *expected);
    }
}

#[test]
fn a_watcher_replaces_metagraphs_whole() {
    let node = node();
    let (watcher, events) = watch(follow(&[&node], EAGER));
    expect(&events, &BEGIN);
    let first = watcher.current().expect("there was a first one").metagraph;
    node.finalize(block(NETUID, 101, &rows(&[1, 2, 3, 9])));
    expect(&events, &["changed [100, 101] replaced [3] axons []"]);
    let second = watcher.current().expect("there was a first one");
    assert_eq!((first.block(), second.metagraph.block()), (Some(100), Some(101)));
    assert!(second.age() < HOUR && !Arc::ptr_eq(&first, &second.metagraph));
    assert!(watcher.is_running());
    // It waits for a block that never comes.
    let start = Instant::now();
    watcher.join();
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(events.recv(), Err(mpsc::RecvError), "the thread is gone");
}

#[test]
fn a_watcher_ends_while_it_waits_for_its_turn() {
    let backoff = Backoff { first: HOUR, longest: HOUR, seed: 0 };
    let config = ClientConfig { backoff, ..config() };
    let client = Client::new(NOBODY.parse().expect("it is a URL"), config);
    let (watcher, events) = watch(Follower::new(client, NETUID, EAGER));
    expect(&events, &["failed: cannot connect"]);
    assert!(watcher.current().is_none());
    let start = Instant::now();
    watcher.join();
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_watcher_that_is_dropped_ends() {
    let node = node();
    let (watcher, events) = watch(follow(&[&node], EAGER));
    expect(&events, &BEGIN);
    drop(watcher);
    assert_eq!(events.recv(), Err(mpsc::RecvError));
}
