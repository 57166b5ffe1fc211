//! Every setting: its name, default and meaning, and where its value comes from.

mod layers;
mod reference;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Arg, ArgMatches, Command};
use gating_core::{Checkpoint, Error, GateConfig};

use crate::device;
use crate::failure::{Failure, Kind};
use crate::models::Pooling;
pub(crate) use layers::Source;
use layers::{Entry, Form, Layers};

/// A setting as it is named everywhere: argument `--gating.momentum`, environment variable
/// `GATING__MOMENTUM`, key `gating.momentum` of a file.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// None where the setting may be absent.
    pub(crate) default: Option<&'static str>,
    pub(crate) about: &'static str,
}

const fn key(name: &'static str, default: Option<&'static str>, about: &'static str) -> Key {
    Key { name, default, about }
}

/// Every setting. The names and defaults of the reference are kept.
pub(crate) const KEYS: [Key; 14] = [
    key("checkpoint", None, "The folder of the state to read and write"),
    key("netuid", Some("1"), "The subnet"),
    key("seed", Some("0"), "Decides every random choice"),
    key(
        "gating.model_name",
        Some("EleutherAI/gpt-neo-125m"),
        "The encoder: a hub id, or a folder with config.json, tokenizer and weights",
    ),
    key("gating.num_uids", Some("4096"), "How many uids a new head scores"),
    key("gating.learning_rate", Some("0.01"), "The step size of gradient descent"),
    key("gating.momentum", Some("0.9"), "How much of the velocity lasts from step to step"),
    key(
        "gating.gradient",
        Some("accumulate"),
        "Whether gradients add up: accumulate (as the reference) or per-step",
    ),
    key(
        "gating.identity",
        Some("uid"),
        "Whose a row is: uid (as the reference), hotkey or hotkey-or-swap",
    ),
    key(
        "neuron.use_custom_gating_model",
        Some("false"),
        "Take the mean over the message (sentence encoders), not its last token (GPT)",
    ),
    key(
        "neuron.device",
        Some("auto"),
        "Where to compute: auto, cpu, libtorch, cuda[:N] or libtorch:cuda[:N], burn:cuda[:N], wgpu[:N] or vulkan[:N], as compiled in",
    ),
    key(
        "neuron.cache_bytes",
        Some("33554432"),
        "How many bytes of embeddings to keep for messages that come again; 0 keeps none",
    ),
    key(
        "neuron.dtype",
        Some("f32"),
        "How the encoder computes: f32, or f16 or bf16 where the device does",
    ),
    key(
        "neuron.vpermit_tao_limit",
        Some("4096"),
        "Validators with more stake than this, in TAO, are not asked",
    ),
];

/// The settings as they were given on the command line.
#[derive(Debug, Default)]
pub(crate) struct SettingArgs {
    /// Texts by the name of the setting.
    given: BTreeMap<&'static str, String>,
    /// The file to read more settings from.
    config: Option<PathBuf>,
}

const HEADING: &str = "Settings";

/// The argument of a setting, with the default that holds for a command.
fn argument(key: &Key, default: Option<&str>) -> Arg {
    let about = match default {
        Some(default) => format!("{} [default: {default}]", key.about),
        None => key.about.to_owned(),
    };
    let arg = Arg::new(key.name).long(key.name).help(about).help_heading(HEADING);
    let arg = match key.default {
        Some("false") => as_flag(arg),
        _ => arg.allow_hyphen_values(true),
    };
    arg.value_name("VALUE")
}

/// An argument that means `true` where it has no value.
fn as_flag(arg: Arg) -> Arg {
    arg.num_args(0..=1).require_equals(true).default_missing_value("true")
}

/// The arguments of settings for a command that has defaults of its own.
pub(crate) fn arguments(defaults: &[(&'static str, &'static str)]) -> Vec<Arg> {
    let argument = |&(name, default): &(&str, &str)| {
        let key = KEYS.iter().find(|key| key.name == name).expect("defaults are of settings");
        argument(key, Some(default))
    };
    defaults.iter().map(argument).collect()
}

