//! The section of the page that compares with peers.

use super::cells::{MISSING, Verdicts, ratio, rounded, significant, table};
use super::machine::{self, Machine};
use super::memory::Memory;
use super::participant::Peer;
use super::rounds::Measured;
use super::rows::{Kind, PRODUCT, REGISTER_OPERATIONS};
use super::statistics::{Spread, median, ratios};

/// The section with a place for every table.
const TEMPLATE: &str = include_str!("page.md");

/// From how many tokens on the share of what registers reach is a target, and which.
const SHARE_TOKENS: usize = 64;
const SHARE: f64 = 0.8;

/// What a real token of a mixed batch may cost, one of 256 tokens being 1.
const MIXED: f64 = 1.15;
/// The ratio to PyTorch that a step of learning must reach.
const LEARN: f64 = 0.3;
/// The seconds in which a cached embedding must be scored.
const SCORE: f64 = 1e-3;
/// The ratio to Python that the start of a process must reach.
const START: f64 = 0.1;
/// What may be added to the weights file, as a factor and in bytes.
const MEMORY: (f64, f64) = (1.25, 60e6);

/// Everything that the section tells.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) machine: Machine,
    /// Names and versions of what was compared.
    pub(super) versions: Vec<(String, String)>,
    pub(super) rounds: usize,
    pub(super) measured: Vec<Measured>,
    pub(super) memory: Vec<Memory>,
}

impl Report {
    /// The section as Markdown.
    pub(super) fn section(&self) -> String {
        let mut verdicts = Verdicts::default();
        let tables = [
            ("{encoders}", self.encoders(&mut verdicts)),
            ("{mixed}", self.mixed(&mut verdicts)),
            ("{heads}", self.heads(&mut verdicts)),
            ("{start}", self.start(&mut verdicts)),
            ("{memory}", self.memory(&mut verdicts)),
            ("{product}", self.product()),
            ("{machine}", self.machine.table(&[("versions", machine::versions(&self.versions))])),
            ("{threads}", self.machine.threads.to_string()),
            ("{rounds}", self.rounds.to_string()),
        ];
        let page = TEMPLATE.replace("{summary}", &verdicts.summary());
        tables.into_iter().fold(page, |page, (place, text)| page.replace(place, &text))
    }

    fn encoders(&self, verdicts: &mut Verdicts) -> String {
        let head = [
            "encoder, batch x tokens",
            "PyTorch eager, ms",
            "PyTorch SDPA",
            "ONNX Runtime",
            "ours",
            "target",
            "ours, GFLOP/s",
            "share of registers",
            "of a large product",
            "difference",
        ];
        let attainable = self.attainable();
        let rows =
            self.measured.iter().filter_map(|measured| encoder(measured, attainable, verdicts));
        table(&head, rows)
    }

    fn mixed(&self, verdicts: &mut Verdicts) -> String {
        let row = |measured: &Measured| {
            let Kind::Mixed { tokens, single } = measured.row.kind else { return None };
            let cost = |peer| token_cost(measured, peer, tokens, single);
            let target = MIXED.to_string();
            let verdict = cost(Peer::Ours)
                .map_or(MISSING.to_owned(), |cost| verdicts.judge(&target, cost.median <= MIXED));
            let mut cells = vec![measured.row.name.clone(), tokens.to_string()];
            cells.extend([Peer::Eager, Peer::Sdpa, Peer::Onnx, Peer::Ours].map(cost).map(ratio));
            cells.extend([verdict, difference(measured)]);
            Some(cells)
        };
        let head = [
            "encoder",
            "tokens",
            "PyTorch eager",
            "PyTorch SDPA",
            "ONNX Runtime",
            "ours",
            "target",
            "difference",
        ];
        table(&head, self.measured.iter().filter_map(row))
    }

    fn heads(&self, verdicts: &mut Verdicts) -> String {
        let row = |measured: &Measured| {
            let spread = versus(measured, Peer::Ours);
            let verdict = match measured.row.kind {
                Kind::Learn => {
                    spread.map(|it| verdicts.judge(&LEARN.to_string(), it.median <= LEARN))
                }
                Kind::Score => median(measured.of(Peer::Ours))
                    .map(|seconds| verdicts.judge("1 ms", seconds < SCORE)),
                _ => return None,
            };
            let times = [Peer::Eager, Peer::Ours].map(|peer| milliseconds(measured, peer));
            let verdict = verdict.unwrap_or(MISSING.to_owned());
            let rest = [ratio(spread), verdict, difference(measured)];
            Some([vec![measured.row.name.clone()], times.into(), rest.into()].concat())
        };
        let head = ["work", "PyTorch, ms", "ours, ms", "ratio", "target", "difference"];
        table(&head, self.measured.iter().filter_map(row))
    }

    fn start(&self, verdicts: &mut Verdicts) -> String {
        let row = |measured: &Measured| {
            let spread =
                versus(measured, Peer::Ours).filter(|_| measured.row.kind == Kind::Start)?;
            let verdict = verdicts.judge(&START.to_string(), spread.median <= START);
            let times = [Peer::Eager, Peer::Ours].map(|peer| milliseconds(measured, peer));
            Some([times.as_slice(), &[ratio(Some(spread)), verdict]].concat())
        };
        let head = ["Python, ms", "ours, ms", "ratio", "target"];
        table(&head, self.measured.iter().filter_map(row))
    }

