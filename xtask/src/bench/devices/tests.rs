//! Small reports, number by number.

use super::super::found::About;
use super::*;

fn estimate(id: &str, milliseconds: [f64; 3]) -> Estimate {
    let mut parts = id.splitn(3, '/').map(str::to_owned);
    let mut part = || parts.next().expect("an id has three parts");
    let [lower, median, upper] = milliseconds.map(|number| number / 1e3);
    let (group, device, size) = (part(), part(), part());
    Estimate { group, device, size, spread: Spread { lower, median, upper } }
}

fn report(estimates: Vec<Estimate>) -> Report {
    let about = About {
        name: "a processor".to_owned(),
        driver: None,
        memory: None,
        max_tensor: None,
        is_software: false,
    };
    let found = vec![Found { name: "cpu".to_owned(), about: Ok(about) }];
    let machine = Machine::look(2, "0.00".to_owned());
    Report { machine, found, features: Some("wgpu".to_owned()), estimates }
}

fn check(estimates: &[Estimate], expected: &[&str]) {
    let found = compared(&estimates.iter().collect::<Vec<_>>());
    assert_eq!(found.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn devices_stand_side_by_side() {
    let estimates = [
        estimate("score/wgpu:0/256x384", [2.0, 3.0, 4.0]),
        estimate("score/cpu/1024x384", [0.01, 0.02, 0.03]),
        estimate("score/wgpu:0/1024x384", [0.04, 0.05, 0.06]),
    ];
    let expected = [
        "| size | cpu, ms | wgpu:0, ms | to cpu |",
        "|---|---|---|---|",
        "| 256x384 |  | 3.00 (2.00 to 4.00) |  |",
        "| 1024x384 | 0.020 (0.010 to 0.030) | 0.050 (0.040 to 0.060) | 2.50 |",
    ];
    check(&estimates, &expected);
}

#[test]
fn nothing_is_compared_with_a_device_that_did_not_run() {
    let estimates = [estimate("learn/host/256x384/per-step/50", [1.0, 1.0, 1.0])];
    let expected =
        ["| size | host, ms |", "|---|---|", "| 256x384/per-step/50 | 1.00 (1.00 to 1.00) |"];
    check(&estimates, &expected);
}

#[test]
fn groups_on_devices_have_a_chart() {
    let report = report(vec![
        estimate("learn/host/256x384/per-step/50", [1.0, 1.0, 1.0]),
        estimate("score/cpu/256x384", [1.0, 2.0, 3.0]),
    ]);
    let charts = report.charts();
    assert_eq!(charts.keys().collect::<Vec<_>>(), ["benchmarks-score.svg"]);
    let section = report.section();
    assert!(
        section.contains("### score\n\n![The medians of score as a chart](benchmarks-score.svg)")
    );
    assert!(section.contains("### learn\n\n| size |"), "{section}");
    assert!(section.contains("`cargo xtask bench --features wgpu`"), "{section}");
    assert_eq!(section.matches(['{', '}']).count(), 0, "{section}");
}

#[test]
fn options_are_read() {
    let check = |line: &str, expected: Result<Options, &str>| {
        let arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let found = Options::parse(&arguments).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{line}");
    };
    let some = |text: &str| Some(text.to_owned());
    check("", Ok(Options::default()));
    check("--save new --features wgpu,libtorch", {
        Ok(Options { save: some("new"), features: some("wgpu,libtorch"), ..Options::default() })
    });
    check("--against old --only score/ --threshold 2.5", {
        let (against, only) = (some("old"), some("score/"));
        Ok(Options { against, only, threshold: 2.5, ..Options::default() })
    });
    check("--threshold 5", Err("expected `--against` beside `--threshold`"));
    check("--threshold", Err("expected a text after `--threshold`"));
    let percent = "expected a number of percent after `--threshold`";
    check("--against old --threshold -1", Err(percent));
    check("--against old --threshold few", Err(percent));
    check("--rounds 3", Err("unknown argument `--rounds`"));
}
