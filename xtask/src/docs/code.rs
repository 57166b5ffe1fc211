//! What every block of code must be, whether it is run or not.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use super::blocks::{Block, Role};
use super::pages::Page;
use super::session;
use crate::{files, workspace};

/// Where the programs are that pages show.
const PROGRAMS: &str = "crates/gating-encoders/examples";

/// What is wrong with the blocks of all pages.
pub(super) fn wrong(pages: &[Page]) -> Result<Vec<String>> {
    let compiled = compiled()?;
    let mut wrong = Vec::new();
    for page in pages {
        for block in &page.blocks {
            let why = problem(block).map_or_else(|| not_the_program(block), |why| Ok(Some(why)))?;
            wrong.extend(why.map(|why| format!("{}:{}: {why}", page.name, block.line)));
        }
        let has_rust = page.blocks.iter().any(|block| block.language() == "rust");
        let path = page.path.canonicalize().context("a page was removed meanwhile")?;
        if has_rust && !compiled.contains(&path) {
            wrong.push(format!("{}: no crate has its examples as tests", page.name));
        }
    }
    Ok(wrong)
}

fn problem(block: &Block) -> Option<String> {
    let is_run = !matches!(block.role, Role::NotRun(_));
    match block.language() {
        language if language != "console" && matches!(block.role, Role::Stopped(_)) => {
            Some("only commands are stopped".to_owned())
        }
        language if language != "rust" && matches!(block.role, Role::Program(_)) => {
            Some("only Rust is a program".to_owned())
        }
        "console" if matches!(block.role, Role::Stopped(_)) => match session::steps(block) {
            Ok(steps) => steps
                .iter()
                .any(|step| step.shown.is_some())
                .then(|| "what a command prints until it is stopped is not compared".to_owned()),
            Err(error) => Some(error.to_string()),
        },
        "console" => session::steps(block).err().map(|error| error.to_string()),
        "json" => {
            let json = serde_json::from_str::<Value>(&block.text);
            json.err().map(|error| format!("not JSON: {error}"))
        }
        "rust" if block.info.contains("ignore") => Some("an example is ignored".to_owned()),
        "rust" if is_run && block.info.contains("no_run") => {
            let is_program = matches!(block.role, Role::Program(_));
            (!is_program).then(|| "`no_run` without a comment that says what runs it".to_owned())
        }
        "rust" => None,
        "text" if block.text.lines().any(is_command) => Some("a command in text".to_owned()),
        "text" => None,
        _ if is_run && !matches!(block.role, Role::File(_)) => {
            Some(format!("nothing runs `{}`: mark it `<!-- not run: REASON -->`", block.info))
        }
        _ => None,
    }
}

/// Why a block that stands for a program is not the same as that.
fn not_the_program(block: &Block) -> Result<Option<String>> {
    let Role::Program(name) = &block.role else { return Ok(None) };
    let name = format!("{PROGRAMS}/{name}.rs");
    let path = workspace::root().join(&name);
    if !path.exists() {
        return Ok(Some(format!("there is no program `{name}`")));
    }
    let is_same = shown(&files::read_text(&path)?) == block.text;
    Ok((!is_same).then(|| format!("is not what `{name}` is below its first comment")))
}

/// What a page shows of a program: all but the lines at its top that say what it is.
fn shown(source: &str) -> String {
    let is_about =
        |line: &&str| line.starts_with("//!") || line.starts_with("#![") || line.is_empty();
    let lines = source.lines().skip_while(is_about);
    lines.map(|line| format!("{line}\n")).collect()
}

fn is_command(line: &str) -> bool {
    ["$ ", "gating ", "cargo "].iter().any(|begin| line.starts_with(begin))
}

/// The pages that crates include into their documentation, whose examples are tests thereby.
fn compiled() -> Result<BTreeSet<PathBuf>> {
    let mut pages = BTreeSet::new();
    for file in files::under(&workspace::root().join("crates"))? {
        if file.ends_with("src/lib.rs") {
            let folder = file.parent().context("a file is in a folder")?;
            let source = files::read_text(&file)?;
            pages
                .extend(included(&source).filter_map(|name| folder.join(name).canonicalize().ok()));
        }
    }
    Ok(pages)
}