impl clap::Args for SettingArgs {
    fn augment_args(command: Command) -> Command {
        let config = Arg::new("config")
            .long("config")
            .value_name("FILE")
            .help("Read settings from this file; from gating.toml if there is one")
            .help_heading(HEADING)
            .value_parser(clap::value_parser!(PathBuf));
        // Arguments of the reference that mean nothing here: taken, and told of later.
        let foreign = reference::names().map(|(name, is_flag)| {
            let arg = Arg::new(name).long(name).hide(true);
            if is_flag { as_flag(arg) } else { arg.allow_hyphen_values(true) }
        });
        let settings = KEYS.iter().map(|key| argument(key, key.default));
        command.args(settings.chain([config]).chain(foreign).map(|arg| arg.global(true)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for SettingArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut args = Self::default();
        args.update_from_arg_matches(matches)?;
        Ok(args)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let foreign = reference::names().map(|(name, _)| name);
        let given =
            KEYS.iter().map(|key| key.name).chain(foreign).filter_map(|name| {
                matches.get_one::<String>(name).map(|text| (name, text.clone()))
            });
        self.given.extend(given);
        self.config = matches.get_one::<PathBuf>("config").cloned();
        Ok(())
    }
}

/// Arguments of the reference that are followed as `-v`.
const VERBOSE: [&str; 2] = ["logging.debug", "logging.trace"];

impl SettingArgs {
    /// Whether the reference would say more.
    pub(crate) fn asks_for_detail(&self) -> bool {
        VERBOSE.iter().any(|name| self.given.get(name).is_some_and(|text| text == "true"))
    }
}

/// The settings as resolved and checked.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) gate: GateConfig,
    pub(crate) model_name: String,
    pub(crate) use_custom_gating_model: bool,
    pub(crate) device: String,
    pub(crate) dtype: String,
    /// How many bytes the embeddings may take that are kept.
    pub(crate) cache_bytes: usize,
    pub(crate) netuid: u16,
    /// In TAO.
    pub(crate) vpermit_tao_limit: u64,
    pub(crate) checkpoint: Option<PathBuf>,
    layers: Layers,
}

impl Settings {
    /// Resolves every setting: argument, environment variable, file, default.
    ///
    /// `defaults` stand in for those of [`KEYS`].
    pub(crate) fn resolve(
        args: &SettingArgs,
        defaults: &[(&'static str, &'static str)],
    ) -> Result<Self, Failure> {
        Self::resolve_from(args, defaults, env::vars_os())
    }

    /// The same with another environment than that of the process.
    fn resolve_from(
        args: &SettingArgs,
        defaults: &[(&'static str, &'static str)],
        environment: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Self, Failure> {
        let layers = Layers::read(args, defaults, environment)?;
        let mut reader = Reader { layers: &layers, problems: layers.unknown() };
        let settings = Self {
            gate: reader.gate(),
            model_name: reader.text("gating.model_name"),
            use_custom_gating_model: reader.parse(
                "neuron.use_custom_gating_model",
                Form::Flag,
                "true or false",
            ),
            device: reader.device(),
            dtype: reader.choice("neuron.dtype", &device::DTYPES),
            cache_bytes: reader.number("neuron.cache_bytes", "a whole number of bytes"),
            netuid: reader.number("netuid", "a subnet number from 0 to 65535"),
            vpermit_tao_limit: reader.number("neuron.vpermit_tao_limit", "a whole number of TAO"),
            checkpoint: reader.optional_text("checkpoint").map(PathBuf::from),
            layers: Layers::default(),
        };
        let problems = reader.problems;
        match problems.is_empty() {
            true => Ok(Self { layers, ..settings }),
            false => Err(refuse(problems)),
        }
    }

    /// Every setting with its value and where that came from.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'static Key, Option<&Entry>)> {
        KEYS.iter().map(|key| (key, self.layers.get(key.name)))
    }

    /// Settings of the reference that were given and mean nothing here, by the reason why.
    pub(crate) fn unsupported(&self) -> impl Iterator<Item = (&'static str, String)> {
        reference::GROUPS.iter().filter_map(|group| {
            let is_missed = |name: &str| {
                let is_followed =
                    |entry: &Entry| VERBOSE.contains(&name) && entry.source == Source::Argument;
                self.layers.get(name).is_some_and(|entry| !is_followed(entry))
            };
            let given = group.filter(is_missed);
            let names: Vec<String> = given.iter().map(|name| format!("`{name}`")).collect();
            (!names.is_empty()).then(|| (group.why, names.join(", ")))
        })
    }

    /// How messages become embeddings.
    pub(crate) fn pooling(&self) -> Pooling {
        match self.use_custom_gating_model {
            true => Pooling::Mean,
            false => Pooling::LastToken,
        }
    }

    /// Puts what a checkpoint knows in the place of defaults, as commands do that go on from it.
    pub(crate) fn over(mut self, checkpoint: &Checkpoint, folder: &Path) -> Self {
        let config = checkpoint.config();
        let mut stored = vec![
            ("seed", config.seed.to_string()),
            ("gating.num_uids", checkpoint.num_uids().to_string()),
            ("gating.learning_rate", config.learning_rate.to_string()),
            ("gating.momentum", config.momentum.to_string()),
            ("gating.gradient", config.gradient.to_string()),
            ("gating.identity", config.identity.to_string()),
        ];
        let notes = ["gating.model_name", "neuron.use_custom_gating_model"];
        let noted = |name| checkpoint.notes.get(name).map(|note| (name, note.clone()));
        stored.extend(notes.into_iter().filter_map(noted));
        for (name, text) in stored {
            if self.given(name).is_none() {
                self.layers.set(name.to_owned(), text, Source::Checkpoint(folder.to_owned()));
            }
        }
        self
    }

    /// The file that settings were read from, if there is one.
    pub(crate) fn file(args: &SettingArgs) -> Option<PathBuf> {
        layers::file(args)
    }

