//! What is measured: the rows of the page, and what each must reach.

use serde_json::{Value, json};

use super::model::{Model, mixed_lengths};
use super::participant::Peer;

/// The head of the learning and scoring rows.
pub(super) const UIDS: usize = 4096;
pub(super) const HIDDEN: usize = 768;

/// How far f32 may be from PyTorch's. Sums in another order differ by some 1e-6.
pub(super) const TOLERANCE: f64 = 1e-4;

/// How many operations are asked of registers alone; a multiply-add is two.
pub(super) const REGISTER_OPERATIONS: f64 = 1e9;

/// The side of the square matrices whose product tells what is attainable.
pub(super) const PRODUCT: usize = 2048;

/// Batch, tokens and the ratio to PyTorch that the prototype of our kernels had on another machine.
const MINILM: [(usize, usize, f64); 5] =
    [(1, 16, 0.34), (1, 64, 0.55), (1, 256, 0.72), (1, 512, 0.75), (32, 64, 0.87)];
const GPT_NEO: [(usize, usize, f64); 5] =
    [(1, 16, 0.32), (1, 64, 0.58), (1, 256, 0.52), (1, 1024, 0.39), (32, 64, 0.69)];

/// How many messages are in a mixed batch, and from where to where their lengths go.
const MIXED: (usize, usize, usize) = (16, 5, 400);

const ENCODERS: [Peer; 4] = [Peer::Eager, Peer::Sdpa, Peer::Onnx, Peer::Ours];
const WITH_REGISTERS: [Peer; 5] =
    [Peer::Eager, Peer::Sdpa, Peer::Onnx, Peer::Ours, Peer::Registers];
const HEADS: [Peer; 2] = [Peer::Eager, Peer::Ours];
const PRODUCTS: [Peer; 3] = [Peer::Eager, Peer::Ours, Peer::Registers];

/// One row of the page.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Who is asked, and the cases that each is asked for, one after another.
    pub(super) peers: Vec<Peer>,
    pub(super) cases: Vec<Case>,
    /// How far from the first peer's a number may be, as a share of the largest of them all.
    pub(super) tolerance: f64,
}

/// Which table a row belongs to, and what that table needs to know of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// One batch: what it costs, and the ratio to reach.
    Encode {
        tokens: usize,
        operations: f64,
        prototype: f64,
    },
    /// A mixed batch, and as the second case one message of `single` tokens.
    Mixed {
        tokens: usize,
        single: usize,
    },
    /// One batch on a GPU.
    Gpu {
        tokens: usize,
        dtype: &'static str,
    },
    Learn,
    Score,
    /// From the start of a process to its first score.
    Start,
    Product,
}

/// What one participant is asked to do.
#[derive(Clone, Debug)]
pub(super) enum Case {
    /// A batch of messages, by the folder of a model.
    Encode {
        request: Value,
    },
    Learn {
        asked: usize,
        gradient: &'static str,
        /// How our steps follow on each other: `run`, `single` or `shared`.
        way: &'static str,
    },
    Score,
    Start {
        message: String,
    },
    Product,
}

impl Row {
    /// Whether it tells a share of what a large product reaches.
    pub(super) fn has_share(&self) -> bool {
        matches!(self.kind, Kind::Encode { .. })
    }
}

impl Case {
    /// A batch of messages of these lengths.
    pub(super) fn encode(model: &Model, lengths: &[usize]) -> Self {
        let request = json!({
            "case": "encode",
            "model": model.folder,
            "pooling": model.pooling.name(),
            "messages": model.messages(lengths),
        });
        Self::Encode { request }
    }

    /// The same in other numbers than f32; only of batches.
    pub(super) fn in_dtype(mut self, dtype: &str) -> Self {
        if let Self::Encode { request } = &mut self {
            request["dtype"] = json!(dtype);
        }
        self
    }

    /// The line that a participant reads: to repeat the case for so many seconds or, to be
    /// checked, to run it once and tell what came out.
    pub(super) fn request(&self, seconds: Option<f64>) -> Value {
        let mut request = match self {
            Self::Encode { request } => request.clone(),
            Self::Learn { asked, gradient, way } => json!({
                "case": "learn",
                "uids": UIDS,
                "hidden": HIDDEN,
                "asked": asked,
                "gradient": gradient,
                "way": way,
                "learning_rate": learning_rate(*asked, seconds.is_none()),
            }),
            Self::Score => json!({ "case": "score", "uids": UIDS, "hidden": HIDDEN }),
            Self::Start { message } => json!({ "case": "start", "message": message }),
            Self::Product => json!({ "case": "product", "size": PRODUCT }),
        };
        request["seconds"] = json!(seconds.unwrap_or(0.0));
        request["check"] = json!(seconds.is_none());
        request
    }
}

