//! The command on every device that is compiled in and answers, those that `GATING_DEVICES` names.

use std::env;

use gating_devices::{DeviceFamily, DeviceName};
use serde_json::{Value, json};

use crate::fixture::{Place, Run, place};

fn devices() -> Vec<String> {
    match env::var("GATING_DEVICES") {
        Ok(names) => names.split(',').map(str::to_owned).collect(),
        Err(_) => gating_devices::found().iter().map(DeviceName::to_string).collect(),
    }
}

fn run(place: &Place, device: &str, args: &[&str]) -> Run {
    place.run_tiny(&[args, &["--neuron.device", device, "--format", "json"]].concat())
}

fn scores(line: &Value) -> Vec<f64> {
    let scores = line["scores"].as_array().expect("there are scores");
    scores.iter().map(|score| score.as_f64().expect("scores are numbers")).collect()
}

#[track_caller]
fn compare(device: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{device}");
    for (found, expected) in found.iter().zip(expected) {
        // Embeddings of length 1 differ by 5e-6 at most in each of 32 numbers.
        assert!((found - expected).abs() < 5e-5, "{device}: {found}, expected {expected}");
    }
}

#[test]
fn what_is_learned_on_one_device_goes_on_on_another() {
    let place = place();
    let learn = ["learn", "--message", "who?", "--uids", "1,5", "--rewards", "1,0"];
    let steps = 3;
    for device in devices() {
        let state = ["--checkpoint", &format!("state-{device}").replace(':', "-")];
        for _ in 0..steps {
            assert_eq!(run(&place, &device, &[&learn[..], &state].concat()).code, Some(0));
        }
        let score = [&["score", "who?", "the miner"][..], &state].concat();
        let expected = run(&place, "cpu", &score).json();
        let found = run(&place, &device, &score).json();
        for (found, expected) in found.iter().zip(&expected) {
            compare(&device, &scores(found), &scores(expected));
        }
        let on_cpu = run(&place, "cpu", &[&learn[..], &state].concat()).json();
        assert_eq!(on_cpu[0]["step"], json!(steps + 1));
    }
}

#[test]
fn the_doctor_tries_every_device() {
    let report = &place().run(&["doctor", "--format", "json"]).json()[0];
    let reports = report["devices"].as_array().expect("there are devices");
    for device in devices() {
        let report = reports.iter().find(|report| {
            let name = report["device"].as_str().expect("devices have names");
            name == device || name.starts_with(&format!("{device}:"))
        });
        let report = report.expect("the device was found");
        assert_eq!(report["answers"], json!(true), "{report}");
        assert!(report["seconds"].is_number() && report["error"].is_number(), "{report}");
    }
}

#[test]
fn a_device_that_is_not_there_is_an_error_and_nothing_else_is_taken() {
    let check = |device: &str, expected: &[&str]| {
        let run = run(&place(), device, &["score", "hi"]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");
        let error = run.error();
        assert_eq!(error["kind"], json!("device"), "{error}");
        let message = error["message"].as_str().expect("an error has a message");
        assert!(expected.iter().any(|expected| message.contains(expected)), "{message}");
        assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("found: cpu")), "{error}");
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    };
    check("wgpu:60000", &["not compiled in", "numbered from 0", "no driver of"]);
    check("vulkan:60000", &["not compiled in", "numbered from 0", "no driver of"]);
    check("cuda:60000", &["not compiled in", "finds", "on the processor alone"]);
}

#[test]
fn auto_says_what_it_took() {
    let run = run(&place(), "auto", &["score", "hi"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let has_cpu = DeviceFamily::COMPILED.contains(&DeviceFamily::Flex);
    let choice = gating_devices::choose().expect("the command took a device");
    assert!(has_cpu || choice.opened.name != DeviceName::Cpu);
    let expected = format!("device: {} ({})", choice.opened.name, choice.reason);
    assert!(run.stderr.contains(&expected), "{run:?}, expected {expected}");
}