    /// Where a value came from, unless it is the default.
    pub(crate) fn given(&self, name: &str) -> Option<&Entry> {
        self.layers.get(name).filter(|entry| entry.is_given())
    }

    /// Settings that a variable without our prefix decides, which others may use too.
    pub(crate) fn short_variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.entries().filter_map(|(key, entry)| match &entry?.source {
            Source::Environment(variable) if !key.name.contains('.') => {
                Some((key.name, variable.as_str()))
            }
            _ => None,
        })
    }

    /// The settings of learning with those of `stored` that were not given anew.
    pub(crate) fn gate_over(&self, stored: GateConfig) -> GateConfig {
        let given = self.gate;
        let mut config = stored;
        for (key, _) in self.entries().filter(|(key, _)| self.given(key.name).is_some()) {
            match key.name {
                "gating.num_uids" => config.num_uids = given.num_uids,
                "gating.learning_rate" => config.learning_rate = given.learning_rate,
                "gating.momentum" => config.momentum = given.momentum,
                "gating.gradient" => config.gradient = given.gradient,
                "gating.identity" => config.identity = given.identity,
                "seed" => config.seed = given.seed,
                _ => {}
            }
        }
        config
    }

    /// The folder of the state, for commands that cannot do without.
    pub(crate) fn checkpoint(&self) -> Result<&Path, Failure> {
        self.checkpoint.as_deref().ok_or_else(|| {
            Failure::new(Kind::Usage, anyhow::Error::msg("this command needs a checkpoint"))
                .hint("name its folder with --checkpoint DIR")
        })
    }
}

/// A setting that is wrong, and why.
#[derive(Debug)]
struct Problem(String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Parses values and gathers what is wrong with them.
struct Reader<'a> {
    layers: &'a Layers,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn gate(&mut self) -> GateConfig {
        let gate = GateConfig {
            num_uids: self.number("gating.num_uids", "a whole number from 1 to 65536"),
            learning_rate: self.number("gating.learning_rate", "a number of 0 or more"),
            momentum: self.number("gating.momentum", "a number of at least 0 and below 1"),
            gradient: self.parse("gating.gradient", Form::Text, "accumulate or per-step"),
            identity: self.parse("gating.identity", Form::Text, "uid, hotkey or hotkey-or-swap"),
            seed: self.number("seed", "a whole number from 0 to 2^64 - 1"),
        };
        for error in gate.errors() {
            let name = match error {
                Error::NumUids { .. } => "gating.num_uids",
                Error::LearningRate { .. } => "gating.learning_rate",
                _ => "gating.momentum",
            };
            let source = &self.layers.get(name).expect("these settings have defaults").source;
            self.problems.push(Problem(format!("`{name}` from {source}: {error}")));
        }
        gate
    }

    fn optional_text(&mut self, name: &'static str) -> Option<String> {
        let entry = self.layers.get(name)?;
        if !entry.may_be(Form::Text) || entry.text.is_empty() {
            self.wrong(name, "a text");
        }
        Some(entry.text.clone())
    }

    fn text(&mut self, name: &'static str) -> String {
        self.optional_text(name).unwrap_or_default()
    }

    fn number<T: FromStr>(&mut self, name: &'static str, expected: &str) -> T {
        self.parse(name, Form::Number, expected)
    }

    /// A value that cannot be read is told of, and the default goes on in its place.
    fn parse<T: FromStr>(&mut self, name: &'static str, form: Form, expected: &str) -> T {
        let entry = self.layers.get(name).filter(|entry| entry.may_be(form));
        entry.and_then(|entry| entry.text.parse().ok()).unwrap_or_else(|| {
            self.wrong(name, expected);
            let default = KEYS.iter().find(|key| key.name == name).and_then(|key| key.default);
            let value = default.and_then(|default| default.parse().ok());
            value.expect("every setting that is parsed has a default of its type")
        })
    }

    fn device(&mut self) -> String {
        let name = self.text("neuron.device");
        if !device::is_known(&name) {
            self.wrong("neuron.device", &device::expected());
        }
        name
    }

    fn choice(&mut self, name: &'static str, known: &[&str]) -> String {
        let text = self.text(name);
        if !known.contains(&text.as_str()) {
            self.wrong(name, &known.join(" or "));
        }
        text
    }

    fn wrong(&mut self, name: &'static str, expected: &str) {
        if let Some(entry) = self.layers.get(name) {
            let Entry { text, source, .. } = entry;
            let form = entry.form_if_told();
            let problem = format!("`{name}` from {source} is {form}`{text}`, expected {expected}");
            self.problems.push(Problem(problem));
        }
    }
}

fn refuse(problems: Vec<Problem>) -> Failure {
    let mut causes: Vec<String> = problems.into_iter().map(|Problem(problem)| problem).collect();
    let message = match causes.len() {
        1 => causes.remove(0),
        count => format!("{count} settings are wrong"),
    };
    Failure::new(Kind::Configuration, anyhow::Error::msg(message))
        .causes(causes)
        .hint("`gating config init` prints every setting with what it means")
}
