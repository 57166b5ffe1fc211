//! Every command that a page shows is one that the program takes, or this one.

use std::ffi::OsString;
use std::process::Stdio;

use anyhow::{Context, Result};

use super::Gating;
use super::blocks::Role;
use super::pages::Page;
use super::session;
use crate::Task;

/// How a page calls the program.
const PROGRAM: [&[&str]; 3] = [
    &["gating"],
    &["target/release/gating"],
    &["cargo", "run", "--release", "-p", "gating-cli", "--"],
];

/// How a page calls what this is.
const TASK: &[&str] = &["cargo", "xtask"];

/// What is wrong with the commands of all pages, whether they are run or not.
pub(super) fn wrong(gating: &Gating<'_>, pages: &[Page]) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for page in pages {
        let seen = page.blocks.iter().filter(|block| block.role != Role::Hidden);
        for block in seen.filter(|block| block.language() == "console") {
            for step in session::steps(block).unwrap_or_default() {
                for call in calls(&step.command) {
                    if let Some(why) = refusal(gating, &call)? {
                        let (name, line) = (&page.name, step.line);
                        wrong.push(format!("{name}:{line}: `{}`: {why}", call.join(" ")));
                    }
                }
            }
        }
    }
    Ok(wrong)
}

/// Why a call is not taken, if it is one of the program or of a task.
fn refusal(gating: &Gating<'_>, call: &[String]) -> Result<Option<String>> {
    if let Some(arguments) = behind(call, TASK) {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        return Ok(Task::parse(&arguments).err().map(|error| error.to_string()));
    }
    match PROGRAM.iter().find_map(|program| behind(call, program)) {
        Some(arguments) => refusal_of_program(gating, arguments),
        None => Ok(None),
    }
}

/// The program is asked for help behind the arguments, so that it reads them and does nothing.
fn refusal_of_program(gating: &Gating<'_>, arguments: &[String]) -> Result<Option<String>> {
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if !matches!(arguments.first(), Some(&"help")) {
        arguments.push("--help");
    }
    let output = gating.command(&arguments).stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot run `gating {}`", arguments.join(" ")))?;
    let error = String::from_utf8_lossy(&output.stderr);
    let why = error.lines().next().unwrap_or_default().to_owned();
    Ok((!output.status.success()).then_some(why))
}

/// The arguments of a call that begins so.
fn behind<'a>(call: &'a [String], program: &[&str]) -> Option<&'a [String]> {
    let (begin, arguments) = call.split_at_checked(program.len())?;
    (begin == program).then_some(arguments)
}

/// The words of each call in a command as a shell cuts them, up to a comment and without redirections.
fn calls(command: &str) -> Vec<Vec<String>> {
    let (mut calls, mut call, mut word, mut quote) = (Vec::new(), Vec::new(), None::<String>, None);
    let mut is_redirected = false;
    for letter in command.replace("\\\n", " ").chars() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, ' ') => call.extend(word.take().filter(|_| !is_redirected)),
            (None, '#') if word.is_none() => break,
            (None, '|' | '&' | ';') => {
                call.extend(word.take().filter(|_| !is_redirected));
                calls.push(std::mem::take(&mut call));
                is_redirected = false;
            }
            (None, '<' | '>') if word.is_none() => is_redirected = true,
            _ => word.get_or_insert_default().push(letter),
        }
    }
    call.extend(word.filter(|_| !is_redirected));
    calls.push(call);
    calls.retain(|call| !call.is_empty());
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_shell() {
        let check = |command: &str, expected: &[&[&str]]| assert_eq!(calls(command), expected);
        check("score \"How long, egg?\" --top 5", &[&["score", "How long, egg?", "--top", "5"]]);
        check("demo   # a comment | b", &[&["demo"]]);
        check(
            "replay - --name 'a*|b' < a.log | head",
            &[&["replay", "-", "--name", "a*|b"], &["head"]],
        );
        check("score \"\" a#b > c && d", &[&["score", "", "a#b"], &["d"]]);
        check("learn \\\n    --top 5", &[&["learn", "--top", "5"]]);
    }

    #[test]
    fn programs_are_known_by_their_first_words() {
        let check = |command: &str, expected: Option<&str>| {
            let call = &calls(command)[0];
            let arguments = PROGRAM.iter().find_map(|program| behind(call, program));
            assert_eq!(arguments.map(|it| it.join(" ")).as_deref(), expected, "{command}");
        };
        check("gating score a", Some("score a"));
        check("cargo run --release -p gating-cli -- demo --steps 1", Some("demo --steps 1"));
        check("cargo run --release -p gating-server", None);
        check("gating-server score", None);
    }
}
