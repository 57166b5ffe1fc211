//! The embeddings of messages that come again.

use std::collections::{BTreeMap, btree_map};
use std::sync::{Arc, Mutex, MutexGuard};

use burn::tensor::Device;

use crate::{Embedding, EncodeError, Encoder};

/// An encoder that keeps the embeddings that were used last, and encodes no message again of which
/// it has one. What it returns is the same to the bit as what the encoder alone would return.
///
/// Embeddings are kept in the host's memory, where they are scored, whatever device they come from.
/// They are known by a hash of the encoder's id and the message, BLAKE3, so that a long message
/// takes no more room than a short one.
///
/// # Example
///
/// ```
/// # use gating_core::{CachedEncoder, Embedding, EncodeError, Encoder};
/// # use burn::tensor::Device;
/// # struct Length(Device);
/// # impl Encoder for Length {
/// #     fn id(&self) -> &str {
/// #         "length"
/// #     }
/// #     fn hidden_size(&self) -> usize {
/// #         1
/// #     }
/// #     fn device(&self) -> &Device {
/// #         &self.0
/// #     }
/// #     fn encode_batch(&self, messages: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
/// #         let embed = |message: &&str| Embedding::from_slice(&[message.len() as f32], &self.0);
/// #         Ok(messages.iter().map(embed).collect())
/// #     }
/// # }
/// # #[cfg(feature = "flex")] {
/// # let encoder = Length(Device::flex());
/// let encoder = CachedEncoder::new(encoder, 1 << 20);
/// encoder.encode_batch(&["who?", "what?", "who?"])?;
/// encoder.encode("what?")?;
/// let counts = encoder.counts();
/// assert_eq!((counts.hits, counts.misses, counts.embeddings), (2, 2, 2));
/// # }
/// # Ok::<(), EncodeError>(())
/// ```
#[derive(Debug)]
pub struct CachedEncoder<E> {
    encoder: E,
    max_bytes: usize,
    cache: Mutex<Cache>,
}

/// How much a [`CachedEncoder`] holds, and how often that was of use.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CacheCounts {
    /// Messages that were not encoded: their embedding was there, or the same message stood in the
    /// same batch already.
    pub hits: u64,
    /// Messages that were encoded.
    pub misses: u64,
    /// How many embeddings are kept.
    pub embeddings: usize,
    /// How many bytes they take at most, with all that is needed to find them again, by the layout of
    /// the standard library's B-trees.
    pub bytes: usize,
}

impl<E: Encoder> CachedEncoder<E> {
    /// Keeps as many embeddings as fit into so many bytes, and drops those first that were not used
    /// for the longest time. With 0 bytes, or fewer than one embedding takes, nothing is kept.
    pub fn new(encoder: E, max_bytes: usize) -> Self {
        Self { encoder, max_bytes, cache: Mutex::default() }
    }

    /// The encoder.
    pub fn encoder(&self) -> &E {
        &self.encoder
    }

    /// How many bytes the embeddings may take.
    pub fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// How much is kept now, and how often that was of use until now.
    pub fn counts(&self) -> CacheCounts {
        self.cache().counts()
    }

    /// The lock is not held while messages are encoded.
    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().expect("no thread panics while it looks something up")
    }

    fn key(&self, message: &str) -> Key {
        let id = self.encoder.id().as_bytes();
        let mut hasher = blake3::Hasher::new();
        // With its length, no id can pass for one that a message begins with.
        hasher.update(&(id.len() as u64).to_le_bytes()).update(id).update(message.as_bytes());
        *hasher.finalize().as_bytes()
    }
}

impl<E: Encoder> Encoder for CachedEncoder<E> {
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
        if self.max_bytes == 0 {
            return self.encoder.encode_batch(messages);
        }
        let keys: Vec<Key> = messages.iter().map(|message| self.key(message)).collect();
        let found = self.cache().get(&keys);
        let missing = Missing::of(messages, &keys, &found);
        let encoded = missing.encode(&self.encoder)?;
        assert_eq!(encoded.len(), missing.keys.len(), "a batch gives one embedding a message");
        let numbers = Embedding::to_vecs(&encoded).map_err(EncodeError::new)?;
        let numbers: Vec<Numbers> = numbers.into_iter().map(Into::into).collect();
        let mut cache = self.cache();
        for (key, numbers) in missing.keys.iter().zip(&numbers) {
            cache.insert(*key, numbers.clone(), self.max_bytes);
        }
        cache.hits += (messages.len() - encoded.len()) as u64;
        cache.misses += encoded.len() as u64;
        drop(cache);
        let embedding = |(key, found): (&Key, Option<Numbers>)| {
            let numbers = found.unwrap_or_else(|| numbers[missing.places[key]].clone());
            Embedding::on_host(numbers, self.device())
        };
        Ok(keys.iter().zip(found).map(embedding).collect())
    }
}

