//! `gating config`: the settings and where they come from.

use serde::Serialize;

use crate::args::ConfigCommand;
use crate::failure::Failure;
use crate::output::Output;
use crate::settings::{KEYS, Key, SettingArgs, Settings};

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
    args: &SettingArgs,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        ConfigCommand::Show => show(&Settings::resolve(args, &[])?, output),
        ConfigCommand::Check => check(&Settings::resolve(args, &[])?, output),
        ConfigCommand::Init => output.result(&init(), String::clone),
    }
}

fn show(settings: &Settings, output: &Output) -> Result<(), Failure> {
    for (key, entry) in settings.entries() {
        let line = Line {
            name: key.name,
            value: entry.map(|entry| entry.text.as_str()),
            source: entry.map(|entry| entry.source.to_string()),
        };
        output.result(&line, |line| {
            let value = line.value.unwrap_or("not set");
            let source = line.source.as_deref().unwrap_or("");
            format!("{:<31} {value:<31} {source}", line.name)
        })?;
    }
    Ok(())
}

fn check(settings: &Settings, output: &Output) -> Result<(), Failure> {
    let given = settings.entries().filter(|(_, entry)| entry.is_some_and(|entry| entry.is_given()));
    let verdict = Verdict { settings: KEYS.len(), given: given.count() };
    output.result(&verdict, |Verdict { settings, given }| {
        format!("all {settings} settings are right, {given} of them given")
    })
}

/// A file with every setting as a comment, at its default.
fn init() -> String {
    let mut lines = vec!["# Settings of gating. Take away a `#` to change one.".to_owned()];
    let mut table = "";
    for key in &KEYS {
        let (parent, name) = key.name.rsplit_once('.').unwrap_or(("", key.name));
        if parent != table {
            lines.push(format!("\n[{parent}]"));
            table = parent;
        }
        lines.push(format!("\n# {}", key.about));
        lines.push(format!("# {name} = {}", toml(key)));
    }
    lines.join("\n")
}

/// The default as TOML writes it.
fn toml(key: &Key) -> String {
    match key.default {
        Some(default) if default.parse::<f64>().is_ok() || default == "false" => default.to_owned(),
        default => format!("\"{}\"", default.unwrap_or_default()),
    }
}
