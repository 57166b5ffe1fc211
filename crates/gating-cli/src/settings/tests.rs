//! Every setting in every layer, and every combination of layers.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use burn::tensor::Device;
use clap::{Args, FromArgMatches};
use gating_core::{Embedding, EncodeError, Encoder, Gate, Head};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// A source of values that can be there or not, the strongest last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Layer {
    File,
    Environment,
    Argument,
}

const LAYERS: [Layer; 3] = [Layer::File, Layer::Environment, Layer::Argument];

/// What the sources say of a setting: never the default, and never what the next one says, but for
/// settings of two values.
struct Sample {
    name: &'static str,
    /// What a checkpoint knows of it, if it does.
    stored: Option<&'static str>,
    /// By the number of the layer.
    given: [&'static str; LAYERS.len()],
    /// What the program goes by: from the settings, and those of learning over a checkpoint's.
    read: fn(&Settings, &GateConfig) -> String,
}

/// One for every setting: where one is missing, this does not compile.
const SAMPLES: [Sample; KEYS.len()] = [
    Sample {
        name: "checkpoint",
        stored: None,
        given: ["one", "two", "three"],
        read: |settings, _| {
            settings.checkpoint.as_ref().expect("it is given").display().to_string()
        },
    },
    Sample {
        name: "netuid",
        stored: None,
        given: ["7", "8", "9"],
        read: |settings, _| settings.netuid.to_string(),
    },
    Sample {
        name: "seed",
        stored: Some("6"),
        given: ["7", "8", "9"],
        read: |_, gate| gate.seed.to_string(),
    },
    Sample {
        name: "gating.model_name",
        stored: Some("zero"),
        given: ["one", "two", "three"],
        read: |settings, _| settings.model_name.clone(),
    },
    Sample {
        name: "gating.num_uids",
        stored: Some("6"),
        given: ["7", "8", "9"],
        read: |_, gate| gate.num_uids.to_string(),
    },
    Sample {
        name: "gating.learning_rate",
        stored: Some("0.0625"),
        given: ["0.125", "0.25", "0.5"],
        read: |_, gate| gate.learning_rate.to_string(),
    },
    Sample {
        name: "gating.momentum",
        stored: Some("0.0625"),
        given: ["0.125", "0.25", "0.5"],
        read: |_, gate| gate.momentum.to_string(),
    },
    // Of two values one is the default.
    Sample {
        name: "gating.gradient",
        stored: Some("accumulate"),
        given: ["per-step", "accumulate", "per-step"],
        read: |_, gate| gate.gradient.to_string(),
    },
    Sample {
        name: "gating.identity",
        stored: Some("hotkey-or-swap"),
        given: ["hotkey", "hotkey-or-swap", "hotkey"],
        read: |_, gate| gate.identity.to_string(),
    },
    Sample {
        name: "neuron.use_custom_gating_model",
        stored: Some("false"),
        given: ["true", "false", "true"],
        read: |settings, _| settings.use_custom_gating_model.to_string(),
    },
    Sample {
        name: "neuron.device",
        stored: None,
        given: ["cpu", "wgpu:1", "cuda"],
        read: |settings, _| settings.device.clone(),
    },
    Sample {
        name: "neuron.cache_bytes",
        stored: None,
        given: ["7", "8", "9"],
        read: |settings, _| settings.cache_bytes.to_string(),
    },
    Sample {
        name: "neuron.dtype",
        stored: None,
        given: ["bf16", "f32", "bf16"],
        read: |settings, _| settings.dtype.clone(),
    },
    Sample {
        name: "neuron.vpermit_tao_limit",
        stored: None,
        given: ["7", "8", "9"],
        read: |settings, _| settings.vpermit_tao_limit.to_string(),
    },
];

fn sample(name: &str) -> &'static Sample {
    SAMPLES.iter().find(|sample| sample.name == name).expect("every setting has a sample")
}

/// What each layer says, by name.
type Given = BTreeMap<&'static str, Vec<Layer>>;

