//! Attention.

use std::fmt;

use gating_kernels::{Attention, InstructionSet, Pick, RelativeBias, Segments, Sight};

use crate::near::{self, Near, roundings};
use crate::random::{CASES, Random};

/// Attention, and what goes into it.
pub(crate) struct Case {
    pub(crate) attention: Attention,
    pub(crate) lengths: Vec<usize>,
    pub(crate) pick: Pick,
    head_size: usize,
    farthest: usize,
    bias: Option<Vec<f32>>,
    /// `[rows, 3 * hidden]`
    pub(crate) states: Vec<f32>,
}

impl Case {
    pub(crate) fn new(random: &mut Random, lengths: Vec<usize>, heads: usize, size: usize) -> Self {
        let rows: usize = lengths.iter().sum();
        let longest = lengths.iter().copied().max().unwrap_or(1);
        let farthest = longest - 1 + random.one_of(&[0, 3]);
        let bias = random.coin().then(|| random.numbers(heads * (2 * farthest + 1)));
        let reach = random.size(2 * longest);
        let attention = Attention {
            heads,
            scale: random.one_of(&[1.0, 0.3]),
            sight: random.one_of(&[Sight::All, Sight::Behind { reach }]),
            bias: bias.clone().map(|bias| RelativeBias::new(bias, heads, farthest)),
        };
        let pick = random.one_of(&[Pick::All, Pick::First, Pick::Last]);
        let states = random.numbers(rows * 3 * heads * size);
        Self { attention, lengths, pick, head_size: size, farthest, bias, states }
    }

    pub(crate) fn any(random: &mut Random) -> Self {
        let [count, longest, size] = if cfg!(miri) { [2, 14, 6] } else { [5, 70, 70] };
        let lengths = (0..random.size(count)).map(|_| random.size(longest)).collect();
        let (heads, size) = (random.one_of(&[1, 2, 3]), random.size(size));
        Self::new(random, lengths, heads, size)
    }

    pub(crate) fn width(&self) -> usize {
        3 * self.attention.heads * self.head_size
    }

    pub(crate) fn forward(&self, set: InstructionSet) -> Vec<f32> {
        let segments = Segments::new(self.lengths.iter().copied());
        self.attention.forward(&self.states, &segments, self.pick, set)
    }

    /// Query 0, key 1 or value 2 of a row.
    fn part(&self, which: usize, row: usize, head: usize) -> &[f32] {
        let start = row * self.width() + (which * self.attention.heads + head) * self.head_size;
        &self.states[start..start + self.head_size]
    }

    fn score(&self, start: usize, head: usize, query: usize, key: usize) -> Near {
        let scale = f64::from(self.attention.scale);
        let products =
            self.part(0, start + query, head).iter().zip(self.part(1, start + key, head));
        // The scaled key is rounded, which the sum allows for as a rounding of the product.
        let terms = products.map(|(&query, &key)| f64::from(query) * f64::from(key) * scale);
        let bias = self
            .bias
            .as_ref()
            .map_or(0.0, |bias| bias[head * (2 * self.farthest + 1) + self.farthest + key - query]);
        let sum = Near::sum(terms.chain([f64::from(bias)]));
        Near { error: sum.error * 2.0, ..sum }
    }

    /// What one head answers to one query of the sequence that begins in row `start`.
    fn plain(&self, start: usize, length: usize, head: usize, query: usize) -> Vec<Near> {
        let keys = match self.attention.sight {
            Sight::All => 0..length,
            Sight::Behind { reach } => {
                (0.max(query as isize + 1 - reach as isize) as usize)..query + 1
            }
        };
        let scores: Vec<Near> =
            keys.clone().map(|key| self.score(start, head, query, key)).collect();
        let most = scores.iter().fold(f64::MIN, |most, score| most.max(score.value));
        let weights: Vec<f64> = scores.iter().map(|score| (score.value - most).exp()).collect();
        let sum: f64 = weights.iter().sum();
        // An error of a score is a relative error of its weight; so are the roundings of its distance
        // from the largest, of the logarithm of e, and of their product. The sum of the weights has
        // the same once more, and its own roundings.
        let off = |score: &Near| score.error + roundings(3.0) * (most - score.value + 4.0);
        let off = scores.iter().map(off).fold(0.0, f64::max);
        let relative = 2.0 * off + roundings(2.0 * weights.len() as f64 + 4.0);
        let number = |column: usize| {
            let terms = keys.clone().zip(&weights).map(|(key, weight)| {
                weight / sum * f64::from(self.part(2, start + key, head)[column])
            });
            let size: f64 = terms.clone().map(f64::abs).sum();
            Near { value: terms.sum(), error: relative * size }
        };
        (0..self.head_size).map(number).collect()
    }

    fn expected(&self) -> Vec<Near> {
        let mut expected = Vec::new();
        let mut start = 0;
        for &length in &self.lengths {
            let queries = match self.pick {
                Pick::All => 0..length,
                Pick::First => 0..1,
                Pick::Last => length - 1..length,
            };
            for query in queries {
                for head in 0..self.attention.heads {
                    expected.extend(self.plain(start, length, head, query));
                }
            }
            start += length;
        }
        expected
    }

    fn check(&self) {
        let expected = self.expected();
        for set in InstructionSet::available() {
            near::check(&self.forward(set), &expected, &format!("{self} with {}", set.name()));
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attention, lengths, pick, head_size, .. } = self;
        let Attention { heads, sight, bias, .. } = attention;
        let bias = bias.is_some();
        write!(f, "{lengths:?}, {heads} heads of {head_size}, {sight:?}, {pick:?}, bias: {bias}")
    }
}

pub(crate) fn any(random: &mut Random) {
    Case::any(random).check();
}

#[test]
fn random_shapes() {
    (0..CASES).for_each(|seed| any(&mut Random::new(seed)));
}

/// Sequences around the widths of registers and panels, in one batch.
#[test]
#[cfg(not(miri))]
fn lengths_around_widths() {
    for seed in 0..6 {
        let widths = [4, 8, 12, 16, 24, 32, 48, 96];
        let lengths = widths.iter().flat_map(|width| width - 1..=width + 1).collect();
        Case::new(&mut Random::new(seed), lengths, 2, 32).check();
    }
}

#[test]
fn lone_rows() {
    (0..CASES.min(8)).for_each(|seed| Case::new(&mut Random::new(seed), vec![1; 3], 2, 3).check());
}

#[test]
fn nothing_in_nothing_out() {
    let attention = Attention { heads: 2, scale: 1.0, sight: Sight::All, bias: None };
    for set in InstructionSet::available() {
        let found = attention.forward(&[], &Segments::new([]), Pick::Last, set);
        assert_eq!(found, [0.0; 0]);
    }
}

#[test]
fn a_bias_is_laid_out_as_scores_are() {
    let bias = RelativeBias::new((0..10).map(|value| value as f32).collect(), 2, 2);
    let expected = [[2.0, 3.0, 1.0, 2.0], [7.0, 8.0, 6.0, 7.0]].concat();
    assert_eq!(bias.square(2, 2), expected);
}