/// The messages of a batch that have to be encoded, each once, in their order.
struct Missing<'a> {
    messages: Vec<&'a str>,
    keys: Vec<Key>,
    /// Where each of them stands.
    places: BTreeMap<Key, usize>,
}

impl<'a> Missing<'a> {
    fn of(messages: &[&'a str], keys: &[Key], found: &[Option<Numbers>]) -> Self {
        let mut missing = Self { messages: vec![], keys: vec![], places: BTreeMap::new() };
        for ((message, key), found) in messages.iter().zip(keys).zip(found) {
            if found.is_none()
                && let btree_map::Entry::Vacant(place) = missing.places.entry(*key)
            {
                place.insert(missing.keys.len());
                missing.messages.push(message);
                missing.keys.push(*key);
            }
        }
        missing
    }

    fn encode(&self, encoder: &impl Encoder) -> Result<Vec<Embedding>, EncodeError> {
        if self.messages.is_empty() { Ok(vec![]) } else { encoder.encode_batch(&self.messages) }
    }
}

/// A hash of an encoder's id and a message.
type Key = [u8; blake3::OUT_LEN];

/// The numbers of an embedding.
type Numbers = Arc<[f32]>;

/// Embeddings by their keys, and by when they were used.
#[derive(Debug, Default)]
struct Cache {
    entries: BTreeMap<Key, Entry>,
    /// The keys by their last use.
    order: BTreeMap<u64, Key>,
    /// How many uses there were.
    uses: u64,
    /// What the entries take, but for the first nodes of both maps.
    bytes: usize,
    hits: u64,
    misses: u64,
}

#[derive(Debug)]
struct Entry {
    numbers: Numbers,
    /// The last use.
    used: u64,
}

/// The sizes of what an entry is in either map.
const PLACES: usize = size_of::<(Key, Entry)>() + size_of::<(u64, Key)>();
/// A node of a map has room for 11 entries.
const FIRST_NODES: usize = 12 * PLACES;
/// What an entry takes beside its numbers: the counts of its `Arc` and what an allocator adds, and
/// its places. All nodes of a map but the first are at least five elevenths full, and the nodes
/// above them are fewer than a fifth as many.
const ENTRY: usize = 32 + 3 * PLACES;

fn size(numbers: &[f32]) -> usize {
    ENTRY + size_of_val(numbers)
}

impl Cache {
    fn counts(&self) -> CacheCounts {
        let Self { hits, misses, .. } = *self;
        let nodes = if self.entries.is_empty() { 0 } else { FIRST_NODES };
        CacheCounts { hits, misses, embeddings: self.entries.len(), bytes: nodes + self.bytes }
    }

    /// What is known of each key, which is used with that.
    fn get(&mut self, keys: &[Key]) -> Vec<Option<Numbers>> {
        keys.iter().map(|key| self.use_entry(key)).collect()
    }

    fn use_entry(&mut self, key: &Key) -> Option<Numbers> {
        let entry = self.entries.get_mut(key)?;
        self.order.remove(&entry.used);
        self.uses += 1;
        entry.used = self.uses;
        self.order.insert(entry.used, *key);
        Some(Arc::clone(&entry.numbers))
    }

    /// Keeps an embedding, if it fits, and drops as many others for it as it takes.
    fn insert(&mut self, key: Key, numbers: Numbers, max_bytes: usize) {
        let (size, room) = (size(&numbers), max_bytes.saturating_sub(FIRST_NODES));
        // Another thread may have encoded it meanwhile.
        if size > room || self.use_entry(&key).is_some() {
            return;
        }
        while self.bytes + size > room {
            self.drop_oldest();
        }
        self.bytes += size;
        self.uses += 1;
        self.order.insert(self.uses, key);
        self.entries.insert(key, Entry { numbers, used: self.uses });
    }

    fn drop_oldest(&mut self) {
        let (_, key) = self.order.pop_first().expect("what takes bytes is in both maps");
        let entry = self.entries.remove(&key).expect("what is in one map is in the other");
        self.bytes -= size(&entry.numbers);
    }
}
