//! Every setting in every layer, and every combination of layers.

use std::fs;

use super::*;

/// A source of values that can be there or not, the strongest last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Layer {
    File,
    Environment,
    Argument,
}

const LAYERS: [Layer; 3] = [Layer::File, Layer::Environment, Layer::Argument];

/// What a layer says of a setting: never the default, and never what the layer next to it says.
fn sample(key: &Key, layer: Layer) -> String {
    let at = LAYERS.iter().position(|known| *known == layer).expect("the layer is known");
    let choices: &[&str] = match key.name {
        "netuid"
        | "seed"
        | "gating.num_uids"
        | "neuron.vpermit_tao_limit"
        | "neuron.cache_bytes" => &["7", "8", "9"],
        "gating.learning_rate" | "gating.momentum" => &["0.125", "0.25", "0.5"],
        "gating.gradient" => &["per-step", "accumulate", "per-step"],
        "gating.identity" => &["hotkey", "hotkey-or-swap", "hotkey"],
        "neuron.use_custom_gating_model" => &["true", "false", "true"],
        "neuron.device" => &["cpu", "auto", "cpu"],
        "neuron.dtype" => &["bf16", "f32", "bf16"],
        _ => &["one", "two", "three"],
    };
    choices[at].to_owned()
}

/// A file that says a setting in its format.
fn file(key: &Key, format: &str) -> String {
    let text = sample(key, Layer::File);
    let is_text = text.parse::<f64>().is_err() && text != "true" && text != "false";
    let value = if is_text { format!("\"{text}\"") } else { text };
    match (format, key.name.split_once('.')) {
        ("toml", None) => format!("{} = {value}\n", key.name),
        ("toml", Some((table, name))) => format!("[{table}]\n{name} = {value}\n"),
        ("yaml", None) => format!("{}: {value}\n", key.name),
        ("yaml", Some((table, name))) => format!("{table}:\n  {name}: {value}\n"),
        (_, None) => format!("{{\"{}\": {value}}}", key.name),
        (_, Some((table, name))) => format!("{{\"{table}\": {{\"{name}\": {value}}}}}"),
    }
}

/// Resolves one setting from some layers, and checks it and all others.
fn check(key: &Key, layers: &[Layer], format: &str) {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let path = folder.path().join(format!("settings.{format}"));
    let has = |layer| layers.contains(&layer);
    let content = if has(Layer::File) { file(key, format) } else { String::new() };
    // Nothing is no JSON.
    let content = if content.is_empty() && format == "json" { "{}".to_owned() } else { content };
    fs::write(&path, content).expect("the folder can be written to");
    let mut args = SettingArgs { config: Some(path.clone()), ..SettingArgs::default() };
    if has(Layer::Argument) {
        args.given.insert(key.name, sample(key, Layer::Argument));
    }
    let variable = key.name.to_uppercase().replace('.', "__");
    let value = sample(key, Layer::Environment);
    let environment = has(Layer::Environment).then(|| (variable.clone().into(), value.into()));

    let settings = Settings::resolve_from(&args, &[], environment.into_iter());
    let settings = settings.unwrap_or_else(|failure| panic!("{key:?} {layers:?}: {failure:?}"));
    let expected = match layers.last() {
        None => key.default.map(|default| (default.to_owned(), Source::Default)),
        Some(&layer) => {
            let source = match layer {
                Layer::File => Source::File(path),
                Layer::Environment => Source::Environment(variable),
                Layer::Argument => Source::Argument,
            };
            Some((sample(key, layer), source))
        }
    };
    for (other, entry) in settings.entries() {
        let found = entry.map(|entry| (entry.text.clone(), entry.source.clone()));
        let default = other.default.map(|default| (default.to_owned(), Source::Default));
        let expected = if other.name == key.name { &expected } else { &default };
        assert_eq!(&found, expected, "{} from {layers:?} of {}", other.name, key.name);
    }
}

#[test]
fn every_setting_can_be_set_in_every_layer_and_the_strongest_wins() {
    for key in &KEYS {
        for format in ["toml", "yaml", "json"] {
            for subset in 0..1 << LAYERS.len() {
                let layers = (0..LAYERS.len()).filter(|at| subset & (1 << at) != 0);
                check(key, &layers.map(|at| LAYERS[at]).collect::<Vec<_>>(), format);
            }
        }
    }
}

/// What was resolved is what the program goes by.
#[test]
fn settings_have_the_values_that_are_shown() {
    let mut args = SettingArgs::default();
    for key in &KEYS {
        args.given.insert(key.name, sample(key, Layer::Argument));
    }
    let settings = Settings::resolve_from(&args, &[], std::iter::empty());
    let settings = settings.unwrap_or_else(|failure| panic!("{failure:?}"));
    let Settings { gate, netuid, checkpoint, device, model_name, .. } = &settings;
    assert_eq!((gate.num_uids, gate.learning_rate, gate.momentum, gate.seed), (9, 0.5, 0.5, 9));
    assert_eq!(
        (gate.gradient.to_string(), gate.identity.to_string()),
        ("per-step".into(), "hotkey".into())
    );
    assert_eq!((*netuid, device.as_str(), model_name.as_str()), (9, "cpu", "three"));
    assert_eq!(checkpoint.as_deref(), Some(Path::new("three")));
    assert!(settings.use_custom_gating_model);
}

#[test]
fn what_means_nothing_here_is_told_by_its_reason() {
    let mut args = SettingArgs::default();
    args.given.insert("wandb.off", "true".to_owned());
    args.given.insert("neuron.name", "validator".to_owned());
    let environment = [("WANDB__NOTES", "x"), ("WALLET__NAME", "y"), ("MOCK", "true")];
    let environment = environment.map(|(name, value)| (name.into(), value.into()));
    let settings = Settings::resolve_from(&args, &[], environment.into_iter());
    let settings = settings.unwrap_or_else(|failure| panic!("{failure:?}"));
    let unsupported: Vec<_> = settings.unsupported().collect();
    let expected = [
        ("nothing is sent to Weights & Biases", "`wandb.notes`, `wandb.off`"),
        ("no wallet is opened", "`wallet.name`"),
        ("the state is kept in --checkpoint, and no log of events is written", "`neuron.name`"),
    ];
    assert_eq!(unsupported, expected.map(|(why, names)| (why, names.to_owned())));
}
