//! The scores of all uids for one embedding, or for several.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use gating_kernels::{InstructionSet, multiply_rows};

use crate::rows::Rows;

/// How many weights a thread takes at once: half a MiB, which is read in some 50 microseconds.
const BLOCK: usize = 1 << 17;
/// The weights of a block are so many times fewer at most where several embeddings share them: they stay
/// in the cache from one to the next.
const MAX_PARTS: usize = 4;
/// More threads than these wait for the memory.
const MAX_THREADS: usize = 8;

/// The numbers of embeddings that are scored together, each of which others hold too.
pub(crate) type Embeddings = Arc<[Arc<[f32]>]>;

/// Scores every uid for each embedding: `s = W h + b`, the same whatever it is scored with.
///
/// Other threads help while they are idle. Nobody waits for them to become so: what no other
/// thread has begun the calling one does itself.
pub(crate) fn scores(rows: &Arc<Rows>, embeddings: &Embeddings) -> Vec<Vec<f32>> {
    let blocks = Arc::new(Blocks::new(rows, embeddings.len()));
    let (sender, receiver) = mpsc::channel();
    for _ in 1..rayon::current_num_threads().min(blocks.count).min(MAX_THREADS) {
        let (blocks, sender) = (Arc::clone(&blocks), sender.clone());
        // Rows that nobody needs any more are not kept alive by a thread that comes too late.
        let (rows, embeddings) = (Arc::downgrade(rows), Arc::clone(embeddings));
        rayon::spawn(move || {
            let Some(rows) = rows.upgrade() else { return };
            while let Some(first) = blocks.take() {
                // Whoever asked waits for every block that was taken.
                let _ = sender.send((first, score(&rows, &embeddings, first, &blocks)));
            }
        });
    }
    let mut scores = vec![vec![0.0; rows.num_uids()]; embeddings.len()];
    let mut place = |(first, found): (usize, Vec<f32>)| {
        let found = found.chunks_exact(blocks.length(first));
        for (scores, found) in scores.iter_mut().zip(found) {
            scores[first..first + found.len()].copy_from_slice(found);
        }
    };
    let mut missing = blocks.count;
    while let Some(first) = blocks.take() {
        place((first, score(rows, embeddings, first, &blocks)));
        missing -= 1;
    }
    for _ in 0..missing {
        place(receiver.recv().expect("who takes a block scores it"));
    }
    scores
}

/// Uids in blocks, each for one thread.
struct Blocks {
    num_uids: usize,
    /// How many uids are in a block but perhaps the last.
    size: usize,
    count: usize,
    taken: AtomicUsize,
}

impl Blocks {
    fn new(rows: &Rows, embeddings: usize) -> Self {
        let parts = embeddings.clamp(1, MAX_PARTS);
        let size = (BLOCK / parts / rows.hidden_size()).max(1);
        let num_uids = rows.num_uids();
        Self { num_uids, size, count: num_uids.div_ceil(size), taken: AtomicUsize::new(0) }
    }

    /// The first uid of a block that nobody has taken yet.
    fn take(&self) -> Option<usize> {
        let index = self.taken.fetch_add(1, Ordering::Relaxed);
        (index < self.count).then(|| index * self.size)
    }

    /// How many uids are in the block that begins with a uid.
    fn length(&self, first: usize) -> usize {
        self.size.min(self.num_uids - first)
    }
}

/// Scores the uids of a block: those for the first embedding, then those for the next.
fn score(rows: &Rows, embeddings: &[Arc<[f32]>], first: usize, blocks: &Blocks) -> Vec<f32> {
    let (size, length) = (rows.hidden_size(), blocks.length(first));
    let weight = &rows.weight[first * size..][..length * size];
    let mut scores = vec![0.0; embeddings.len() * length];
    for (embedding, scores) in embeddings.iter().zip(scores.chunks_exact_mut(length)) {
        multiply_rows(weight, embedding, scores, InstructionSet::best());
        scores.iter_mut().zip(&rows.bias[first..]).for_each(|(score, bias)| *score += bias);
    }
    scores
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;
    use crate::rows::fill_uniform;

    /// Rows and embeddings of random numbers within ±1.
    fn random(num_uids: usize, hidden_size: usize, count: usize) -> (Arc<Rows>, Embeddings) {
        let mut rows = Rows::zeros(num_uids, hidden_size);
        fill_uniform(&mut rows.weight, 1.0, 1, 0, 0);
        fill_uniform(&mut rows.bias, 1.0, 1, 0, 1);
        let embedding = |index| {
            let mut embedding = vec![0.0; hidden_size];
            fill_uniform(&mut embedding, 1.0, 1, 0, 2 + index);
            embedding.into()
        };
        (Arc::new(rows), (0..count).map(embedding).collect())
    }

    /// The score of each uid and the sum of the sizes that it is made of, both in f64.
    fn exact(rows: &Rows, embedding: &[f32]) -> Vec<(f64, f64)> {
        let score = |(row, bias): (&[f32], &f32)| {
            let products = row.iter().zip(embedding).map(|(&w, &h)| f64::from(w) * f64::from(h));
            let terms = products.chain([f64::from(*bias)]);
            terms.fold((0.0, 0.0), |(sum, size), term: f64| (sum + term, size + term.abs()))
        };
        rows.rows().zip(&rows.bias).map(score).collect()
    }

    /// Of 1024 numbers a sum has 32, which f32 adds with 32 roundings of 6e-8 at most each, most
    /// of which cancel out.
    fn check(num_uids: usize, hidden_size: usize) {
        let (rows, embeddings) = random(num_uids, hidden_size, 1);
        let found = &scores(&rows, &embeddings)[0];
        assert_eq!(found.len(), num_uids);
        let exact = exact(&rows, &embeddings[0]);
        for (uid, (found, (score, size))) in found.iter().zip(exact).enumerate() {
            let error = (f64::from(*found) - score).abs();
            assert!(error <= 2e-7 * size, "{num_uids}x{hidden_size} uid {uid}: {found} {score}");
        }
    }

    #[test]
    fn scores_are_close_to_exact_ones() {
        for (num_uids, hidden_size) in [(1, 1), (3, 31), (2, 32), (5, 33), (7, 384), (4096, 768)] {
            check(num_uids, hidden_size);
        }
        check(3, BLOCK + 1); // a row that is larger than a block
    }

    #[test]
    fn what_is_scored_together_changes_no_bit() {
        for (num_uids, hidden_size, count) in [(1, 1, 2), (9, 33, 3), (300, 768, 40), (7, 5, 0)] {
            let (rows, embeddings) = random(num_uids, hidden_size, count);
            let found = scores(&rows, &embeddings);
            assert_eq!(found.len(), count);
            for (found, embedding) in found.iter().zip(embeddings.iter()) {
                let alone = scores(&rows, &[Arc::clone(embedding)].into());
                let bits =
                    |scores: &[f32]| scores.iter().map(|it| it.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(found), bits(&alone[0]), "{num_uids}x{hidden_size}x{count}");
            }
        }
    }

    /// Threads that are busy with something else are not waited for.
    #[test]
    fn busy_threads_hold_nobody_up() {
        let threads = rayon::current_num_threads();
        let (busy, free) =
            (Arc::new(Barrier::new(threads + 1)), Arc::new(Barrier::new(threads + 1)));
        let (inner_busy, inner_free) = (Arc::clone(&busy), Arc::clone(&free));
        rayon::spawn_broadcast(move |_| {
            inner_busy.wait();
            inner_free.wait();
        });
        busy.wait();
        check(4096, 768);
        free.wait();
    }
}
