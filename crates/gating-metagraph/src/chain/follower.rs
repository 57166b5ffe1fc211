//! One subnet followed from block to block.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::client::Client;
use super::endpoint::Endpoint;
use super::error::{Error, Problem};
use super::session::{Block, Session};
use super::stop::Stop;
use crate::counted::counted;
use crate::runtime::Columns;
use crate::{Metagraph, MetagraphDiff};

/// When a subnet is looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FollowConfig {
    /// Look who is who after so many blocks.
    pub blocks: u64,
    /// Look at everything after so many blocks, although nobody came or went: axons and stakes
    /// change too.
    pub refresh_blocks: u64,
    /// Look after so long, although the node does not tell of new blocks.
    pub silence: Duration,
    /// What to do with a subnet that lost more than half of its uids at once.
    pub shrink: Shrink,
}

impl Default for FollowConfig {
    fn default() -> Self {
        Self {
            blocks: 10,
            refresh_blocks: 100,
            silence: Duration::from_secs(180),
            shrink: Shrink::Refuse,
        }
    }
}

/// What to do with a subnet that lost more than half of its uids at once, which an owner can
/// bring about, but a broken node far more easily.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shrink {
    /// Keep the last good metagraph, and say so.
    Refuse,
    /// Take it as it is. A subnet without uids is refused even so.
    Accept,
}

impl Shrink {
    /// Judges a subnet that has `now` uids after it had `before`.
    ///
    /// # Errors
    ///
    /// When it has none, or lost more than half of them where that is refused.
    pub fn check(self, before: usize, now: usize) -> Result<(), Refusal> {
        match now {
            0 => Err(Refusal::Empty),
            _ if self == Self::Refuse && now < before.div_ceil(2) => {
                Err(Refusal::Halved { before, now })
            }
            _ => Ok(()),
        }
    }
}

/// What happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A node is connected to.
    Connected {
        /// The node.
        endpoint: Endpoint,
    },
    /// The first metagraph is there.
    First {
        /// The metagraph.
        metagraph: Arc<Metagraph>,
    },
    /// There is a newer metagraph, and something of note changed.
    Changed {
        /// The one before.
        previous: Arc<Metagraph>,
        /// The newer one.
        metagraph: Arc<Metagraph>,
        /// What changed.
        diff: Box<MetagraphDiff>,
    },
    /// Nobody came or went, moved, or listens elsewhere.
    Unchanged {
        /// Up to this block.
        block: u64,
    },
    /// A metagraph was not taken; the last good one is kept.
    Refused {
        /// Its block.
        block: u64,
        /// Why.
        reason: Refusal,
    },
    /// A node failed. The next one is asked, after a while where it is the only one.
    Failed {
        /// What went wrong.
        error: Error,
        /// How long until the next one is asked.
        retry_in: Duration,
    },
}

/// Why a metagraph was not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It has no uids.
    #[error("it has no uids")]
    Empty,
    /// It lost more than half of its uids at once.
    #[error("it has {}, less than half of the {before} before", counted(.now, "uid"))]
    Halved {
        /// How many the last good one has.
        before: usize,
        /// How many it has.
        now: usize,
    },
}

/// The last good metagraph, and when it was last seen to hold.
#[derive(Clone, Debug)]
pub struct Current {
    /// The metagraph.
    pub metagraph: Arc<Metagraph>,
    /// The newest block at which nobody had come or gone.
    pub block: u64,
    /// When that was seen.
    pub seen: Instant,
}

impl Current {
    /// How long ago it was last seen to hold.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.seen.elapsed()
    }
}

/// Follows one subnet: asks rarely and little, and keeps the last good metagraph whatever happens.
pub struct Follower {
    client: Client,
    netuid: u16,
    config: FollowConfig,
    current: Option<Current>,
    /// Whether to look before anything else is waited for.
    is_due: bool,
    /// The newest block that was looked at, good or not, and when.
    looked: (u64, Instant),
}

/// What a look at the subnet found.
enum Look {
    /// Nobody came or went.
    Same(Block),
    New(Block, Box<Metagraph>),
}

