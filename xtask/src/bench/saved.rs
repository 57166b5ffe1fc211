//! Runs that are kept, and what changed between two.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::cells::{significant, table};
use super::estimates::Estimate;
use super::machine::Machine;
use super::statistics::Spread;
use crate::{files, workspace};

/// A run of the benchmarks.
#[derive(Debug, PartialEq)]
pub(super) struct Saved {
    processor: String,
    commit: String,
    date: String,
    /// The seconds of each benchmark by its id.
    spreads: BTreeMap<String, Spread>,
}

/// What became of the benchmarks of an earlier run.
#[derive(Debug)]
pub(super) struct Changes {
    /// A line for each benchmark.
    pub(super) table: String,
    /// Those that are slower past the threshold.
    pub(super) slower: Vec<String>,
}

impl Saved {
    pub(super) fn new(machine: &Machine, estimates: &[Estimate]) -> Self {
        let spread = |estimate: &Estimate| (estimate.id(), estimate.spread);
        Self {
            processor: format!("{}, {} threads", machine.processor, machine.threads),
            commit: machine.commit.clone(),
            date: machine.date.clone(),
            spreads: estimates.iter().map(spread).collect(),
        }
    }

    /// Reads the run of this name.
    pub(super) fn read(name: &str) -> Result<Self> {
        let path = path(name)?;
        let wrong = || format!("`{}` is no saved run", path.display());
        let text = files::read(&path).with_context(|| format!("no run is saved as `{name}`"))?;
        Self::from_json(&serde_json::from_slice(&text).with_context(wrong)?).with_context(wrong)
    }

    /// Keeps the run under this name.
    pub(super) fn write(&self, name: &str) -> Result<()> {
        let path = path(name)?;
        fs::create_dir_all(path.parent().expect("it lies in a folder"))?;
        files::replace(&path, &format!("{:#}\n", self.to_json()))?;
        println!("saved: {}", files::relative(&path, workspace::root()));
        Ok(())
    }

    fn to_json(&self) -> Value {
        let seconds = |(id, spread): (&String, &Spread)| {
            (id.clone(), json!([spread.lower, spread.median, spread.upper]))
        };
        json!({
            "processor": self.processor,
            "commit": self.commit,
            "date": self.date,
            "quartiles_in_seconds": self.spreads.iter().map(seconds).collect::<Value>(),
        })
    }

    fn from_json(run: &Value) -> Result<Self> {
        let text = |key: &str| {
            let text = run[key].as_str().map(str::to_owned);
            text.with_context(|| format!("expected a text at `{key}`"))
        };
        let spreads = run["quartiles_in_seconds"].as_object();
        let spreads = spreads.context("expected an object at `quartiles_in_seconds`")?;
        Ok(Self {
            processor: text("processor")?,
            commit: text("commit")?,
            date: text("date")?,
            spreads: spreads.iter().map(read_spread).collect::<Result<_>>()?,
        })
    }

    /// What this run was taken on.
    pub(super) fn about(&self) -> String {
        format!("commit {} of {} on {}", self.commit, self.date, self.processor)
    }

    /// What changed since an earlier run. A benchmark is slower where its median grew by more than
    /// the threshold, a share, and the middle halves of both runs lie apart.
    pub(super) fn since(&self, earlier: &Self, threshold: f64) -> Changes {
        let mut slower = Vec::new();
        let mut rows = Vec::new();
        for (id, now) in &self.spreads {
            let before = earlier.spreads.get(id);
            let word = before.map_or("new", |before| verdict(before, now, threshold));
            if word == "slower" {
                slower.push(id.clone());
            }
            rows.push(line(id, before, Some(now), word));
        }
        let gone = earlier.spreads.iter().filter(|(id, _)| !self.spreads.contains_key(*id));
        rows.extend(gone.map(|(id, before)| line(id, Some(before), None, "not run")));
        let head = ["benchmark", "before, ms", "now, ms", "ratio", "verdict"];
        Changes { table: table(&head, rows), slower }
    }
}

/// A name is a part of a path, and no way out of the folder.
fn path(name: &str) -> Result<PathBuf> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_name = !name.is_empty() && !name.starts_with('.') && name.chars().all(is_plain);
    ensure!(is_name, "expected a name of letters, digits, `-`, `_` and `.`, found `{name}`");
    Ok(workspace::root().join("target/benchmarks").join(format!("{name}.json")))
}

fn read_spread((id, quartiles): (&String, &Value)) -> Result<(String, Spread)> {
    let number = |index: usize| quartiles[index].as_f64().filter(|seconds| *seconds > 0.0);
    let wrong = || format!("expected three positive numbers at `{id}`");
    let spread = Spread {
        lower: number(0).with_context(wrong)?,
        median: number(1).with_context(wrong)?,
        upper: number(2).with_context(wrong)?,
    };
    Ok((id.clone(), spread))
}

