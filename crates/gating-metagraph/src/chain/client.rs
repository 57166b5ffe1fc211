//! Metagraphs from whichever node answers.

use std::time::{Duration, Instant};

use super::connection::{Connection, Limits};
use super::endpoint::Endpoint;
use super::error::{Error, Problem};
use super::network::Network;
use super::rotation::{Backoff, Rotation};
use super::session::Session;
use super::stop::Stop;
use crate::Metagraph;

/// How a client deals with nodes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ClientConfig {
    /// How much a node may ask of us.
    pub limits: Limits,
    /// How long nodes are left alone after they failed.
    pub backoff: Backoff,
    /// How often to try again before giving up; every node is tried once in any case.
    pub retries: u32,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self { limits: Limits::default(), backoff: Backoff::default(), retries: 3 }
    }
}

/// At which block to look.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum At {
    /// The newest one that is final.
    Finalized,
    /// The one of this number. Nodes that are no archives know the state of the last 300 or so.
    Block(u64),
}

/// Asks the nodes of a network, one after the other until one answers.
///
/// The genesis of each node is compared when it is connected to. Nothing is asked at "the newest
/// block", which is another one for each node: all answers are of one block, by its hash.
///
/// ```no_run
/// use gating_metagraph::chain::{At, Client, ClientConfig};
///
/// let mut client = Client::new("finney".parse()?, ClientConfig::default());
/// let metagraph = client.metagraph(1, At::Finalized)?;
/// assert_eq!(metagraph.netuid(), Some(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Client {
    network: Network,
    config: ClientConfig,
    rotation: Rotation,
    session: Option<Session>,
    stop: Stop,
}

impl Client {
    /// A client that is not connected yet.
    #[must_use]
    pub fn new(network: Network, config: ClientConfig) -> Self {
        let count = network.endpoints().len();
        let rotation = Rotation::new(count, config.backoff, Instant::now());
        Self { network, config, rotation, session: None, stop: Stop::default() }
    }

    /// Ends whatever this client waits for, from another thread.
    #[must_use]
    pub fn stop_handle(&self) -> Stop {
        self.stop.clone()
    }

    /// The node whose turn it is.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.network.endpoints()[self.rotation.current()]
    }

    /// The metagraph of a subnet.
    ///
    /// # Errors
    ///
    /// The last one, when no node gave an answer that can be read and agrees with itself, and at
    /// once when there is no such subnet or block.
    pub fn metagraph(&mut self, netuid: u16, at: At) -> Result<Metagraph, Error> {
        let name = self.network.name.clone();
        self.retrying(|session| {
            let block = match at {
                At::Finalized => session.finalized()?,
                At::Block(number) => session.block(number)?,
            };
            session.metagraph(netuid, block, name.as_deref())
        })
    }

    fn retrying<T>(
        &mut self,
        mut work: impl FnMut(&mut Session) -> Result<T, Problem>,
    ) -> Result<T, Error> {
        let nodes = self.network.endpoints().len();
        let (mut tries, mut lasting) = (0, 0);
        loop {
            let error = match self.pause().and_then(|()| self.attempt(&mut work)) {
                Ok(value) => {
                    self.succeeded();
                    return Ok(value);
                }
                Err(error) => error,
            };
            tries += 1;
            lasting += usize::from(error.problem.is_lasting());
            let is_hopeless = error.problem.is_final() || lasting >= nodes;
            let is_enough = tries >= nodes.max(1 + self.config.retries as usize);
            if is_hopeless || is_enough || self.wait() > self.config.backoff.longest {
                return Err(error);
            }
        }
    }

    /// Whether a node is connected to.
    pub(super) fn is_connected(&self) -> bool {
        self.session.is_some()
    }

    /// The name of the network, if it has one.
    pub(super) fn network_name(&self) -> Option<&str> {
        self.network.name.as_deref()
    }

    /// How long to wait before the next node may be asked.
    pub(super) fn wait(&self) -> Duration {
        self.rotation.wait(Instant::now())
    }

    /// Waits until the next node may be asked.
    pub(super) fn pause(&mut self) -> Result<(), Error> {
        match self.session.is_none() && self.stop.wait(self.wait()) {
            true => Err(self.error(Problem::Stopped)),
            false => Ok(()),
        }
    }

    /// The node gave what it was asked for, which one that only lets itself be connected to does
    /// not: it goes on to be left alone for longer each time.
    pub(super) fn succeeded(&mut self) {
        self.rotation.succeeded();
    }

    /// Works with the node whose turn it is. Where that fails, the connection is dropped, and the
    /// turn is that of another node.
    pub(super) fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut Session) -> Result<T, Problem>,
    ) -> Result<T, Error> {
        let result = match &mut self.session {
            Some(session) => work(session),
            None => self.connect().and_then(|session| work(self.session.insert(session))),
        };
        let problem = match result {
            Ok(value) => return Ok(value),
            Err(_) if self.stop.is_stopped() => Problem::Stopped,
            Err(problem) => problem,
        };
        let error = self.error(problem);
        if !error.problem.is_final() {
            self.session = None;
            self.rotation.failed(error.problem.retry_after(), Instant::now());
        }
        Err(error)
    }

    /// Connects to the node whose turn it is. The first genesis that is seen is the network's, if
    /// nobody said which one that should be.
    fn connect(&mut self) -> Result<Session, Problem> {
        let connection = Connection::open(self.endpoint(), self.config.limits, &self.stop)?;
        let session = Session::begin(connection, self.network.genesis)?;
        self.network.genesis.get_or_insert(session.genesis());
        Ok(session)
    }

    fn error(&self, problem: Problem) -> Error {
        Error { endpoint: self.endpoint().clone(), problem: Box::new(problem) }
    }
}
