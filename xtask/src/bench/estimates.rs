//! What criterion measured, read from the files that it leaves.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::statistics::Spread;
use crate::files;

/// The device that all others are compared with.
pub(super) const REFERENCE: &str = "cpu";

/// One benchmark; its id reads `group/device/size`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Estimate {
    pub(super) group: String,
    pub(super) device: String,
    pub(super) size: String,
    /// The seconds of one run, over criterion's samples.
    pub(super) spread: Spread,
}

impl Estimate {
    pub(super) fn id(&self) -> String {
        let Self { group, device, size, .. } = self;
        format!("{group}/{device}/{size}")
    }

    /// By group, then by size, and the device that others are compared with before them.
    fn place(&self) -> impl Ord + use<> {
        let device = (self.device != REFERENCE, self.device.clone());
        (self.group.clone(), natural(&self.size), device)
    }

    /// From criterion's `benchmark.json` and `sample.json`. Its own estimate of the median is that of
    /// the same samples.
    fn read(benchmark: &Value, sample: &Value) -> Result<Self> {
        let text = |key: &str| {
            let text = benchmark[key].as_str().map(str::to_owned);
            text.with_context(|| format!("expected a text at `{key}`"))
        };
        Ok(Self {
            group: text("group_id")?,
            device: text("function_id")?,
            size: text("value_str")?,
            spread: spread(sample)?,
        })
    }
}

/// A sample is how often the work was repeated, and how many nanoseconds that took in all.
fn spread(sample: &Value) -> Result<Spread> {
    let numbers = |key: &str| {
        let numbers = sample[key].as_array().map(Vec::as_slice).unwrap_or_default();
        let numbers: Option<Vec<f64>> = numbers.iter().map(Value::as_f64).collect();
        numbers.with_context(|| format!("expected numbers at `{key}`"))
    };
    let (counts, times) = (numbers("iters")?, numbers("times")?);
    let [found, expected] = [times.len(), counts.len()];
    ensure!(found == expected, "expected {expected} times, one a sample, found {found}");
    let seconds = |(count, time): (&f64, &f64)| time / count / 1e9;
    let seconds: Vec<f64> = counts.iter().zip(&times).map(seconds).collect();
    Spread::of(&seconds).context("expected at least one sample")
}

/// Reads every benchmark below a folder, in the order in which they are shown.
pub(super) fn read(folder: &Path) -> Result<Vec<Estimate>> {
    let mut estimates = Vec::new();
    for path in files::under(folder)? {
        if path.ends_with("new/benchmark.json") {
            let sample = json(&path.with_file_name("sample.json"))?;
            let estimate = Estimate::read(&json(&path)?, &sample);
            estimates.push(estimate.with_context(|| format!("`{}`", path.display()))?);
        }
    }
    estimates.sort_by_cached_key(Estimate::place);
    Ok(estimates)
}

fn json(path: &Path) -> Result<Value> {
    let text = files::read(path)?;
    serde_json::from_slice(&text).with_context(|| format!("`{}` is no JSON", path.display()))
}

/// A key by which texts with numbers are sorted as people do: 256x384 before 1024x384.
fn natural(text: &str) -> (String, Vec<u64>) {
    let words: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
    let numbers = text.split(|c: char| !c.is_ascii_digit());
    (words, numbers.filter_map(|number| number.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::{env, process};

    use super::*;

    /// What criterion 0.8 writes for one benchmark, in the folder that it takes for it.
    fn record(folder: &Path, [group, device, size]: [&str; 3], sample: &str) {
        let names = [group, device, size].map(|name| name.replace([':', '/'], "_"));
        let folder = folder.join(names.join("/")).join("new");
        fs::create_dir_all(&folder).expect("the folder can be written to");
        let benchmark = serde_json::json!({
            "group_id": group,
            "function_id": device,
            "value_str": size,
            "throughput": null,
            "full_id": format!("{group}/{device}/{size}"),
        });
        fs::write(folder.join("benchmark.json"), benchmark.to_string())
            .expect("the folder can be written to");
        fs::write(folder.join("sample.json"), sample).expect("the folder can be written to");
    }

    #[test]
    fn benchmarks_are_read_in_order() {
        let folder = env::temp_dir().join(format!("gating-estimates-{}", process::id()));
        let sample = r#"{"sampling_mode":"Linear","iters":[1.0,2.0,4.0],"times":[1e9,6e9,8e9]}"#;
        record(&folder, ["score", "wgpu:0", "1024x384"], sample);
        record(&folder, ["score", "wgpu:0", "256x384"], sample);
        record(&folder, ["score", "cpu", "1024x384"], sample);
        record(&folder, ["learn", "host", "256x384/per-step/50"], sample);
        record(&folder, ["learn", "host", "1024x384/accumulate/50"], sample);
        let estimates = read(&folder);
        fs::remove_dir_all(&folder).expect("the folder can be written to");
        let estimates = estimates.expect("the files are whole");
        let ids: Vec<String> = estimates.iter().map(Estimate::id).collect();
        let expected = [
            "learn/host/1024x384/accumulate/50",
            "learn/host/256x384/per-step/50",
            "score/wgpu:0/256x384",
            "score/cpu/1024x384",
            "score/wgpu:0/1024x384",
        ];
        assert_eq!(ids, expected);
        // 1, 3 and 2 seconds a run.
        let expected = Spread { lower: 1.5, median: 2.0, upper: 2.5 };
        assert_eq!(estimates[0].spread, expected);
    }

    #[test]
    fn broken_samples_are_refused() {
        let check = |sample: &str, expected: &str| {
            let sample = serde_json::from_str(sample).expect("the test holds JSON");
            let error = spread(&sample).expect_err("the sample is broken");
            assert_eq!(error.to_string(), expected);
        };
        check(r#"{"iters": [1], "times": [1, 2]}"#, "expected 1 times, one a sample, found 2");
        check(r#"{"iters": ["1"], "times": [1]}"#, "expected numbers at `iters`");
        check("{}", "expected at least one sample");
    }
}
