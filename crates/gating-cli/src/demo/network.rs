//! A simulated network: what each uid is good at, and who holds it.

use std::cell::RefCell;

use gating_metagraph::{Hotkey, Metagraph, Neuron, Uid};
use rand::RngExt;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::SKILLS;
use super::messages::Message;

/// How many topics a uid is good at.
const SPECIALTIES: usize = 2;
/// What a uid earns for a topic that it is good at, and for any other.
const GOOD: std::ops::Range<f64> = 0.6..1.0;
const POOR: std::ops::Range<f64> = 0.0..0.4;
/// How far a single reward is from the true one, at most.
const NOISE: f64 = 0.15;

/// Uids whose true skill depends on the topic of a message. The model never sees skills or topics.
#[derive(Debug)]
pub(super) struct Network {
    workers: Vec<Worker>,
    topics: usize,
    block: u64,
    random: RefCell<ChaCha8Rng>,
}

#[derive(Debug)]
struct Worker {
    hotkey: Hotkey,
    /// The true reward by topic.
    skills: Vec<f64>,
}

impl Network {
    pub(super) fn new(num_uids: usize, topics: usize, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(SKILLS);
        let workers = (0..num_uids).map(|_| Worker::draw(topics, &mut random)).collect();
        Self { workers, topics, block: 1, random: RefCell::new(random) }
    }

    pub(super) fn num_uids(&self) -> usize {
        self.workers.len()
    }

    /// Who holds which uid now.
    pub(super) fn metagraph(&self) -> Metagraph {
        let neurons = self.workers.iter().map(|worker| Neuron::new(worker.hotkey)).collect();
        Metagraph::new(1, self.block, neurons).expect("256 random bits do not repeat")
    }

    /// What a uid earns on average for messages of a topic.
    pub(super) fn true_reward(&self, uid: Uid, topic: usize) -> f64 {
        self.workers[uid.index()].skills[topic]
    }

    /// What a uid earns for one message of a topic.
    pub(super) fn answer(&self, uid: Uid, topic: usize) -> f32 {
        let noise = self.random.borrow_mut().random_range(-NOISE..NOISE);
        (self.true_reward(uid, topic) + noise).clamp(0.0, 1.0) as f32
    }

    /// Gives one in `share` uids to newcomers, and says which.
    pub(super) fn churn(&mut self, share: usize) -> Vec<Uid> {
        let random = self.random.get_mut();
        let count = self.workers.len().div_ceil(share);
        let mut replaced = sample(random, self.workers.len(), count).into_vec();
        replaced.sort_unstable();
        for &index in &replaced {
            self.workers[index] = Worker::draw(self.topics, random);
        }
        self.block += 1;
        replaced.into_iter().map(|index| Uid::try_from(index).expect("uids are 16 bits")).collect()
    }

    /// What uids picked blindly earn on average.
    pub(super) fn mean_reward(&self, messages: &[Message]) -> f64 {
        self.mean_of(messages, |rewards| rewards.iter().sum::<f64>() / rewards.len() as f64)
    }

    /// What the uids earn that are truly the `count` best for each message.
    pub(super) fn best_reward(&self, messages: &[Message], count: usize) -> f64 {
        self.mean_of(messages, |rewards| {
            rewards.sort_by(|left, right| right.total_cmp(left));
            let best = &rewards[..count.min(rewards.len())];
            best.iter().sum::<f64>() / best.len() as f64
        })
    }

    fn mean_of(&self, messages: &[Message], of: impl Fn(&mut Vec<f64>) -> f64) -> f64 {
        let rewards = |message: &Message| {
            of(&mut self.workers.iter().map(|worker| worker.skills[message.topic]).collect())
        };
        messages.iter().map(rewards).sum::<f64>() / messages.len() as f64
    }
}

impl Worker {
    fn draw(topics: usize, random: &mut ChaCha8Rng) -> Self {
        let mut key = [0; 32];
        random.fill_bytes(&mut key);
        let mut skills: Vec<f64> = (0..topics).map(|_| random.random_range(POOR)).collect();
        for topic in sample(random, topics, SPECIALTIES) {
            skills[topic] = random.random_range(GOOD);
        }
        Self { hotkey: Hotkey::new(key), skills }
    }
}
