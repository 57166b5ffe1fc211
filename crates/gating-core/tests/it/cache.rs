//! An encoder with a cache against the same encoder without one.

use std::collections::HashSet;
use std::sync::Mutex;
use std::thread;

use burn::tensor::Device;
use gating_core::{
    BaseGatingModel, CacheCounts, CachedEncoder, Embedding, EncodeError, Encoder, Gate, GateConfig,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::fixture::Numbers;

const HIDDEN_SIZE: usize = 3;

/// Writes down every batch that it encodes.
struct Recorder {
    encoder: Numbers,
    batches: Mutex<Vec<Vec<String>>>,
}

impl Recorder {
    fn new() -> Self {
        Self { encoder: Numbers::new(HIDDEN_SIZE), batches: Mutex::default() }
    }

    /// The batches since the last call.
    fn take(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut self.batches.lock().expect("no test panics while it holds this"))
    }
}

impl Encoder for Recorder {
    fn id(&self) -> &str {
        self.encoder.id()
    }

    fn hidden_size(&self) -> usize {
        self.encoder.hidden_size()
    }

    fn device(&self) -> &Device {
        self.encoder.device()
    }

    fn encode_batch(&self, messages: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
        let batch = messages.iter().map(ToString::to_string).collect();
        self.batches.lock().expect("no test panics while it holds this").push(batch);
        self.encoder.encode_batch(messages)
    }
}

fn cached(max_bytes: usize) -> CachedEncoder<Recorder> {
    CachedEncoder::new(Recorder::new(), max_bytes)
}

/// The bits of what an encoder makes of messages.
fn bits(encoder: &impl Encoder, messages: &[&str]) -> Vec<Vec<u32>> {
    let embeddings = encoder.encode_batch(messages).expect("the messages are numbers");
    let bits = |embedding: Embedding| {
        let numbers = embedding.to_vec().expect("the CPU does not fail");
        numbers.iter().map(|number| number.to_bits()).collect()
    };
    embeddings.into_iter().map(bits).collect()
}

/// Encodes messages, and checks the bits and what the encoder below had to encode for it.
#[track_caller]
fn check(encoder: &CachedEncoder<Recorder>, messages: &[&str], expected: &[&[&str]]) {
    assert_eq!(bits(encoder, messages), bits(&Numbers::new(HIDDEN_SIZE), messages));
    assert_eq!(encoder.encoder().take(), expected, "{messages:?}");
}

/// How many bytes the first embedding takes, and each further one.
fn sizes() -> (usize, usize) {
    let encoder = cached(usize::MAX);
    let [first, second] = ["1 1 1", "2 2 2"].map(|message| {
        bits(&encoder, &[message]);
        encoder.counts().bytes
    });
    (first, second - first)
}

/// A bound at which exactly so many embeddings fit.
fn bound(count: usize) -> usize {
    let (first, further) = sizes();
    first + (count - 1) * further
}

#[test]
fn only_what_is_missing_is_encoded_and_once() {
    let encoder = cached(1 << 20);
    check(&encoder, &["1 2 3", "4 5 6", "1 2 3"], &[&["1 2 3", "4 5 6"]]);
    check(&encoder, &["7 8 9", "4 5 6", "7 8 9", "0 0 -0"], &[&["7 8 9", "0 0 -0"]]);
    check(&encoder, &["0 0 -0", "7 8 9"], &[]);
    check(&encoder, &[], &[]);
    let CacheCounts { hits, misses, embeddings, .. } = encoder.counts();
    assert_eq!((hits, misses, embeddings), (5, 4, 4));
}

#[test]
fn the_least_recently_used_goes_first() {
    let encoder = cached(bound(2));
    check(&encoder, &["1 1 1", "2 2 2"], &[&["1 1 1", "2 2 2"]]);
    check(&encoder, &["1 1 1"], &[]);
    check(&encoder, &["3 3 3"], &[&["3 3 3"]]);
    check(&encoder, &["1 1 1", "3 3 3"], &[]);
    check(&encoder, &["2 2 2"], &[&["2 2 2"]]);
    assert_eq!(encoder.counts().embeddings, 2);
}