fn verdict(before: &Spread, now: &Spread, threshold: f64) -> &'static str {
    let ratio = now.median / before.median;
    match ratio {
        _ if ratio > 1.0 + threshold && now.lower > before.upper => "slower",
        _ if ratio < 1.0 / (1.0 + threshold) && now.upper < before.lower => "faster",
        _ => "same",
    }
}

fn line(id: &str, before: Option<&Spread>, now: Option<&Spread>, word: &str) -> Vec<String> {
    let time = |spread: Option<&Spread>| {
        spread.map_or(String::new(), |spread| significant(spread.median * 1e3))
    };
    let ratio = before.zip(now).map(|(before, now)| now.median / before.median);
    let ratio = ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
    vec![id.to_owned(), time(before), time(now), ratio, word.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(spreads: &[(&str, [f64; 3])]) -> Saved {
        let spread = |&(id, [lower, median, upper]): &(&str, [f64; 3])| {
            (id.to_owned(), Spread { lower, median, upper })
        };
        Saved {
            processor: "a processor, 2 threads".to_owned(),
            commit: "0123456789".to_owned(),
            date: "2025-11-22".to_owned(),
            spreads: spreads.iter().map(spread).collect(),
        }
    }

    /// One benchmark against an earlier run of it, at a threshold of a tenth.
    fn check(before: [f64; 3], now: [f64; 3], word: &str) {
        let changes = saved(&[("a/cpu/1", now)]).since(&saved(&[("a/cpu/1", before)]), 0.1);
        let line = changes.table.lines().last().expect("there is a line");
        assert!(line.ends_with(&format!("| {word} |")), "{line}");
        assert_eq!(changes.slower.is_empty(), word != "slower", "{line}");
    }

    #[test]
    fn slower_is_past_the_threshold_and_apart() {
        check([0.9, 1.0, 1.1], [1.2, 1.3, 1.4], "slower");
        // The middle halves touch.
        check([0.9, 1.0, 1.2], [1.2, 1.3, 1.4], "same");
        // Apart, and within the threshold.
        check([0.99, 1.0, 1.01], [1.05, 1.09, 1.1], "same");
        check([1.2, 1.3, 1.4], [0.9, 1.0, 1.1], "faster");
        check([1.0, 1.3, 1.4], [0.9, 1.0, 1.1], "same");
    }

    #[test]
    fn benchmarks_come_and_go() {
        let before = saved(&[("a/cpu/1", [0.001; 3]), ("b/cpu/1", [0.002; 3])]);
        let now = saved(&[("b/cpu/1", [0.004; 3]), ("c/cpu/1", [0.5; 3])]);
        let Changes { table, slower } = now.since(&before, 0.1);
        let lines: Vec<&str> = table.lines().skip(2).collect();
        let expected = [
            "| b/cpu/1 | 2.00 | 4.00 | 2.00 | slower |",
            "| c/cpu/1 |  | 500 |  | new |",
            "| a/cpu/1 | 1.00 |  |  | not run |",
        ];
        assert_eq!(lines, expected);
        assert_eq!(slower, ["b/cpu/1"]);
    }

    #[test]
    fn a_run_is_read_as_it_was_written() {
        let run = saved(&[("a/wgpu:0/1x16", [0.1, 0.25, 1.0 / 3.0]), ("b/host/1", [1e-7; 3])]);
        let text = run.to_json().to_string();
        let again = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!(Saved::from_json(&again).expect("it is whole"), run);
    }

    #[test]
    fn other_files_are_refused() {
        let check = |text: &str, expected: &str| {
            let value = serde_json::from_str(text).expect("the test holds JSON");
            let error = Saved::from_json(&value).expect_err("it is no run");
            assert_eq!(error.to_string(), expected);
        };
        check("{}", "expected an object at `quartiles_in_seconds`");
        check(r#"{"quartiles_in_seconds": {}}"#, "expected a text at `processor`");
        let run = r#"{"processor": "p", "commit": "c", "date": "d",
                      "quartiles_in_seconds": {"a/cpu/1": [1, 0, 2]}}"#;
        check(run, "expected three positive numbers at `a/cpu/1`");
    }

    #[test]
    fn a_name_is_no_path() {
        for name in ["", ".", "..", "../main", "a/b", "a b"] {
            assert!(path(name).is_err(), "{name}");
        }
        assert!(path("main-1.2").is_ok_and(|path| path.ends_with("benchmarks/main-1.2.json")));
    }
}
