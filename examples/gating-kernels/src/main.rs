//! A layer of a transformer on two sequences, without a tensor library.
//!
//! `gating-kernels` is the only crate here.

use gating_kernels::{
    Activation, Attention, InstructionSet, LayerNorm, Layout, PackedLinear, Pick, Segments, Sight,
};

/// How many numbers a row has, and how many the row within a feed-forward block.
const HIDDEN: usize = 8;
const INNER: usize = 32;

/// `x + W attention(norm(x))`, and then `x + W2 gelu(W1 norm(x))`.
struct Layer {
    norms: [LayerNorm; 2],
    queries_keys_values: PackedLinear,
    attention: Attention,
    output: PackedLinear,
    expand: PackedLinear,
    shrink: PackedLinear,
    set: InstructionSet,
}

impl Layer {
    /// A layer with made-up weights, packed for a set of instructions.
    fn new(set: InstructionSet) -> Self {
        let linear = |inputs: usize, outputs: usize| {
            let weight = numbers(inputs * outputs);
            PackedLinear::new(&weight, Layout::OutputsFirst, [inputs, outputs], None, set)
        };
        let norm = || LayerNorm::new(vec![1.0; HIDDEN], vec![0.0; HIDDEN], 1e-5, set);
        Self {
            norms: [norm(), norm()],
            queries_keys_values: linear(HIDDEN, 3 * HIDDEN),
            attention: Attention { heads: 2, scale: 0.5, sight: Sight::All, bias: None },
            output: linear(HIDDEN, HIDDEN),
            expand: linear(HIDDEN, INNER),
            shrink: linear(INNER, HIDDEN),
            set,
        }
    }

    /// The rows of all sequences behind the layer; the sequences lie one after the other, without padding.
    fn forward(&self, rows: &[f32], segments: &Segments) -> Vec<f32> {
        let mut x = rows.to_vec();
        let mut normal = x.clone();
        self.norms[0].forward(&mut normal);
        let states = self.queries_keys_values.forward(&normal, None);
        let attended = self.attention.forward(&states, segments, Pick::All, self.set);
        self.output.add(&attended, &mut x);
        let mut normal = x.clone();
        self.norms[1].forward(&mut normal);
        self.shrink.add(&self.expand.forward(&normal, Some(Activation::Gelu)), &mut x);
        x
    }
}

/// Numbers between -0.5 and 0.5.
fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|index| (index * 37 % 101) as f32 / 100.0 - 0.5).collect()
}

fn main() {
    // Five rows and three.
    let segments = Segments::new([5, 3]);
    let rows = numbers(segments.rows() * HIDDEN);
    let best = Layer::new(InstructionSet::best());
    let found = best.forward(&rows, &segments);

    // A sequence comes out the same to the bit, whatever lies beside it.
    let (first, second) = rows.split_at(5 * HIDDEN);
    let alone =
        [best.forward(first, &Segments::new([5])), best.forward(second, &Segments::new([3]))];
    assert_eq!(alone.concat(), found);

    // Other sets of instructions only round differently.
    for set in InstructionSet::available() {
        let other = Layer::new(set).forward(&rows, &segments);
        let errors = found.iter().zip(&other).map(|(found, other)| (found - other).abs());
        let error = errors.fold(0.0, f32::max);
        println!("{}: {:?}, {error:e} from {}", set.name(), &other[..3], best.set.name());
        assert!(error < 1e-5, "{}", set.name());
    }
}
