//! The code of a page, block by block.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// A block of code, or a comment that stands for one.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Block {
    /// The line of the page in which its text begins, from 1.
    pub(super) line: usize,
    /// What stands behind the fence, such as `console`.
    pub(super) info: String,
    pub(super) text: String,
    pub(super) role: Role,
}

/// What a reader does with a block.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Role {
    /// Runs it, or reads it.
    Plain,
    /// Does not see it: it prepares what the page takes for granted. `<!-- run:`
    Hidden,
    /// Saves it under this name. `<!-- file: NAME -->`
    File(String),
    /// Has it as a program: the example of this name of `gating-encoders`. `<!-- program: NAME -->`
    Program(String),
    /// Runs it until this time is over, and stops it. `<!-- stopped after: 5 s -->`
    Stopped(Duration),
    /// Runs it elsewhere, for this reason. `<!-- not run: REASON -->`
    NotRun(String),
}

impl Block {
    /// The first word of what stands behind the fence.
    pub(super) fn language(&self) -> &str {
        self.info.split([',', ' ']).next().unwrap_or_default()
    }
}

/// Every block of a page, in its order.
pub(super) fn find(page: &str) -> Result<Vec<Block>> {
    let (mut blocks, mut lines) = (Vec::new(), page.lines().enumerate());
    let (mut role, mut is_behind_blank) = (Role::Plain, true);
    while let Some((index, line)) = lines.next() {
        let number = index + 1;
        if let Some(info) = line.strip_prefix("```") {
            let text = until(&mut lines, "```", number)?;
            let role = std::mem::replace(&mut role, Role::Plain);
            blocks.push(Block { line: number + 1, info: info.to_owned(), text, role });
        } else {
            ensure!(role == Role::Plain, "line {number}: expected a block behind the comment");
            let is_code = is_behind_blank && line.starts_with("    ");
            ensure!(!is_code, "line {number}: code without a fence that says what it is");
            let is_fence = line.starts_with("~~~") || line.trim_start().starts_with("```");
            ensure!(!is_fence, "line {number}: expected ``` at the begin of the line");
            let is_run = line == "<!-- run:";
            ensure!(
                is_run || !line.starts_with("<!-- run"),
                "line {number}: expected `<!-- run:` alone"
            );
            if is_run {
                let (info, text) = ("console".to_owned(), until(&mut lines, "-->", number)?);
                blocks.push(Block { line: number + 1, info, text, role: Role::Hidden });
            }
            role = comment(line).with_context(|| format!("line {number}"))?;
        }
        is_behind_blank = line.trim().is_empty();
    }
    ensure!(role == Role::Plain, "expected a block behind the last comment");
    Ok(blocks)
}

/// The lines up to one that ends a block.
fn until<'a>(
    lines: &mut impl Iterator<Item = (usize, &'a str)>,
    end: &str,
    begin: usize,
) -> Result<String> {
    let mut text = String::new();
    for (_, line) in lines {
        if line == end {
            return Ok(text);
        }
        text.push_str(line);
        text.push('\n');
    }
    bail!("line {begin}: expected a line `{end}` somewhere below")
}

/// What a comment says of the block behind it; other lines say nothing.
fn comment(line: &str) -> Result<Role> {
    let said = line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->"));
    Ok(match said.and_then(|said| said.split_once(": ")) {
        Some(("file", name)) => Role::File(name.to_owned()),
        Some(("program", name)) => Role::Program(name.to_owned()),
        Some(("stopped after", time)) => Role::Stopped(seconds(time)?),
        Some(("not run", reason)) => Role::NotRun(reason.to_owned()),
        _ => Role::Plain,
    })
}

fn seconds(text: &str) -> Result<Duration> {
    let seconds = text.strip_suffix(" s").and_then(|seconds| seconds.parse().ok());
    let seconds =
        seconds.with_context(|| format!("expected a time such as `5 s`, found `{text}`"))?;
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(page: &str, expected: &[(usize, &str, &str, Role)]) {
        let blocks = find(page).expect("the page is well formed");
        let found = blocks.iter().map(|it| (it.line, it.info.as_str(), it.text.as_str(), &it.role));
        let expected = expected.iter().map(|(line, info, text, role)| (*line, *info, *text, role));
        assert!(found.eq(expected), "{blocks:?}");
    }

    fn check_error(page: &str, expected: &str) {
        assert_eq!(format!("{:#}", find(page).expect_err(page)), expected, "{page}");
    }

    #[test]
    fn blocks_stand_between_fences() {
        check("# A\n\ntext\n  - more\n    text\n", &[]);
        check(
            "```rust,no_run\n    a\n\nb\n```\n",
            &[(2, "rust,no_run", "    a\n\nb\n", Role::Plain)],
        );
        check(
            "```text\n```\n```json\n1\n```\n",
            &[(2, "text", "", Role::Plain), (4, "json", "1\n", Role::Plain)],
        );
    }

    #[test]
    fn comments_say_what_a_block_is_for() {
        let not_run = Role::NotRun("takes a chain: ours".to_owned());
        check(
            "<!-- not run: takes a chain: ours -->\n```console\n$ a\n```\n```sh\n```\n",
            &[(3, "console", "$ a\n", not_run), (6, "sh", "", Role::Plain)],
        );
        let file = Role::File("a.toml".to_owned());
        let program = Role::Program("ask".to_owned());
        check("<!-- program: ask -->\n```rust\n```\n", &[(3, "rust", "", program)]);
        let stopped = Role::Stopped(Duration::from_secs(5));
        check("<!-- stopped after: 5 s -->\n```sh\n```\n", &[(3, "sh", "", stopped)]);
        check("<!-- file: a.toml -->\n```toml\na = 1\n```\n", &[(3, "toml", "a = 1\n", file)]);
        check(
            "<!-- begin a: written -->\n\n<!-- run:\n$ a\n\n$ b\n-->\n",
            &[(4, "console", "$ a\n\n$ b\n", Role::Hidden)],
        );
    }

    #[test]
    fn what_is_no_block_is_refused() {
        check_error("```text\na\n", "line 1: expected a line `\u{60}``` somewhere below");
        check_error("<!-- run:\n$ a\n", "line 1: expected a line `-->` somewhere below");
        check_error("a\n\n    code\n", "line 3: code without a fence that says what it is");
        check_error(
            "<!-- file: a -->\n\n```json\n```\n",
            "line 2: expected a block behind the comment",
        );
        let expected = "line 1: expected a time such as `5 s`, found `5s`";
        check_error("<!-- stopped after: 5s -->\n```console\n```\n", expected);
        check_error("<!-- not run: a -->\n", "expected a block behind the last comment");
    }
}
