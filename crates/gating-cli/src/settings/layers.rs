//! The sources of settings, the stronger over the weaker.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use config::{File, FileFormat, Source as _, Value, ValueKind};

use super::{KEYS, Problem, SettingArgs};
use crate::failure::{Failure, Kind};

/// The file that is read where none is named.
const FILE: &str = "gating.toml";

/// Where a value came from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Source {
    Argument,
    Environment(String),
    File(PathBuf),
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument => f.write_str("the command line"),
            Self::Environment(name) => write!(f, "the environment variable {name}"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Default => f.write_str("the defaults"),
        }
    }
}

/// A value as it was written, and where.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) text: String,
    pub(crate) source: Source,
    /// Whether a file holds it as text, or the source knows nothing but text.
    is_text: bool,
}

impl Entry {
    pub(crate) fn is_given(&self) -> bool {
        self.source != Source::Default
    }

    pub(super) fn is_text(&self) -> bool {
        self.is_text
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
        match &args.config {
            Some(path) => layers.add_file(path)?,
            None if Path::new(FILE).exists() => layers.add_file(Path::new(FILE))?,
            None => {}
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

    /// Names that are no setting, and values that a file holds in the wrong type.
    pub(super) fn unknown(&self) -> Vec<Problem> {
        let sorted: BTreeMap<_, _> = self.entries.iter().collect();
        let problem = |(name, entry): (&String, &Entry)| {
            let Some(key) = KEYS.iter().find(|key| key.name == name) else {
                let source = &entry.source;
                return Some(Problem(format!("`{name}` from {source} is no known setting")));
            };
            let is_number = key.default.is_some_and(|default| default.parse::<f64>().is_ok());
            let from_file = matches!(entry.source, Source::File(_));
            (from_file && is_number && entry.is_text).then(|| {
                let Entry { text, source, .. } = entry;
                Problem(format!("`{name}` from {source} is the text `{text}`, expected a number"))
            })
        };
        sorted.into_iter().filter_map(problem).collect()
    }

    fn set(&mut self, name: String, text: String, source: Source) {
        self.entries.insert(name, Entry { text, source, is_text: true });
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
            let is_text = matches!(value.kind, ValueKind::String(_));
            let entry =
                Entry { text: value.to_string(), source: Source::File(path.to_owned()), is_text };
            self.entries.insert(name, entry);
        }
        Ok(())
    }

    /// `gating.momentum` is the variable `GATING__MOMENTUM`. Variables that begin as those do and
    /// are no setting are told of too.
    fn add_environment(&mut self, environment: impl Iterator<Item = (OsString, OsString)>) {
        for (variable, value) in environment {
            let Some(variable) = variable.to_str() else { continue };
            let name = variable.to_lowercase().replace("__", ".");
            let is_ours = ["GATING__", "NEURON__"].iter().any(|start| variable.starts_with(start));
            let is_setting =
                variable == variable.to_uppercase() && KEYS.iter().any(|key| key.name == name);
            if is_ours || is_setting {
                let text = value.to_string_lossy().into_owned();
                self.set(name, text, Source::Environment(variable.to_owned()));
            }
        }
    }
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