/// What one layer says, by name.
fn texts(given: &Given, layer: Layer) -> Vec<(&'static str, &'static str)> {
    let says = given.iter().filter(|(_, layers)| layers.contains(&layer));
    says.map(|(name, _)| (*name, sample(name).given[layer as usize])).collect()
}

/// A file that says settings in its format.
fn file(texts: &[(&str, &str)], format: &str) -> String {
    let mut tables: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, text) in texts {
        let is_bare = text.parse::<f64>().is_ok() || ["true", "false"].contains(text);
        let value = if is_bare { (*text).to_owned() } else { format!("\"{text}\"") };
        let (table, name) = name.split_once('.').unwrap_or(("", name));
        tables.entry(table).or_default().push(match format {
            "toml" => format!("{name} = {value}"),
            "yaml" => format!("{}{name}: {value}", if table.is_empty() { "" } else { "  " }),
            _ => format!("\"{name}\": {value}"),
        });
    }
    // What is in no table comes first.
    let part = |(table, lines): (&str, Vec<String>)| match (format, table) {
        ("toml" | "yaml", "") => lines.join("\n"),
        ("toml", _) => format!("[{table}]\n{}", lines.join("\n")),
        ("yaml", _) => format!("{table}:\n{}", lines.join("\n")),
        (_, "") => lines.join(", "),
        _ => format!("\"{table}\": {{{}}}", lines.join(", ")),
    };
    let parts: Vec<String> = tables.into_iter().map(part).collect();
    if format == "json" { format!("{{{}}}", parts.join(", ")) } else { parts.join("\n") }
}

/// The arguments as the command line has them.
fn arguments(config: &Path, texts: &[(&str, &str)]) -> SettingArgs {
    let args = texts.iter().map(|(name, text)| format!("--{name}={text}"));
    let args =
        ["gating".to_owned(), format!("--config={}", config.display())].into_iter().chain(args);
    let command = SettingArgs::augment_args(Command::new("gating"));
    let matches = command.try_get_matches_from(args);
    let matches = matches.unwrap_or_else(|error| panic!("{texts:?}: {error}"));
    SettingArgs::from_arg_matches(&matches).expect("every setting is an argument")
}

/// An encoder that encodes nothing.
struct Nothing(Device);

impl Encoder for Nothing {
    fn id(&self) -> &str {
        "nothing"
    }

    fn hidden_size(&self) -> usize {
        1
    }

    fn device(&self) -> &Device {
        &self.0
    }

    fn encode_batch(&self, _messages: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
        Err(EncodeError::new("nothing is encoded"))
    }
}

/// A checkpoint that knows all that one can know.
fn checkpoint() -> Checkpoint {
    fn stored<T: FromStr>(name: &str) -> T {
        let text = sample(name).stored.expect("a checkpoint knows it");
        text.parse().ok().expect("it has the type of the setting")
    }
    let config = GateConfig {
        num_uids: stored("gating.num_uids"),
        learning_rate: stored("gating.learning_rate"),
        momentum: stored("gating.momentum"),
        gradient: stored("gating.gradient"),
        identity: stored("gating.identity"),
        seed: stored("seed"),
    };
    let rows = vec![0.0; config.num_uids];
    let head = Head::from_values(rows.clone(), rows).expect("the sizes agree");
    let gate = Gate::with_head(Arc::new(Nothing(Device::flex())), config, head);
    let mut checkpoint =
        gate.expect("the settings are in range").checkpoint().expect("it is finite");
    for name in ["gating.model_name", "neuron.use_custom_gating_model"] {
        checkpoint.notes.insert(name.to_owned(), stored(name));
    }
    checkpoint
}

/// What has to come out for a setting, and from where.
fn expected(
    key: &Key,
    layers: &[Layer],
    file: &Path,
    checkpoint: Option<&Path>,
) -> Option<(String, Source)> {
    let Sample { name, stored, given, .. } = sample(key.name);
    let (text, source) = match (layers.last(), stored.zip(checkpoint)) {
        (Some(&layer), _) => {
            let source = match layer {
                Layer::File => Source::File(file.to_owned()),
                Layer::Environment => Source::Environment(variable(name)),
                Layer::Argument => Source::Argument,
            };
            (given[layer as usize], source)
        }
        (None, Some((stored, folder))) => (stored, Source::Checkpoint(folder.to_owned())),
        (None, None) => (key.default?, Source::Default),
    };
    Some((text.to_owned(), source))
}

