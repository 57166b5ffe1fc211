//! Every kind of error, from the comments of the kinds in the source.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use crate::{files, workspace};

/// Where the kinds are.
const SOURCE: &str = "crates/gating-cli/src/failure.rs";

/// The kind that is none: nothing is printed, and all is well.
const NO_ERROR: &str = "StdoutClosed";

/// A table of the kinds: name, exit code, when, and what to do.
pub(super) fn table() -> Result<String> {
    table_of(&files::read_text(&workspace::root().join(SOURCE))?)
}

fn table_of(source: &str) -> Result<String> {
    let (names, codes) = (arms(source, "fn name("), arms(source, "fn exit_code("));
    let other = codes.get("_").context("the kinds have no usual exit code")?;
    let mut table = "| kind | code | when | what to do |\n|---|---|---|---|\n".to_owned();
    for (variant, when, advice) in kinds(source) {
        if variant == NO_ERROR {
            continue;
        }
        let name = names.get(variant).with_context(|| format!("`{variant}` has no name"))?;
        let code = codes.get(variant).unwrap_or(other);
        ensure!(!when.is_empty() && !advice.is_empty(), "`{variant}` says not when, or what to do");
        table.push_str(&format!("| `{}` | {code} | {when} | {advice} |\n", name.trim_matches('"')));
    }
    Ok(table)
}

/// The arms of a `match` in a function: what stands before `=>`, variant by variant, and behind.
fn arms<'a>(source: &'a str, function: &str) -> BTreeMap<&'a str, &'a str> {
    let body = source.split_once(function).map_or("", |(_, rest)| rest);
    let body = body.split_once("\n    }\n").map_or(body, |(body, _)| body);
    let arms = body.lines().filter_map(|line| line.trim().trim_end_matches(',').split_once(" => "));
    let variants = arms.flat_map(|(variants, value)| {
        variants.split(" | ").map(move |variant| (variant.trim_start_matches("Self::"), value))
    });
    variants.collect()
}

/// Each variant of the enum `Kind`, with the first paragraph of its comment and the second.
fn kinds(source: &str) -> Vec<(&str, String, String)> {
    let body = source.split_once("enum Kind {\n").map_or("", |(_, rest)| rest);
    let body = body.split_once("\n}\n").map_or(body, |(body, _)| body);
    let (mut kinds, mut comment) = (Vec::new(), String::new());
    for line in body.lines().map(str::trim) {
        match line.strip_prefix("///") {
            Some("") => comment.push('\n'),
            Some(text) => comment.push_str(text),
            None => {
                let (when, advice) = comment.split_once('\n').unwrap_or((&comment, ""));
                kinds.push((line.trim_end_matches(','), sentence(when), sentence(advice)));
                comment.clear();
            }
        }
    }
    kinds
}

/// A sentence as a cell of a table has it.
fn sentence(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_lowercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
pub(crate) enum Kind {
    /// A file is
    /// bad.
    ///
    /// Look at `it`.
    File,
    /// Wrong; right.
    ///
    /// Ask.
    Usage,
    StdoutClosed,
}

impl Kind {
    fn name(self) {
        match self {
            Self::File => \"file\",
            Self::Usage => \"usage\",
        }
    }

    fn exit_code(self) {
        match self {
            Self::Usage | Self::Other => 2,
            _ => 1,
        }
    }
}
";

    #[test]
    fn every_kind_has_a_row() {
        let table = table_of(SOURCE).expect("all have names and comments");
        let rows: Vec<&str> = table.lines().skip(2).collect();
        let expected = [
            "| `file` | 1 | a file is bad | look at `it` |",
            "| `usage` | 2 | wrong; right | ask |",
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn a_kind_without_a_comment_is_an_error() {
        let error = table_of(&SOURCE.replace("    /// Ask.\n", "")).expect_err("advice is missing");
        assert_eq!(error.to_string(), "`Usage` says not when, or what to do");
        let error = table_of(&SOURCE.replace("Self::File =>", "Self::Fire =>"));
        assert_eq!(error.expect_err("a name is missing").to_string(), "`File` has no name");
    }
}