impl Follower {
    /// Follows a subnet; nothing is asked yet.
    #[must_use]
    pub fn new(client: Client, netuid: u16, config: FollowConfig) -> Self {
        let looked = (0, Instant::now());
        Self { client, netuid, config, current: None, is_due: true, looked }
    }

    /// Ends whatever this follower waits for, from another thread.
    #[must_use]
    pub fn stop_handle(&self) -> Stop {
        self.client.stop_handle()
    }

    /// The last good metagraph, if there was any yet.
    #[must_use]
    pub fn current(&self) -> Option<&Current> {
        self.current.as_ref()
    }

    /// Waits for the next event; none once it was told to stop. Whatever fails is an event, too.
    pub fn next_event(&mut self) -> Option<Event> {
        loop {
            match self.step() {
                Ok(Some(event)) => return Some(event),
                Ok(None) => {}
                Err(error) if matches!(*error.problem, Problem::Stopped) => return None,
                Err(error) => return Some(self.failed(error)),
            }
        }
    }

    fn step(&mut self) -> Result<Option<Event>, Error> {
        if !self.client.is_connected() {
            self.client.pause()?;
            let endpoint = self.client.endpoint().clone();
            self.client.attempt(Session::subscribe_if_known)?;
            self.is_due = true;
            return Ok(Some(Event::Connected { endpoint }));
        }
        if self.is_due {
            return self.look();
        }
        let (last, when) = self.looked;
        let time = self.config.silence.saturating_sub(when.elapsed());
        let newest = self.client.attempt(|session| session.wait_for_block(time))?;
        self.is_due = newest.is_none_or(|newest| newest >= last.saturating_add(self.config.blocks));
        Ok(None)
    }

    fn failed(&mut self, error: Error) -> Event {
        // A subnet that does not exist is no fault of the node: it is looked for again later.
        self.looked.1 = Instant::now();
        self.is_due = false;
        Event::Failed { error, retry_in: self.client.wait() }
    }

    fn look(&mut self) -> Result<Option<Event>, Error> {
        let (current, netuid) = (self.current.as_ref(), self.netuid);
        let refresh_blocks = self.config.refresh_blocks;
        let seen = self.looked.0;
        let name = self.client.network_name().map(str::to_owned);
        let found = self.client.attempt(|session| {
            let block = session.finalized()?;
            if block.number < seen {
                return Err(Problem::Behind { seen, found: block.number });
            }
            if let Some(current) = current
                && is_unchanged(session, &current.metagraph, netuid, block, refresh_blocks)?
            {
                return Ok(Look::Same(block));
            }
            let metagraph = session.metagraph(netuid, block, name.as_deref())?;
            Ok(Look::New(block, Box::new(metagraph)))
        })?;
        self.client.succeeded();
        self.is_due = false;
        let (Look::Same(block) | Look::New(block, _)) = found;
        self.looked = (block.number, Instant::now());
        Ok(Some(match found {
            Look::Same(block) => self.hold(block.number),
            Look::New(block, metagraph) => self.take(block.number, *metagraph),
        }))
    }

    /// The metagraph that is known holds at a newer block.
    fn hold(&mut self, block: u64) -> Event {
        if let Some(current) = &mut self.current {
            (current.block, current.seen) = (block, Instant::now());
        }
        Event::Unchanged { block }
    }

    fn take(&mut self, block: u64, metagraph: Metagraph) -> Event {
        let before = self.current.as_ref().map(|current| Arc::clone(&current.metagraph));
        if let Some(reason) = self.refusal(before.as_deref(), &metagraph) {
            return Event::Refused { block, reason };
        }
        let metagraph = Arc::new(metagraph);
        let (now, seen) = (Arc::clone(&metagraph), Instant::now());
        self.current = Some(Current { metagraph: now, block, seen });
        let Some(previous) = before else { return Event::First { metagraph } };
        let diff = MetagraphDiff::between(&previous, &metagraph);
        let diff = diff.expect("the client asks one subnet of one network");
        match diff.is_empty() {
            true => Event::Unchanged { block },
            false => Event::Changed { previous, metagraph, diff: Box::new(diff) },
        }
    }