/// The reference's learning rate, which hardly moves a score in a few steps; to be checked, one
/// that does. A gradient falls with the cube of the number of those who were asked.
fn learning_rate(asked: usize, is_checked: bool) -> f64 {
    if is_checked { 100.0 * (asked as f64 / 50.0).powi(3) } else { 0.01 }
}

/// All rows, in the order of the page.
pub(super) fn all(minilm: &Model, gpt_neo: &Model) -> Vec<Row> {
    let mut rows = Vec::new();
    for (model, sizes) in [(minilm, MINILM), (gpt_neo, GPT_NEO)] {
        rows.extend(sizes.map(|(batch, tokens, prototype)| {
            encode(model, &vec![tokens; batch], &format!("{batch}x{tokens}"), prototype)
        }));
        rows.push(mixed(model));
    }
    for way in ["run", "single", "shared"] {
        let steps = [50, UIDS].map(|asked| ["accumulate", "per-step"].map(|mode| (asked, mode)));
        rows.extend(steps.concat().into_iter().map(|(asked, gradient)| {
            let name = format!("learn k={asked} {gradient}, {way}");
            row(name, Kind::Learn, &HEADS, vec![Case::Learn { asked, gradient, way }])
        }));
    }
    rows.push(row(format!("score {UIDS}"), Kind::Score, &HEADS, vec![Case::Score]));
    let start = Case::Start { message: minilm.messages(&[16]).concat() };
    rows.push(row(format!("start {}", minilm.name), Kind::Start, &HEADS, vec![start]));
    rows.push(row(format!("product {PRODUCT}"), Kind::Product, &PRODUCTS, vec![Case::Product]));
    rows
}

fn row(name: String, kind: Kind, peers: &[Peer], cases: Vec<Case>) -> Row {
    Row { name, kind, peers: peers.to_vec(), cases, tolerance: TOLERANCE }
}

fn encode(model: &Model, lengths: &[usize], size: &str, prototype: f64) -> Row {
    let tokens = lengths.iter().sum();
    let kind = Kind::Encode { tokens, operations: model.operations(lengths), prototype };
    let name = format!("{} {size}", model.name);
    row(name, kind, &WITH_REGISTERS, vec![Case::encode(model, lengths)])
}

fn mixed(model: &Model) -> Row {
    let (count, shortest, longest) = MIXED;
    let lengths = mixed_lengths(count, shortest, longest);
    let single = 256;
    let kind = Kind::Mixed { tokens: lengths.iter().sum(), single };
    let cases = vec![Case::encode(model, &lengths), Case::encode(model, &[single])];
    row(format!("{} mixed", model.name), kind, &ENCODERS, cases)
}

/// Whether a row is one of those that were asked for: all, or those whose names contain one of the
/// texts, however their letters are written.
pub(super) fn is_wanted(name: &str, only: &[String]) -> bool {
    let name = name.to_lowercase();
    only.is_empty() || only.iter().any(|text| name.contains(&text.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_chosen_by_name() {
        let check = |name: &str, only: &[&str], expected: bool| {
            let only: Vec<String> = only.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(is_wanted(name, &only), expected, "{name} of {only:?}");
        };
        check("MiniLM 1x16", &[], true);
        check("MiniLM 1x16", &["minilm 1x16"], true);
        check("MiniLM 1x16", &["learn", "MiniLM"], true);
        check("GPT-Neo 1x16", &["learn", "MiniLM"], false);
    }

    #[test]
    fn a_checked_request_runs_once_and_tells_values() {
        let learn = Case::Learn { asked: 50, gradient: "per-step", way: "single" };
        let checked = learn.request(None);
        assert_eq!(checked["seconds"], 0.0);
        assert_eq!(checked["check"], true);
        assert_eq!(checked["learning_rate"], 100.0);
        let timed = learn.request(Some(0.3));
        assert_eq!(timed["seconds"], 0.3);
        assert_eq!(timed["check"], false);
        assert_eq!(timed["learning_rate"], 0.01);
    }
}
