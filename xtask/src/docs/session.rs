//! A block of commands, as a terminal shows them: each behind `$ `, and what it prints below.

use anyhow::{Result, ensure};

use super::blocks::Block;

/// What a shell prints while a command goes on, as it does in a loop.
const MORE: &str = "> ";

/// A command with what it prints.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Step {
    /// The line of the page.
    pub(super) line: usize,
    /// As the shell takes it, in one line or more.
    pub(super) command: String,
    /// Nothing where the page does not show it.
    pub(super) shown: Option<String>,
}

impl Step {
    /// Whether a line belongs to the command, and not to what it prints.
    fn goes_on(&self, line: &str) -> bool {
        self.shown.is_none() && (self.command.ends_with('\\') || line.starts_with(MORE))
    }

    /// Whether the page shows that the command fails.
    pub(super) fn fails(&self) -> bool {
        let is_error = |line: &str| line.starts_with("error: ") || line.starts_with("{\"error\":");
        self.shown.as_deref().is_some_and(|shown| shown.lines().any(is_error))
    }
}

/// The commands of a block, in their order.
pub(super) fn steps(block: &Block) -> Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    for (index, line) in block.text.lines().enumerate() {
        let number = block.line + index;
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => {
                steps.push(Step { line: number, command: command.to_owned(), shown: None });
            }
            (None, Some(step)) if step.goes_on(line) => {
                step.command.push('\n');
                step.command.push_str(line.strip_prefix(MORE).unwrap_or(line));
            }
            (None, Some(step)) => {
                let shown = step.shown.get_or_insert_default();
                shown.push_str(line);
                shown.push('\n');
            }
            (None, None) => {
                ensure!(line.is_empty(), "line {number}: expected a command behind `$ `");
            }
        }
    }
    ensure!(!steps.is_empty(), "line {}: a block without commands", block.line);
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::super::blocks::Role;
    use super::*;

    fn found(text: &str) -> Result<Vec<Step>> {
        let (info, text) = ("console".to_owned(), text.to_owned());
        steps(&Block { line: 5, info, text, role: Role::Plain })
    }

    #[test]
    fn what_is_printed_stands_below_a_command() {
        let check = |text: &str, expected: &[(usize, &str, Option<&str>)]| {
            let found = found(text).expect("there are commands");
            let found = found.iter().map(|it| (it.line, it.command.as_str(), it.shown.as_deref()));
            assert!(found.eq(expected.iter().copied()), "{text}");
        };
        check("$ a\n$ b\n", &[(5, "a", None), (6, "b", None)]);
        check("$ a\n> b\n>c\n", &[(5, "a\nb", Some(">c\n"))]);
        check(
            "$ a \\\n    --b\nc\\\n\nd\n$ e\n",
            &[(5, "a \\\n    --b", Some("c\\\n\nd\n")), (10, "e", None)],
        );
    }

    #[test]
    fn a_page_shows_when_a_command_fails() {
        let check = |text: &str, expected| {
            assert_eq!(found(text).expect("there is a command")[0].fails(), expected, "{text}");
        };
        check("$ a\n", false);
        check("$ a\nno error: all is well\n", false);
        check("$ a\n1\nerror: no\n", true);
        check("$ a\n{\"error\":{}}\n", true);
    }

    #[test]
    fn a_block_has_commands() {
        let check = |text: &str, expected: &str| {
            assert_eq!(found(text).expect_err(text).to_string(), expected);
        };
        check("gating demo\n", "line 5: expected a command behind `$ `");
        check("\n", "line 5: a block without commands");
    }
}
