//! Every command that a page shows is one that the program takes.

use std::process::Stdio;

use anyhow::{Context, Result};

use super::Gating;
use crate::{files, workspace};

/// What is wrong with the commands in the code of all pages of the book and the page before it.
pub(super) fn wrong(gating: &Gating<'_>) -> Result<Vec<String>> {
    let root = workspace::root();
    let mut pages = files::under(&root.join("docs"))?;
    pages.push(root.join("README.md"));
    let mut wrong = Vec::new();
    for page in pages.iter().filter(|page| page.extension().is_some_and(|it| it == "md")) {
        for (line, command) in commands(&files::read_text(page)?) {
            if let Some(why) = refusal(gating, &command)? {
                wrong.push(format!("{}:{line}: {why}", files::relative(page, root)));
            }
        }
    }
    Ok(wrong)
}

/// Why the program does not take a command. It is asked for help behind the arguments, so that it
/// reads them and does nothing.
fn refusal(gating: &Gating<'_>, command: &str) -> Result<Option<String>> {
    let words = words(command);
    let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
    if !matches!(arguments.first(), Some(&"help")) {
        arguments.push("--help");
    }
    let output = gating.command(&arguments).stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot run `gating {command}`"))?;
    let error = String::from_utf8_lossy(&output.stderr);
    let why = error.lines().next().unwrap_or_default();
    Ok((!output.status.success()).then(|| format!("`gating {command}`: {why}")))
}

/// The arguments of every call of the program in a page's code, with the line that it begins in.
fn commands(page: &str) -> Vec<(usize, String)> {
    let (mut commands, mut is_fenced, mut open) = (Vec::new(), false, None);
    for (index, line) in page.lines().enumerate() {
        is_fenced ^= line.starts_with("```");
        let code = line.trim().trim_start_matches("$ ");
        let (number, text) = match open.take() {
            Some((number, before)) => (number, format!("{before} {code}")),
            None if !is_fenced && !line.starts_with("    ") => continue,
            None => match code.strip_prefix("gating ") {
                Some(arguments) => (index + 1, arguments.to_owned()),
                None => continue,
            },
        };
        match text.strip_suffix('\\') {
            Some(text) => open = Some((number, text.trim_end().to_owned())),
            None => commands.push((number, text)),
        }
    }
    commands
}

/// The words of a command as a shell cuts them, up to a comment, a pipe or a redirection.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in command.chars() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (None, '#' | '|' | '>' | '<' | '&' | ';') if word.is_none() => break,
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_in_code() {
        let page = "\
`gating no` and
gating no
```console
$ gating one --top 5 \\
    --seed 1
error: gating no
gating two
```

    gating three
    $ cargo no
";
        let expected = [(4, "one --top 5 --seed 1"), (7, "two"), (10, "three")];
        let expected = expected.map(|(line, command)| (line, command.to_owned()));
        assert_eq!(commands(page), expected);
    }

    #[test]
    fn words_are_those_of_a_shell() {
        let check = |command: &str, expected: &[&str]| assert_eq!(words(command), expected);
        check("score \"How long, egg?\" --top 5", &["score", "How long, egg?", "--top", "5"]);
        check("demo   # a comment", &["demo"]);
        check("replay - --name 'a*' < a.log | head", &["replay", "-", "--name", "a*"]);
        check("score \"\" a#b", &["score", "", "a#b"]);
    }
}