    fn refusal(&self, before: Option<&Metagraph>, now: &Metagraph) -> Option<Refusal> {
        self.config.shrink.check(before.map_or(0, Metagraph::num_uids), now.num_uids()).err()
    }
}

/// Whether nobody came or went since a metagraph that is not yet too old.
fn is_unchanged(
    session: &mut Session,
    known: &Metagraph,
    netuid: u16,
    block: Block,
    refresh_blocks: u64,
) -> Result<bool, Problem> {
    let oldest = block.number.saturating_sub(refresh_blocks);
    if known.block().is_none_or(|known| known <= oldest) {
        return Ok(false);
    }
    let Some(found) = session.identities(netuid, block)? else { return Ok(false) };
    Ok(found.block == Some(block.number) && has_same_identities(known, &found))
}

fn has_same_identities(known: &Metagraph, found: &Columns) -> bool {
    let (Some(hotkeys), Some(blocks)) = (&found.hotkeys, &found.block_at_registration) else {
        return false;
    };
    let found = hotkeys.iter().zip(blocks).map(|(hotkey, block)| (*hotkey, Some(*block)));
    let known = known.neurons().map(|(_, neuron)| (neuron.hotkey, neuron.registered_at));
    hotkeys.len() == blocks.len() && found.eq(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Hotkey, Neuron};

    fn metagraph(keys: &[u8]) -> Metagraph {
        let neuron = |&key: &u8| Neuron {
            registered_at: Some(u64::from(key)),
            ..Neuron::new(Hotkey::new([key; 32]))
        };
        Metagraph::new(1, 9, keys.iter().map(neuron).collect()).expect("the keys differ")
    }

    #[test]
    fn identities_are_hotkeys_and_their_registrations() {
        let check = |hotkeys: Option<&[u8]>, blocks: Option<&[u64]>, expected: bool| {
            let columns = Columns {
                hotkeys: hotkeys
                    .map(|keys| keys.iter().map(|&key| Hotkey::new([key; 32])).collect()),
                block_at_registration: blocks.map(<[u64]>::to_vec),
                ..Columns::default()
            };
            assert_eq!(has_same_identities(&metagraph(&[1, 2]), &columns), expected, "{columns:?}");
        };
        check(Some(&[1, 2]), Some(&[1, 2]), true);
        check(Some(&[1, 2]), Some(&[1, 7]), false);
        check(Some(&[1, 3]), Some(&[1, 2]), false);
        check(Some(&[1]), Some(&[1]), false);
        check(Some(&[1, 2, 3]), Some(&[1, 2, 3]), false);
        check(Some(&[1, 2]), Some(&[1]), false);
        check(Some(&[1, 2]), None, false);
        check(None, Some(&[1, 2]), false);
    }

    #[test]
    fn a_subnet_that_collapsed_is_refused() {
        let check = |shrink, before: &[u8], now: &[u8], expected: Option<Refusal>| {
            let network = "ws://127.0.0.1:1".parse().expect("it is a URL");
            let client = Client::new(network, crate::chain::ClientConfig::default());
            let config = FollowConfig { shrink, ..FollowConfig::default() };
            let follower = Follower::new(client, 1, config);
            let found = follower.refusal(Some(&metagraph(before)), &metagraph(now));
            assert_eq!(found, expected, "{before:?} {now:?}");
        };
        let halved = |before, now| Some(Refusal::Halved { before, now });
        check(Shrink::Refuse, &[1, 2, 3, 4], &[1, 2], None);
        check(Shrink::Refuse, &[1, 2, 3, 4], &[1], halved(4, 1));
        check(Shrink::Refuse, &[1, 2, 3], &[1], halved(3, 1));
        check(Shrink::Refuse, &[1], &[], Some(Refusal::Empty));
        check(Shrink::Accept, &[1, 2, 3, 4], &[1], None);
        check(Shrink::Accept, &[1], &[], Some(Refusal::Empty));
    }
}
