//! Products of rows with a vector.

use gating_kernels::{InstructionSet, multiply_rows};

use crate::near::{self, Near};
use crate::random::{CASES, Random};

fn check(random: &mut Random, count: usize, size: usize) {
    let (rows, vector) = (random.numbers(count * size), random.numbers(size));
    let product = |row: &[f32]| {
        Near::sum(row.iter().zip(&vector).map(|(&left, &right)| f64::from(left) * f64::from(right)))
    };
    let expected: Vec<Near> = rows.chunks_exact(size).map(product).collect();
    let products = |set| {
        let mut output = vec![f32::NAN; count];
        multiply_rows(&rows, &vector, &mut output, set);
        output
    };
    let usual = products(InstructionSet::best());
    for set in InstructionSet::available() {
        let found = products(set);
        near::check(&found, &expected, &format!("{count}x{size} with {}", set.name()));
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&found), bits(&usual), "{count}x{size} with {}", set.name());
    }
}

#[test]
fn products_are_near_and_the_same_with_every_set() {
    for seed in 0..CASES {
        let mut random = Random::new(seed);
        let [count, size] =
            if cfg!(miri) { [3, 70] } else { [9, 900] }.map(|most| random.size(most));
        check(&mut random, count, size);
    }
    check(&mut Random::new(1), 0, 3);
}
