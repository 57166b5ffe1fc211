//! `gating config`: the settings and where they come from.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

use gating_core::{Checkpoint, Error};
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::ConfigCommand;
use crate::device;
use crate::failure::{Failure, Kind};
use crate::output::{Output, escape};
use crate::settings::{KEYS, Key, Settings};

#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    value: Option<&'a str>,
    source: Option<String>,
}

#[derive(Serialize)]
struct Verdict {
    settings: usize,
    given: usize,
}

pub(crate) fn run(
    command: &ConfigCommand,
    settings: impl FnOnce() -> Result<Settings, Failure>,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        ConfigCommand::Show => show(&over(settings()?)?, output),
        ConfigCommand::Check => check(&settings()?, output),
        ConfigCommand::Init { file: None } if output.is_json() => {
            output.print(format!("{}\n", defaults()).as_bytes())
        }
        ConfigCommand::Init { file: None } => output.print(init(Format::Toml).as_bytes()),
        ConfigCommand::Init { file: Some(file) } => write(file, output),
    }
}

/// The settings as commands see them: those of a checkpoint stand in for defaults.
fn over(settings: Settings) -> Result<Settings, Failure> {
    let Some(folder) = settings.checkpoint.clone() else { return Ok(settings) };
    match Checkpoint::read(&folder) {
        Ok(checkpoint) => Ok(settings.over(&checkpoint, &folder)),
        // A new one begins with the settings as they are.
        Err(Error::NoCheckpoint { .. }) => Ok(settings),
        Err(error) => Err(error.into()),
    }
}

/// What a file of settings is written in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Format {
    Toml,
    Yaml,
}

/// Writes a new file; one that is there stays as it is.
fn write(path: &Path, output: &Output) -> Result<(), Failure> {
    let usage = |message: String| Failure::new(Kind::Usage, anyhow::Error::msg(message));
    let format = match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => Format::Toml,
        Some("yaml" | "yml") => Format::Yaml,
        _ => {
            let message = format!("cannot write settings with comments to {}", path.display());
            return Err(usage(message).hint("end the name with .toml or .yaml"));
        }
    };
    let file = |error| Failure::file(path, error);
    let mut new = File::create_new(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => usage(format!("{} is there already", path.display()))
            .hint("name another file, or take that one away"),
        _ => file(error),
    })?;
    new.write_all(init(format).as_bytes()).map_err(file)?;
    let path = path.display();
    output.note(format_args!("wrote {path}; --config {path} reads it"));
    Ok(())
}

fn show(settings: &Settings, output: &Output) -> Result<(), Failure> {
    for (key, entry) in settings.entries() {
        let line = Line {
            name: key.name,
            value: entry.map(|entry| entry.text.as_str()),
            source: entry.map(|entry| entry.source.to_string()),
        };
        output.result(&line, |line| {
            let value = escape(line.value.unwrap_or("not set"));
            let source = line.source.as_deref().unwrap_or("");
            format!("{:<31} {value:<31} {source}", line.name).trim_end().to_owned()
        })?;
    }
    Ok(())
}

fn check(settings: &Settings, output: &Output) -> Result<(), Failure> {
    device::open(settings)?;
    let given = settings.entries().filter(|(_, entry)| entry.is_some_and(|entry| entry.is_given()));
    let verdict = Verdict { settings: KEYS.len(), given: given.count() };
    output.result(&verdict, |Verdict { settings, given }| {
        format!("all {settings} settings are right, {given} of them given")
    })
}

/// Every setting that has a default, as a file in JSON has it.
fn defaults() -> Value {
    let mut root = json!({});
    for key in &KEYS {
        let Some(default) = key.default else { continue };
        // What is no number and no truth is text.
        let value = serde_json::from_str(default).unwrap_or_else(|_| json!(default));
        match key.name.split_once('.') {
            Some((table, name)) => root[table][name] = value,
            None => root[key.name] = value,
        }
    }
    root
}

/// A file with every setting as a comment, at its default.
fn init(format: Format) -> String {
    let mut text = "# Settings of gating. Take away a `#` to change one.\n".to_owned();
    if format == Format::Yaml {
        text.push_str("# Take it away before the name of its table too.\n");
    }
    let mut table = "";
    for key in &KEYS {
        let (parent, name) = key.name.rsplit_once('.').unwrap_or(("", key.name));
        if parent != table {
            text.push_str(&match format {
                Format::Toml => format!("\n[{parent}]\n"),
                Format::Yaml => format!("\n#{parent}:\n"),
            });
            table = parent;
        }
        let value = value(key);
        text.push_str(&match format {
            Format::Toml => format!("\n# {}\n# {name} = {value}\n", key.about),
            Format::Yaml if parent.is_empty() => format!("\n# {}\n#{name}: {value}\n", key.about),
            Format::Yaml => format!("\n  # {}\n#  {name}: {value}\n", key.about),
        });
    }
    text
}

/// The default as TOML and YAML write it.
fn value(key: &Key) -> String {
    match key.default {
        Some(default) if default.parse::<f64>().is_ok() || default == "false" => default.to_owned(),
        default => format!("\"{}\"", default.unwrap_or_default()),
    }
}
