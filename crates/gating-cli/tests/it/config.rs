//! Settings from every source, the stronger over the weaker.

use std::fs;

use serde_json::{Value, json};

use crate::fixture::{Place, place};

fn setting(place: &Place, name: &str, args: &[&str]) -> (Value, String) {
    let lines = place.run(&[&["config", "show", "--format", "json"], args].concat()).json();
    let line = lines.into_iter().find(|line| line["name"] == name).expect("it is a setting");
    (line["value"].clone(), line["source"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn the_stronger_source_wins() {
    let name = "gating.momentum";
    let place = place();
    assert_eq!(setting(&place, name, &[]), (json!("0.9"), "the defaults".to_owned()));
    place.write("gating.toml", "[gating]\nmomentum = 0.5\n");
    assert_eq!(setting(&place, name, &[]), (json!("0.5"), "gating.toml".to_owned()));
    let place = place.with_variable("GATING__MOMENTUM", "0.25");
    let expected = (json!("0.25"), "the environment variable GATING__MOMENTUM".to_owned());
    assert_eq!(setting(&place, name, &[]), expected);
    let expected = (json!("0.125"), "the command line".to_owned());
    assert_eq!(setting(&place, name, &["--gating.momentum", "0.125"]), expected);
}

#[test]
fn files_are_toml_yaml_or_json() {
    let place = place();
    let files = [
        ("a.toml", "[gating]\nnum_uids = 7\n[neuron]\nuse_custom_gating_model = true\n"),
        ("a.yaml", "gating:\n  num_uids: 7\nneuron:\n  use_custom_gating_model: true\n"),
        (
            "a.json",
            "{\"gating\": {\"num_uids\": 7}, \"neuron\": {\"use_custom_gating_model\": true}}",
        ),
    ];
    for (name, content) in files {
        let path = place.write(name, content);
        let args = ["--config", &path];
        assert_eq!(setting(&place, "gating.num_uids", &args), (json!("7"), path.clone()));
        let custom = setting(&place, "neuron.use_custom_gating_model", &args);
        assert_eq!(custom, (json!("true"), path.clone()));
    }
}

#[test]
fn all_wrong_settings_are_told_at_once() {
    let place =
        place().with_variable("GATING__MOMENTUM", "1.5").with_variable("NEURON__NAMES", "x");
    place.write(
        "gating.toml",
        "netuid = \"one\"\n[gating]\nnum_uids = \"8\"\nlearning_rat = 0.1\ngradient = 3\n[neuron]\n\
         use_custom_gating_model = \"true\"\n",
    );
    let run = place.run(&["config", "check", "--gating.learning_rate=-2", "--format", "json"]);
    assert_eq!(run.code, Some(2));
    let error = run.error();
    assert_eq!(error["kind"], json!("configuration"));
    let causes: Vec<&str> = error["causes"]
        .as_array()
        .expect("there are causes")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let expected = [
        "`gating.learning_rat` from gating.toml (`0.1`) is no known setting, but `gating.learning_rate` is",
        "`gating.num_uids` from gating.toml is the text `8`, expected a whole number from 1 to 65536",
        "`netuid` from gating.toml is the text `one`, expected a subnet number from 0 to 65535",
        "`neuron.use_custom_gating_model` from gating.toml is the text `true`, expected true or false",
        "`neuron.names` from the environment variable NEURON__NAMES is no known setting",
        "`gating.gradient` from gating.toml is `3`, expected accumulate or per-step",
        "`gating.learning_rate` from the command line: expected a learning rate of 0 or more, found -2",
        "`gating.momentum` from the environment variable GATING__MOMENTUM: expected a momentum of at \
         least 0 and below 1, found 1.5",
    ];
    for expected in expected {
        assert!(causes.contains(&expected), "{expected}: {causes:#?}");
    }
    assert_eq!(causes.len(), expected.len(), "each is told once: {causes:#?}");
}

#[test]
fn config_files_that_cannot_be_read_say_so() {
    let place = place();
    let check = |path: &str, expected: &str| {
        let run = place.run(&["config", "show", "--config", path]);
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stderr.contains(expected), "{run:?}");
    };
    check("missing.toml", "cannot read settings from missing.toml");
    place.write("wrong.toml", "[gating\n");
    check("wrong.toml", "cannot read settings from wrong.toml");
    place.write("settings.ini", "");
    check("settings.ini", "the name of settings.ini says no format");
}

/// What `config init` prints is a file that changes nothing.
#[test]
fn a_new_file_holds_every_setting_at_its_default() {
    let place = place();
    let init = place.run(&["config", "init"]).stdout;
    let before = place.run(&["config", "show"]).stdout;
    assert!(before.lines().all(|line| !line.ends_with(' ')), "{before:?}");
    place.write("gating.toml", &init);
    assert_eq!(place.run(&["config", "show"]).stdout, before);
    let uncommented: Vec<&str> = init
        .lines()
        .filter(|line| !line.contains("checkpoint =") && !line.starts_with("# Settings"))
        .map(|line| if line.contains(" = ") { line.trim_start_matches("# ") } else { line })
        .collect();
    place.write("gating.toml", &uncommented.join("\n"));
    let run = place.run(&["config", "check"]);
    assert_eq!(run.stdout.trim_end(), "all 14 settings are right, 13 of them given");
}

#[test]
fn a_new_file_is_written_once() {
    let place = place();
    let before = place.run(&["config", "show"]).stdout;
    for name in ["new.toml", "new.yaml"] {
        let run = place.run(&["config", "init", name]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{run:?}");
        let show = place.run(&["config", "show", "--config", name]).stdout;
        assert_eq!(show, before, "{name} changes nothing");
        // And with every setting taken in, it says the defaults.
        let text = fs::read_to_string(place.path().join(name)).expect("it was written");
        let is_setting = |line: &str| match name {
            "new.toml" => line.contains(" = "),
            _ => line.split_whitespace().next().is_some_and(|word| word.ends_with(':')),
        };
        let settings = text.lines().filter(|line| !line.contains("checkpoint"));
        let settings = settings.map(|line| match line.strip_prefix('#') {
            Some(rest) if is_setting(rest) => rest.to_owned(),
            _ => line.to_owned(),
        });
        let path = place.write(name, &settings.collect::<Vec<_>>().join("\n"));
        let run = place.run(&["config", "check", "--config", &path]);
        let expected = "all 14 settings are right, 13 of them given";
        assert_eq!(run.stdout.trim_end(), expected, "{name} {run:?}");
        let run = place.run(&["config", "init", name]);
        assert_eq!(run.code, Some(2));
        assert!(run.stderr.contains("is there already"), "{run:?}");
    }
    let run = place.run(&["config", "init", "new.json"]);
    assert!(run.stderr.contains("end the name with .toml or .yaml"), "{run:?}");
}

#[test]
fn a_checkpoint_stands_in_for_defaults() {
    let place = place();
    let learn = ["learn", "--message", "hi", "--uids", "1", "--rewards", "1"];
    let given = ["--checkpoint", "state", "--gating.momentum", "0.5"];
    assert_eq!(place.run_tiny(&[&learn[..], &given].concat()).code, Some(0));
    let state = ["--checkpoint", "state"];
    let source = "the checkpoint in state".to_owned();
    assert_eq!(setting(&place, "gating.num_uids", &state), (json!("8"), source.clone()));
    assert_eq!(setting(&place, "gating.momentum", &state), (json!("0.5"), source.clone()));
    let custom = setting(&place, "neuron.use_custom_gating_model", &state);
    assert_eq!(custom, (json!("true"), source));
    let given =
        setting(&place, "gating.momentum", &[&state[..], &["--gating.momentum=0.25"]].concat());
    assert_eq!(given, (json!("0.25"), "the command line".to_owned()));
    let netuid = setting(&place, "netuid", &state);
    assert_eq!(netuid, (json!("1"), "the defaults".to_owned()), "no checkpoint holds it");
    let none = setting(&place, "gating.num_uids", &["--checkpoint", "none"]);
    assert_eq!(none, (json!("4096"), "the defaults".to_owned()));
}

/// A head that has grown is shown as it is, and what is shown can be given.
#[test]
fn a_head_that_grew_is_shown_as_it_is() {
    let place = place();
    let state = ["--checkpoint", "state"];
    let learn = ["learn", "--message", "hi", "--uids", "1,2", "--rewards", "0,1"];
    assert_eq!(place.run_tiny(&[&learn[..], &state].concat()).code, Some(0));
    for (block, keys) in [(1, &[1, 2, 3, 4, 5, 6, 7, 8][..]), (2, &[1, 2, 3, 4, 5, 6, 7, 8, 9])] {
        let file = place.metagraph("metagraph.json", block, keys);
        assert_eq!(place.run(&[&["resync", &file][..], &state].concat()).code, Some(0));
    }
    let source = "the checkpoint in state".to_owned();
    assert_eq!(setting(&place, "gating.num_uids", &state), (json!("9"), source));
    let run = place.run(&[&learn[..], &state, &["--gating.num_uids", "9"]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    let run = place.run(&[&learn[..], &state, &["--gating.num_uids", "10"]].concat());
    assert!(run.stderr.contains("which cannot change to 10"), "{run:?}");
}

/// What `config init` prints as JSON is a file that says every default.
#[test]
fn a_new_file_is_json_where_that_is_asked_for() {
    let place = place();
    let init = place.run(&["config", "init", "--format", "json"]);
    let defaults = init.json();
    assert_eq!(defaults.len(), 1, "{init:?}");
    assert_eq!(defaults[0]["gating"]["momentum"], json!(0.9));
    assert_eq!(defaults[0]["neuron"]["use_custom_gating_model"], json!(false));
    let path = place.write("all.json", &init.stdout);
    let values = |args: &[&str]| -> Vec<Value> {
        let lines = place.run(&[&["config", "show", "--format", "json"], args].concat()).json();
        lines.into_iter().map(|line| line["value"].clone()).collect()
    };
    assert_eq!(values(&["--config", &path]), values(&[]));
    let run = place.run(&["config", "check", "--config", &path]);
    assert_eq!(run.stdout.trim_end(), "all 14 settings are right, 13 of them given");
}

/// The command line of a validator, as its users start it.
#[test]
fn a_validators_arguments_are_taken_and_told() {
    let place = place().with_variable("WALLET__HOTKEY", "default");
    place.write("validator.yaml", "neuron:\n  name: core\n  device: cpu\nwandb:\n  entity: me\n");
    let arguments = [
        "config",
        "show",
        "--netuid",
        "3",
        "--wallet.name",
        "validator",
        "--subtensor.network",
        "finney",
        "--wandb.off",
        "--neuron.followup_sample_size",
        "10",
        "--logging.debug",
        "--gating.num_uids",
        "1024",
        "--neuron.use_custom_gating_model",
        "--mock",
        "--neuron.moving_average_alpha",
        "-0.5",
        "--config",
        "validator.yaml",
    ];
    let run = place.run(&arguments);
    assert_eq!(run.code, Some(0), "{run:?}");
    let warnings: Vec<&str> =
        run.stderr.lines().filter(|line| line.starts_with("warning")).collect();
    let expected = [
        "(nothing is sent to Weights & Biases)",
        "`wallet.hotkey`, `wallet.name` (no wallet is opened)",
        "`subtensor.network` (nothing is registered",
        "`neuron.followup_sample_size` (nobody is asked",
        "`neuron.moving_average_alpha` (no weights are set",
        "`neuron.name` (the state is kept",
        "`mock` (nothing can be replaced",
    ];
    for expected in expected {
        assert!(warnings.iter().any(|line| line.contains(expected)), "{expected}: {warnings:#?}");
    }
    let logging = warnings.iter().filter(|line| line.contains("logging.debug")).count();
    assert_eq!((warnings.len(), logging), (expected.len(), 0), "{warnings:#?}");
    assert!(run.stdout.contains("1024"), "{run:?}");
    assert_eq!(place.run(&["config", "check", "--wandb.unheard_of", "1"]).code, Some(2));
}
