//! The sources of settings, the stronger over the weaker.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use config::{File, FileFormat, Source as _, Value, ValueKind};

use super::{KEYS, Problem, SettingArgs, reference};
use crate::failure::{Failure, Kind};

/// The file that is read where none is named.
const FILE: &str = "gating.toml";

/// Where a value came from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Source {
    Argument,
    Environment(String),
    File(PathBuf),
    /// What a checkpoint goes on with unless something else is given.
    Checkpoint(PathBuf),
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument => f.write_str("the command line"),
            Self::Environment(name) => write!(f, "the environment variable {name}"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Checkpoint(path) => write!(f, "the checkpoint in {}", path.display()),
            Self::Default => f.write_str("the defaults"),
        }
    }
}

/// A value as it was written, and where.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) text: String,
    pub(crate) source: Source,
    /// The form that a file gives it; other sources know nothing but text.
    form: Option<Form>,
}

/// The forms of values in a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    Text,
    Number,
    Flag,
    Other,
}

impl Entry {
    pub(crate) fn is_given(&self) -> bool {
        !matches!(self.source, Source::Default | Source::Checkpoint(_))
    }

    /// Whether a value of this form may stand there.
    pub(super) fn may_be(&self, form: Form) -> bool {
        self.form.is_none_or(|found| found == form)
    }

    /// The form, where the text alone does not tell that it is the wrong one.
    pub(super) fn form_if_told(&self) -> &'static str {
        match self.form {
            Some(Form::Text) => "the text ",
            _ => "",
        }
    }
}

/// The values of all sources together.
#[derive(Debug, Default)]
pub(super) struct Layers {
    entries: HashMap<String, Entry>,
}

impl Layers {
    pub(super) fn read(
        args: &SettingArgs,
        defaults: &[(&'static str, &'static str)],
        environment: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Self, Failure> {
        let mut layers = Self::default();
        let keys = KEYS.iter().filter_map(|key| Some((key.name, key.default?)));
        for (name, text) in keys.chain(defaults.iter().copied()) {
            layers.set(name.to_owned(), text.to_owned(), Source::Default);
        }
        if let Some(path) = file(args) {
            layers.add_file(&path)?;
        }
        layers.add_environment(environment);
        for (name, text) in &args.given {
            layers.set((*name).to_owned(), text.clone(), Source::Argument);
        }
        Ok(layers)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// Names that are no setting.
    pub(super) fn unknown(&self) -> Vec<Problem> {
        let sorted: BTreeMap<_, _> = self.entries.iter().collect();
        let unknown = sorted.into_iter().filter(|(name, _)| {
            KEYS.iter().all(|key| key.name != **name) && !reference::is_known(name)
        });
        unknown
            .map(|(name, Entry { source, text, .. })| {
                let variable = |key: &str| key.to_uppercase().replace('.', "__");
                let similar = similar(name).map(|key| match source {
                    Source::Environment(_) => format!(", but {} is", variable(key)),
                    _ => format!(", but `{key}` is"),
                });
                let similar = similar.unwrap_or_default();
                // What stands in the environment may be secret, and meant for somebody else.
                let text = match source {
                    Source::Environment(_) => String::new(),
                    _ => format!(" (`{text}`)"),
                };
                Problem(format!("`{name}` from {source}{text} is no known setting{similar}"))
            })
            .collect()
    }

    pub(super) fn set(&mut self, name: String, text: String, source: Source) {
        self.entries.insert(name, Entry { text, source, form: None });
    }

    fn add_file(&mut self, path: &Path) -> Result<(), Failure> {
        let format = match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => FileFormat::Toml,
            Some("yaml" | "yml") => FileFormat::Yaml,
            Some("json") => FileFormat::Json,
            _ => {
                let message = format!("the name of {} says no format", path.display());
                return Err(Failure::new(Kind::Configuration, anyhow::Error::msg(message))
                    .hint("end it with .toml, .yaml or .json"));
            }
        };
        let values = File::from(path).format(format).collect().map_err(|error| {
            let message = format!("cannot read settings from {}", path.display());
            Failure::new(Kind::Configuration, anyhow::Error::new(error).context(message))
        })?;
        let mut flat = Vec::new();
        for (name, value) in values {
            flatten(name, value, &mut flat);
        }
        for (name, value) in flat {
            let form = match value.kind {
                ValueKind::String(_) => Form::Text,
                ValueKind::Boolean(_) => Form::Flag,
                ValueKind::Nil | ValueKind::Table(_) | ValueKind::Array(_) => Form::Other,
                _ => Form::Number,
            };
            let source = Source::File(path.to_owned());
            let entry = Entry { text: value.to_string(), source, form: Some(form) };
            self.entries.insert(name, entry);
        }
        Ok(())
    }

    /// `gating.momentum` is the variable `GATING__MOMENTUM`. Variables that begin as those do and
    /// are no setting are told of too, and so are those that lack an underscore.
    fn add_environment(&mut self, environment: impl Iterator<Item = (OsString, OsString)>) {
        for (variable, value) in environment {
            let Some(variable) = variable.to_str() else { continue };
            let name = variable.to_lowercase().replace("__", ".");
            let is_ours = ["GATING__", "NEURON__"].iter().any(|start| variable.starts_with(start));
            let is_upper = variable == variable.to_uppercase();
            let is_setting = is_upper && KEYS.iter().any(|key| key.name == name);
            // A short name such as MOCK may mean something to somebody else.
            let is_reference = is_upper && name.contains('.') && reference::is_known(&name);
            // One underscore where there should be two: hardly meant for anybody else.
            let is_meant = |key: &str| key.starts_with("gating.") && key.replace('.', "_") == name;
            let is_mistyped = is_upper && KEYS.iter().any(|key| is_meant(key.name));
            if is_ours || is_setting || is_reference || is_mistyped {
                let text = value.to_string_lossy().into_owned();
                self.set(name, text, Source::Environment(variable.to_owned()));
            }
        }
    }
}

/// The file to read: the one that is named, else `gating.toml` if there is one.
pub(super) fn file(args: &SettingArgs) -> Option<PathBuf> {
    let default = || Path::new(FILE).exists().then(|| PathBuf::from(FILE));
    args.config.clone().or_else(default)
}

/// The setting that was meant: one whose name differs in a place of two characters at most.
fn similar(name: &str) -> Option<&'static str> {
    let name = name.as_bytes();
    let is_similar = |key: &[u8]| {
        let pairs = name.iter().zip(key);
        let start = pairs.take_while(|(left, right)| left == right).count();
        let ends = name[start..].iter().rev().zip(key[start..].iter().rev());
        let end = ends.take_while(|(left, right)| left == right).count();
        name.len().max(key.len()) - start - end <= 2
    };
    KEYS.iter().map(|key| key.name).find(|key| is_similar(key.as_bytes()))
}

/// Tables within tables to names with dots.
fn flatten(name: String, value: Value, flat: &mut Vec<(String, Value)>) {
    match value.kind {
        ValueKind::Table(table) => {
            for (child, value) in table {
                flatten(format!("{name}.{child}"), value, flat);
            }
        }
        _ => flat.push((name, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_found() {
        let check = |name: &str, expected| assert_eq!(similar(name), expected, "{name}");
        check("gating.learning_rat", Some("gating.learning_rate"));
        check("gating.learnign_rate", Some("gating.learning_rate"));
        check("neuron.devices", Some("neuron.device"));
        check("netid", Some("netuid"));
        check("gating.rate", None);
        check("neuron.names", None);
        check("", None);
    }
}
