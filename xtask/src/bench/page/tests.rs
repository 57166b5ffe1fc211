//! A small page, number by number.

use std::collections::BTreeMap;

use super::super::rows::{Case, Row};
use super::*;

/// A row in which every participant takes so many seconds for each case, in two rounds of which
/// the second is twice as slow.
fn measured(name: &str, kind: Kind, seconds: &[(Peer, &[f64])]) -> Measured {
    let (name, cases) = (name.to_owned(), vec![Case::Score]);
    let row = Row { name, kind, peers: Vec::new(), cases, tolerance: 1e-4 };
    let rounds = |cases: &[f64]| cases.iter().map(|&first| vec![first, 2.0 * first]).collect();
    let seconds = seconds.iter().map(|&(peer, cases)| (peer, rounds(cases))).collect();
    Measured { row, seconds, differences: BTreeMap::from([(Peer::Ours, 3e-7)]) }
}

/// The row of an encoder that costs 0.5e9 operations.
fn encode(name: &str, tokens: usize, seconds: &[(Peer, &[f64])]) -> Measured {
    measured(name, Kind::Encode { tokens, operations: 5e8, prototype: 0.5 }, seconds)
}

fn report(measured: Vec<Measured>) -> Report {
    let machine = Machine {
        processor: "a processor".to_owned(),
        threads: 2,
        extensions: vec!["avx2", "fma"],
        caches: vec!["L1d 32K".to_owned(), "L2 1024K".to_owned()],
        memory: "24 GiB".to_owned(),
        kernel: "6.1".to_owned(),
        rustc: "rustc 1.95.0".to_owned(),
        commit: "0123456789".to_owned(),
        date: "2025-11-22".to_owned(),
        load: "0.00 0.01 0.02".to_owned(),
    };
    let versions = vec![("gating".to_owned(), "0.1.0".to_owned())];
    let peaks = vec![(Peer::Eager, Some(700_000_000)), (Peer::Ours, Some(186_000_000))];
    let memory = vec![
        Memory { name: "MiniLM".to_owned(), weights: 100_000_000, peaks },
        Memory {
            name: "GPT-Neo".to_owned(),
            weights: 500_000_000,
            peaks: vec![(Peer::Eager, None), (Peer::Ours, None)],
        },
    ];
    Report { machine, versions, rounds: 2, measured, memory }
}

/// The lines of a table below its head, and how many targets it met and missed.
fn check(
    table: impl Fn(&Report, &mut Verdicts) -> String,
    rows: Vec<Measured>,
    expected: &[&str],
    counts: (usize, usize),
) {
    let mut verdicts = Verdicts::default();
    let text = table(&report(rows), &mut verdicts);
    let lines: Vec<&str> = text.lines().skip(2).collect();
    assert_eq!(lines, expected);
    assert_eq!((verdicts.met, verdicts.missed), counts);
}

#[test]
fn encoders_are_compared_with_pytorch_registers_and_a_product() {
    let all = |ours| {
        [
            (Peer::Eager, [0.010].as_slice()),
            (Peer::Sdpa, &[0.008]),
            (Peer::Onnx, &[0.0045]),
            (Peer::Ours, ours),
            (Peer::Registers, &[0.005]),
        ]
    };
    let expected = [
        "| MiniLM 1x16 | 15.0 | 0.80 (0.80 to 0.80) | 0.45 (0.45 to 0.45) | 0.40 (0.40 to 0.40) \
         | 0.5, met | 94 | 47 % | 73 % | 3e-7 |",
        "| MiniLM 1x64 | 15.0 | 0.80 (0.80 to 0.80) | 0.45 (0.45 to 0.45) | 0.50 (0.50 to 0.50) \
         | 0.5, missed | 75 | 38 %, missed | 58 % | 3e-7 |",
        "| GPT-Neo 1x64 | 15.0 | 0.80 (0.80 to 0.80) | 0.45 (0.45 to 0.45) | 0.50 (0.50 to 0.50) \
         | 0.5, met | 75 | 38 %, missed | 58 % | 3e-7 |",
        "| GPT-Neo 1x256 | 15.0 | 0.80 (0.80 to 0.80) | 0.45 (0.45 to 0.45) | 0.23 (0.23 to 0.23) \
         | 0.5, met | 163 | 82 %, met | 127 % | 3e-7 |",
    ];
    let rows = vec![
        encode("MiniLM 1x16", 16, &all(&[0.004])),
        // As fast as the prototype, and slower than ONNX Runtime.
        encode("MiniLM 1x64", 64, &all(&[0.005])),
        encode("GPT-Neo 1x64", 64, &all(&[0.005])),
        encode("GPT-Neo 1x256", 256, &all(&[0.0023])),
        product_row(),
    ];
    check(Report::encoders, rows, &expected, (4, 3));
}