    fn memory(&self, verdicts: &mut Verdicts) -> String {
        let row = |memory: &Memory| {
            let limit = MEMORY.0 * memory.weights as f64 + MEMORY.1;
            let megabytes = |bytes: f64| format!("{:.0}", bytes / 1e6);
            let mut cells = vec![memory.name.clone(), megabytes(memory.weights as f64)];
            let (mut verdict, missing) = (None, MISSING.to_owned());
            for &(peer, peak) in &memory.peaks {
                let peak = peak.map(|bytes| bytes as f64);
                cells.push(peak.map_or(missing.clone(), megabytes));
                if peer == Peer::Ours {
                    verdict = peak.map(|peak| verdicts.judge(&megabytes(limit), peak <= limit));
                }
            }
            cells.push(verdict.unwrap_or(missing));
            cells
        };
        let head =
            ["model", "weights", "PyTorch eager", "PyTorch SDPA", "ONNX Runtime", "ours", "target"];
        table(&head, self.memory.iter().map(row))
    }

    /// What registers and both products reached, in a sentence; empty where one was not measured.
    fn product(&self) -> String {
        let text = |[theirs, ours]: [f64; 2]| {
            let product = self.product_row()?;
            let most = most_of_registers(product)?;
            Some(format!(
                "Registers alone reached {:.0} GFLOP/s in their fastest round; PyTorch's product of two square matrices \
                 of {PRODUCT} rows reached {:.0} % of that, and ours {:.0} %.",
                most / 1e9,
                theirs * 100.0,
                ours * 100.0
            ))
        };
        self.product_shares().and_then(text).unwrap_or_default()
    }

    /// The share of what registers reach that is attainable: what the faster product reaches.
    fn attainable(&self) -> Option<f64> {
        self.product_shares().map(|[theirs, ours]| theirs.max(ours))
    }

    /// What the products of large matrices, PyTorch's and ours, reach of what registers do.
    fn product_shares(&self) -> Option<[f64; 2]> {
        let product = self.product_row()?;
        let operations = 2.0 * (PRODUCT as f64).powi(3);
        let share = |peer| register_share(product, peer, operations);
        Some([share(Peer::Eager)?, share(Peer::Ours)?])
    }

    fn product_row(&self) -> Option<&Measured> {
        self.measured.iter().find(|measured| measured.row.kind == Kind::Product)
    }
}

fn encoder(
    measured: &Measured,
    attainable: Option<f64>,
    verdicts: &mut Verdicts,
) -> Option<Vec<String>> {
    let Kind::Encode { tokens, operations, prototype } = measured.row.kind else { return None };
    let ours = versus(measured, Peer::Ours);
    let is_sentence = measured.row.name.starts_with("MiniLM");
    let onnx = median(&ratios(measured.of(Peer::Ours), measured.of(Peer::Onnx)));
    let is_fast = !is_sentence || onnx.is_none_or(|ratio| rounded(ratio) <= 1.0);
    let target = prototype.to_string();
    let target = ours
        .map(|ours| verdicts.judge(&target, rounded(ours.median) <= prototype && is_fast))
        .unwrap_or(MISSING.to_owned());
    let rates = rate(measured.of(Peer::Ours), operations);
    let share = register_share(measured, Peer::Ours, operations);
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let of_product = share.zip(attainable).map(|(share, attainable)| percent(share / attainable));
    let share = share.map_or(MISSING.to_owned(), |share| {
        let text = percent(share);
        if tokens < SHARE_TOKENS { text } else { verdicts.judge(&text, share >= SHARE) }
    });
    let mut cells = vec![measured.row.name.clone(), milliseconds(measured, Peer::Eager)];
    cells.extend([Peer::Sdpa, Peer::Onnx].map(|peer| ratio(versus(measured, peer))));
    let rate = median(&rates).map_or(MISSING.to_owned(), |rate| format!("{:.0}", rate / 1e9));
    let of_product = of_product.unwrap_or(MISSING.to_owned());
    cells.extend([ratio(ours), target, rate, share, of_product, difference(measured)]);
    Some(cells)
}

/// What a real token of a mixed batch costs, one of a single message being 1.
fn token_cost(measured: &Measured, peer: Peer, tokens: usize, single: usize) -> Option<Spread> {
    let [mixed, alone] = measured.seconds.get(&peer)?.as_slice() else { return None };
    let costs = ratios(mixed, alone).into_iter();
    let costs: Vec<f64> = costs.map(|ratio| ratio * single as f64 / tokens as f64).collect();
    Spread::of(&costs)
}

/// The ratio of a participant's time to that of PyTorch.
fn versus(measured: &Measured, peer: Peer) -> Option<Spread> {
    Spread::of_ratios(measured.of(peer), measured.of(Peer::Eager))
}

/// What a participant reaches at the median, as a share of what registers alone reach at most.
fn register_share(measured: &Measured, peer: Peer, operations: f64) -> Option<f64> {
    Some(median(&rate(measured.of(peer), operations))? / most_of_registers(measured)?)
}

/// How many operations a second registers alone do in their fastest round beside a row: where they
/// are disturbed in another one, nobody's share gets larger.
fn most_of_registers(measured: &Measured) -> Option<f64> {
    rate(measured.of(Peer::Registers), REGISTER_OPERATIONS).into_iter().max_by(f64::total_cmp)
}

/// Operations a second.
fn rate(seconds: &[f64], operations: f64) -> Vec<f64> {
    seconds.iter().map(|seconds| operations / seconds).collect()
}

fn milliseconds(measured: &Measured, peer: Peer) -> String {
    median(measured.of(peer)).map_or(MISSING.to_owned(), |seconds| significant(seconds * 1e3))
}

fn difference(measured: &Measured) -> String {
    let found = measured.differences.get(&Peer::Ours);
    found.map_or(MISSING.to_owned(), |difference| format!("{difference:.0e}"))
}

#[cfg(test)]
mod tests;