#[test]
fn a_bound_is_kept_whatever_it_is() {
    let messages = ["1 1 1", "2 2 2", "1 1 1", "3 3 3"];
    let of = |max_bytes| {
        let encoder = cached(max_bytes);
        let encoded = if max_bytes == 0 { &messages[..] } else { &["1 1 1", "2 2 2", "3 3 3"] };
        check(&encoder, &messages, &[encoded]);
        encoder.counts()
    };
    assert_eq!(of(0), CacheCounts::default(), "nothing is looked up");
    for (max_bytes, embeddings) in
        [(1, 0), (bound(1) - 1, 0), (bound(1), 1), (bound(3) - 1, 2), (bound(3), 3)]
    {
        let counts = of(max_bytes);
        assert_eq!((counts.hits, counts.misses), (1, 3));
        assert_eq!(counts.embeddings, embeddings, "{max_bytes}");
        assert!(counts.bytes <= max_bytes, "{} of {max_bytes}", counts.bytes);
    }
}

/// What is counted is no less than the numbers, two keys and two counts take.
#[test]
fn the_count_of_bytes_is_no_less_than_what_is_held() {
    let (_, further) = sizes();
    assert!(further >= HIDDEN_SIZE * size_of::<f32>() + 2 * 32 + 2 * size_of::<u64>(), "{further}");
}

#[test]
fn an_error_keeps_nothing() {
    let encoder = cached(1 << 20);
    check(&encoder, &["1 1 1"], &[&["1 1 1"]]);
    let before = encoder.counts();
    let error = encoder.encode_batch(&["2 2 2", "x", "1 1 1"]).expect_err("`x` is no number");
    assert_eq!(error.to_string(), "expected 3 numbers, found `x`");
    assert_eq!((encoder.counts(), encoder.encoder().take().len()), (before, 1));
    check(&encoder, &["2 2 2", "1 1 1"], &[&["2 2 2"]]);
}