/// What a source includes as documentation.
fn included(source: &str) -> impl Iterator<Item = &str> {
    let names = source.split("doc = include_str!(\"").skip(1);
    names.filter_map(|rest| rest.split_once("\")]").map(|(name, _)| name))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn check(info: &str, text: &str, role: Role, expected: Option<&str>) {
        let block = Block { line: 1, info: info.to_owned(), text: text.to_owned(), role };
        assert_eq!(problem(&block).as_deref(), expected, "{info}: {text}");
    }

    fn not_run() -> Role {
        Role::NotRun("takes a chain".to_owned())
    }

    #[test]
    fn a_block_is_run_or_marked() {
        check("console", "$ a\n", Role::Plain, None);
        check("console", "a\n", not_run(), Some("line 1: expected a command behind `$ `"));
        let unknown = "nothing runs `sh`: mark it `<!-- not run: REASON -->`";
        check("sh", "a\n", Role::Plain, Some(unknown));
        check("sh", "a\n", not_run(), None);
        check("toml", "a = 1\n", Role::File("a.toml".to_owned()), None);
        check("text", "p = softmax(scores)\n", Role::Plain, None);
        check("text", "$ a\n", Role::Plain, Some("a command in text"));
    }

    #[test]
    fn commands_alone_are_stopped() {
        let stopped = || Role::Stopped(Duration::from_secs(5));
        check("console", "$ a\n", stopped(), None);
        check("console", "a\n", stopped(), Some("line 1: expected a command behind `$ `"));
        let shown = "what a command prints until it is stopped is not compared";
        check("console", "$ a\nb\n", stopped(), Some(shown));
        check("rust", "", stopped(), Some("only commands are stopped"));
    }

    #[test]
    fn json_is_such() {
        check("json", "{\"a\": 1}\n", Role::Plain, None);
        let error = "not JSON: key must be a string at line 1 column 2";
        check("json", "{a}", Role::Plain, Some(error));
    }

    #[test]
    fn examples_are_run_or_marked() {
        check("rust", "", Role::Plain, None);
        check("rust,no_run", "", not_run(), None);
        check("rust,ignore", "", not_run(), Some("an example is ignored"));
        check("rust,no_run", "", Role::Program("ask".to_owned()), None);
        let unmarked = "`no_run` without a comment that says what runs it";
        check("rust,no_run", "", Role::Plain, Some(unmarked));
        check("rust,no_run", "", Role::File("a.rs".to_owned()), Some(unmarked));
        check("sh", "a\n", Role::Program("ask".to_owned()), Some("only Rust is a program"));
    }

    #[test]
    fn a_program_is_shown_below_its_comment() {
        assert_eq!(
            shown("//! What it is.\n//! More.\n\nuse a;\n\nfn main() {}\n"),
            "use a;\n\nfn main() {}\n"
        );
        let check = |name: &str, text: &str, expected: &str| {
            let (info, text) = ("rust,no_run".to_owned(), text.to_owned());
            let block = Block { line: 1, info, text, role: Role::Program(name.to_owned()) };
            let found = not_the_program(&block).expect("it can be read");
            assert_eq!(found.as_deref(), Some(expected));
        };
        let folder = "crates/gating-encoders/examples";
        check("none", "", &format!("there is no program `{folder}/none.rs`"));
        let expected = format!("is not what `{folder}/ask.rs` is below its first comment");
        check("ask", "fn main() {}\n", &expected);
    }

    #[test]
    fn included_pages_are_found() {
        let source = "#![doc = include_str!(\"../README.md\")]\n#[doc = include_str!(\"a.md\")]\n";
        assert!(included(source).eq(["../README.md", "a.md"]));
        assert!(included("include_str!(\"a.md\")").eq([""; 0]));
    }
}
