//! The scores of all uids for one embedding.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use gating_kernels::{InstructionSet, multiply_rows};

use crate::rows::Rows;

/// How many weights a thread takes at once: half a MiB, which is read in some 50 microseconds.
const BLOCK: usize = 1 << 17;
/// More threads than these wait for the memory.
const MAX_THREADS: usize = 8;

/// Scores every uid: `s = W h + b`.
///
/// Other threads help while they are idle. Nobody waits for them to become so: what no other
/// thread has begun the calling one does itself.
pub(crate) fn scores(rows: &Arc<Rows>, embedding: &Arc<[f32]>) -> Vec<f32> {
    let blocks = Arc::new(Blocks::new(rows));
    let (sender, receiver) = mpsc::channel();
    for _ in 1..rayon::current_num_threads().min(blocks.count).min(MAX_THREADS) {
        let (blocks, sender) = (Arc::clone(&blocks), sender.clone());
        // Rows that nobody needs any more are not kept alive by a thread that comes too late.
        let (rows, embedding) = (Arc::downgrade(rows), Arc::clone(embedding));
        rayon::spawn(move || {
            let Some(rows) = rows.upgrade() else { return };
            while let Some(first) = blocks.take() {
                let mut scores = vec![0.0; blocks.length(first)];
                score(&rows, &embedding, first, &mut scores);
                // Whoever asked waits for every block that was taken.
                let _ = sender.send((first, scores));
            }
        });
    }
    let mut scores = vec![0.0; rows.num_uids()];
    let mut missing = blocks.count;
    while let Some(first) = blocks.take() {
        score(rows, embedding, first, &mut scores[first..first + blocks.length(first)]);
        missing -= 1;
    }
    for _ in 0..missing {
        let (first, block) = receiver.recv().expect("who takes a block scores it");
        scores[first..first + block.len()].copy_from_slice(&block);
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
    fn new(rows: &Rows) -> Self {
        let size = (BLOCK / rows.hidden_size()).max(1);
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

/// Scores the uids from `first` on.
fn score(rows: &Rows, embedding: &[f32], first: usize, scores: &mut [f32]) {
    let weight = &rows.weight[first * embedding.len()..][..scores.len() * embedding.len()];
    multiply_rows(weight, embedding, scores, InstructionSet::best());
    scores.iter_mut().zip(&rows.bias[first..]).for_each(|(score, bias)| *score += bias);
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;
    use crate::rows::fill_uniform;

    /// Rows and an embedding of random numbers within ±1.
    fn random(num_uids: usize, hidden_size: usize) -> (Arc<Rows>, Arc<[f32]>) {
        let mut rows = Rows::zeros(num_uids, hidden_size);
        let mut embedding = vec![0.0; hidden_size];
        fill_uniform(&mut rows.weight, 1.0, 1, 0, 0);
        fill_uniform(&mut rows.bias, 1.0, 1, 0, 1);
        fill_uniform(&mut embedding, 1.0, 1, 0, 2);
        (Arc::new(rows), embedding.into())
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
        let (rows, embedding) = random(num_uids, hidden_size);
        let found = scores(&rows, &embedding);
        assert_eq!(found.len(), num_uids);
        for (uid, (found, (score, size))) in found.iter().zip(exact(&rows, &embedding)).enumerate()
        {
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