#[test]
fn who_did_not_take_part_was_not_measured() {
    let expected = "| MiniLM 1x64 | 15.0 | not measured | not measured | not measured \
                    | not measured | not measured | not measured | not measured | 3e-7 |";
    let rows = vec![encode("MiniLM 1x64", 64, &[(Peer::Eager, &[0.010])])];
    check(Report::encoders, rows, &[expected], (0, 0));
}

#[test]
fn mixed_batches_are_told_by_the_token() {
    let kind = Kind::Mixed { tokens: 512, single: 256 };
    let seconds = [(Peer::Eager, [0.04, 0.01].as_slice()), (Peer::Ours, &[0.022, 0.01])];
    let expected = "| MiniLM mixed | 512 | 2.00 (2.00 to 2.00) | not measured | not measured \
                    | 1.10 (1.10 to 1.10) | 1.15, met | 3e-7 |";
    check(Report::mixed, vec![measured("MiniLM mixed", kind, &seconds)], &[expected], (1, 0));
}

#[test]
fn learning_is_a_ratio_and_scoring_a_time() {
    let seconds = [(Peer::Eager, [0.004].as_slice()), (Peer::Ours, &[0.002])];
    let rows = vec![
        measured("learn k=50", Kind::Learn, &seconds),
        measured("score 4096", Kind::Score, &[(Peer::Eager, &[0.0002]), (Peer::Ours, &[0.0004])]),
    ];
    let expected = [
        "| learn k=50 | 6.00 | 3.00 | 0.50 (0.50 to 0.50) | 0.3, missed | 3e-7 |",
        "| score 4096 | 0.300 | 0.600 | 2.00 (2.00 to 2.00) | 1 ms, met | 3e-7 |",
    ];
    check(Report::heads, rows, &expected, (1, 1));
}

#[test]
fn a_start_is_compared_with_python() {
    let seconds = [(Peer::Eager, [4.0].as_slice()), (Peer::Ours, &[0.2])];
    let rows = vec![measured("start MiniLM", Kind::Start, &seconds)];
    check(Report::start, rows, &["| 6000 | 300 | 0.05 (0.05 to 0.05) | 0.1, met |"], (1, 0));
}

#[test]
fn memory_is_measured_by_the_weights() {
    let expected = [
        "| MiniLM | 100 | 700 | 186 | 185, missed |",
        "| GPT-Neo | 500 | not measured | not measured | not measured |",
    ];
    check(Report::memory, Vec::new(), &expected, (0, 1));
}

/// Products that reach 64 and 60 % of what registers do in the fastest round.
fn product_row() -> Measured {
    // 2 * 2048^3 operations in 0.1 s are 172 GFLOP/s; 1e9 in 5 ms are 200.
    let ours = 2.0 * 2048_f64.powi(3) / 160e9;
    let seconds =
        [(Peer::Eager, [0.1].as_slice()), (Peer::Ours, &[ours]), (Peer::Registers, &[0.005])];
    measured("product", Kind::Product, &seconds)
}

#[test]
fn the_faster_product_is_attainable() {
    let report = report(vec![product_row()]);
    let expected = "Registers alone reached 200 GFLOP/s in their fastest round; PyTorch's product of two \
                    square matrices of 2048 rows reached 64 % of that, and ours 60 %.";
    assert_eq!(report.product(), expected);
    assert!(report.attainable().is_some_and(|share| (share - 0.644).abs() < 1e-3));
}

#[test]
fn a_share_of_a_product_needs_one() {
    let seconds = [(Peer::Ours, [0.004].as_slice()), (Peer::Registers, &[0.005])];
    let share = |rows| {
        let table = report(rows).encoders(&mut Verdicts::default());
        let cells: Vec<&str> =
            table.lines().nth(2).expect("a row is behind the head").split(" | ").collect();
        [cells[7], cells[8]].map(str::to_owned)
    };
    assert_eq!(share(vec![encode("MiniLM 1x16", 16, &seconds)]), ["47 %", "not measured"]);
    assert_eq!(share(vec![encode("MiniLM 1x16", 16, &seconds), product_row()]), ["47 %", "73 %"]);
}

#[test]
fn a_section_leaves_no_place_empty() {
    let page = report(Vec::new()).section();
    assert!(page.starts_with("## Against PyTorch and ONNX Runtime\n"));
    assert!(page.contains("Targets met: 0 of 1."), "{page}");
    assert!(page.contains("| processor | a processor, 2 threads |"), "{page}");
    assert!(page.contains("| versions | gating 0.1.0 |"), "{page}");
    assert!(page.contains("\nNothing of this was measured.\n"), "{page}");
    let places = page.matches(['{', '}']).count();
    assert_eq!(places, 0, "{page}");
}