fn variable(name: &str) -> String {
    name.to_uppercase().replace('.', "__")
}

/// Resolves settings from what layers say of them, alone and over a checkpoint, and checks all.
fn check(given: &Given, format: &str) {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let path = folder.path().join(format!("settings.{format}"));
    let content = file(&texts(given, Layer::File), format);
    fs::write(&path, &content).expect("the folder can be written to");
    let args = arguments(&path, &texts(given, Layer::Argument));
    let resolve = || {
        let environment = texts(given, Layer::Environment).into_iter();
        let environment = environment.map(|(name, text)| (variable(name).into(), text.into()));
        Settings::resolve_from(&args, &[], environment)
            .unwrap_or_else(|failure| panic!("{given:?} {content}: {failure:?}"))
    };
    let (checkpoint, state) = (checkpoint(), Path::new("state"));
    let over = resolve().over(&checkpoint, state);
    let learning = over.gate_over(*checkpoint.config());
    let alone = resolve();
    for (settings, gate, state) in [(&alone, &alone.gate, None), (&over, &learning, Some(state))] {
        for (key, entry) in settings.entries() {
            let layers = given.get(key.name).map_or(&[][..], Vec::as_slice);
            let expected = expected(key, layers, &path, state);
            let found = entry.map(|entry| (entry.text.clone(), entry.source.clone()));
            assert_eq!(found, expected, "{} of {given:?} {content}", key.name);
            // What a checkpoint notes of its encoder is read where that is opened.
            let is_noted = state.is_some_and(|_| checkpoint.notes.contains_key(key.name));
            if let Some((text, source)) = expected
                && !(is_noted && matches!(source, Source::Checkpoint(_)))
            {
                let read = (sample(key.name).read)(settings, gate);
                assert_eq!(read, text, "{} of {given:?} {content}", key.name);
            }
        }
    }
}

/// Those layers whose bits are set.
fn subset(bits: usize) -> Vec<Layer> {
    let is_set = |layer: &Layer| bits & (1 << *layer as usize) != 0;
    LAYERS.into_iter().filter(is_set).collect()
}

const FORMATS: [&str; 3] = ["toml", "yaml", "json"];

#[test]
fn every_setting_can_be_set_in_every_layer_and_the_strongest_wins() {
    for key in &KEYS {
        for (format, bits) in
            FORMATS.iter().flat_map(|format| (0..8).map(move |bits| (format, bits)))
        {
            check(&Given::from([(key.name, subset(bits))]), format);
        }
    }
}

#[test]
fn no_setting_stands_in_the_way_of_another() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for round in 0..100 {
        let given = KEYS.iter().map(|key| (key.name, subset(random.random_range(0..8))));
        check(&given.collect(), FORMATS[round % 3]);
    }
}

#[test]
fn samples_tell_layers_apart() {
    for key in &KEYS {
        let Sample { stored, given, .. } = sample(key.name);
        let texts = [*stored, Some(given[0]), Some(given[1]), Some(given[2])];
        let is_choice = ["gating.gradient", "neuron.dtype", "neuron.use_custom_gating_model"];
        for (weaker, stronger) in texts.iter().zip(&texts[1..]) {
            let differ = weaker != stronger && *stronger != key.default;
            assert!(differ || is_choice.contains(&key.name), "{key:?}");
        }
    }
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

#[test]
fn an_underscore_that_is_missing_is_told() {
    let environment = [("GATING_MOMENTUM", "0.5"), ("GATING_MINILM", "/models")];
    let environment = environment.map(|(name, value)| (name.into(), value.into()));
    let settings = Settings::resolve_from(&SettingArgs::default(), &[], environment.into_iter());
    let failure = settings.expect_err("GATING_MOMENTUM is no setting");
    let expected = "`gating_momentum` from the environment variable GATING_MOMENTUM is no known setting, but \
                    GATING__MOMENTUM is";
    assert_eq!(failure.line(), expected);
}