#[test]
fn an_id_is_part_of_the_key() {
    struct Renamed(Recorder, Mutex<&'static str>);
    impl Encoder for Renamed {
        fn id(&self) -> &str {
            *self.1.lock().expect("no test panics while it holds this")
        }
        fn hidden_size(&self) -> usize {
            self.0.hidden_size()
        }
        fn device(&self) -> &Device {
            self.0.device()
        }
        fn encode_batch(&self, messages: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
            self.0.encode_batch(messages)
        }
    }
    let encoder = CachedEncoder::new(Renamed(Recorder::new(), Mutex::new("a")), 1 << 20);
    let encode = |message: &str| encoder.encode(message).map(drop).expect("these are numbers");
    let rename = |id| *encoder.encoder().1.lock().expect("nobody panics") = id;
    encode("1 1 1");
    rename("b");
    encode("11 1 1");
    // Read one after the other, id and message are the same as before.
    rename("b1");
    encode("1 1 1");
    assert_eq!(encoder.counts().misses, 3);
    rename("a");
    encode("1 1 1");
    assert_eq!(encoder.counts(), CacheCounts { hits: 1, misses: 3, ..encoder.counts() });
}

/// A cache that does the same in the simplest way: the messages it holds, the last used one last.
struct Model {
    capacity: usize,
    held: Vec<String>,
}

impl Model {
    /// The messages of a batch that are not held, each once.
    fn encode_batch(&mut self, messages: &[&str]) -> Vec<String> {
        let is_new = |message: &&&str| !self.held.iter().any(|held| held == **message);
        let mut seen = HashSet::new();
        let missing: Vec<String> = messages
            .iter()
            .filter(is_new)
            .filter(|message| seen.insert(**message))
            .map(ToString::to_string)
            .collect();
        for message in messages {
            if let Some(at) = self.held.iter().position(|held| held == message) {
                let message = self.held.remove(at);
                self.held.push(message);
            }
        }
        self.held.extend(missing.iter().cloned());
        let surplus = self.held.len().saturating_sub(self.capacity);
        self.held.drain(..surplus);
        missing
    }
}

/// Random batches of few different messages, among them some that are no numbers.
#[test]
fn any_sequence_is_as_without_a_cache() {
    let alone = Numbers::new(HIDDEN_SIZE);
    for capacity in [1, 2, 7, 30, 1000] {
        let max_bytes = bound(capacity);
        let (encoder, mut model) = (cached(max_bytes), Model { capacity, held: Vec::new() });
        let mut random = ChaCha8Rng::seed_from_u64(capacity as u64);
        let mut draw = |below: u32| random.next_u32() % below;
        for _ in 0..400 {
            let count = draw(9);
            let mut messages: Vec<String> =
                (0..count).map(|_| draw(40)).map(|n| format!("{n} 0.1 -{n}e-30")).collect();
            if draw(10) == 0 {
                messages.push("no numbers".to_owned());
                let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
                assert!(encoder.encode_batch(&messages).is_err());
                encoder.encoder().take();
                // What was looked up was used.
                let held = model.held.clone();
                let used: Vec<&str> =
                    messages.into_iter().filter(|m| held.iter().any(|held| held == m)).collect();
                assert_eq!(model.encode_batch(&used), [""; 0]);
                continue;
            }
            let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
            assert_eq!(bits(&encoder, &messages), bits(&alone, &messages));
            let expected = model.encode_batch(&messages);
            let expected = if expected.is_empty() { vec![] } else { vec![expected] };
            assert_eq!(encoder.encoder().take(), expected, "{capacity}");
            let counts = encoder.counts();
            assert_eq!(counts.embeddings, model.held.len());
            assert!(counts.bytes <= max_bytes, "{} of {max_bytes}", counts.bytes);
        }
    }
}

/// Threads that encode the same messages at once get the same numbers, and the bound holds.
#[test]
fn threads_share_a_cache() {
    let (threads, rounds, max_bytes) = (4, 200, bound(10));
    let encoder = cached(max_bytes);
    thread::scope(|scope| {
        for thread in 0..threads {
            let encoder = &encoder;
            scope.spawn(move || {
                let mut random = ChaCha8Rng::seed_from_u64(thread);
                for _ in 0..rounds {
                    let messages = [(); 3].map(|()| format!("{} 1 2", random.next_u32() % 20));
                    let messages = messages.each_ref().map(String::as_str);
                    let alone = Numbers::new(HIDDEN_SIZE);
                    assert_eq!(bits(encoder, &messages), bits(&alone, &messages));
                    assert!(encoder.counts().bytes <= max_bytes);
                }
            });
        }
    });
    let CacheCounts { hits, misses, embeddings, .. } = encoder.counts();
    assert_eq!((hits + misses, embeddings), (threads * rounds * 3, 10));
    assert!(hits > 0 && misses > 0, "{hits} and {misses}");
}

#[test]
fn a_gate_scores_as_without_a_cache() {
    let config = GateConfig { num_uids: 5, ..GateConfig::default() };
    let plain = Gate::new(Numbers::new(HIDDEN_SIZE), config).expect("the settings are in range");
    let cached = Gate::new(cached(1 << 20), config).expect("the settings are in range");
    for message in ["1 2 3", "0.1 0.2 0.3", "1 2 3"] {
        let scores = [
            plain.forward(message).expect("these are numbers"),
            cached.forward(message).expect("these are numbers"),
        ];
        assert_eq!(scores[0].values(), scores[1].values(), "{message}");
    }
    assert_eq!(cached.encoder().counts().hits, 1);
}
