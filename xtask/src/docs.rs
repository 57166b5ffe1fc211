//! The book: parts of its pages are made of the program, and what it shows as commands does what it shows.

mod blocks;
mod caller;
mod code;
mod commands;
mod errors;
mod help;
mod limit;
mod pages;
mod part;
mod run;
mod session;
mod settings;
mod shown;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

use crate::counted::counted;
use crate::{crates, files, workspace};

/// Whether pages are written or held against the program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    Write,
    Check,
}

/// The program, as tests have it.
struct Gating<'a> {
    program: &'a Path,
}

impl Gating<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = workspace::program(self.program);
        caller::without_settings(&mut command, env::vars_os());
        command.args(arguments);
        command
    }

    /// What it prints.
    fn print(&self, arguments: &[&str]) -> Result<String> {
        let text = workspace::output(&mut self.command(arguments))?;
        Ok(String::from_utf8_lossy(&text).replace("gating.exe", "gating"))
    }
}

/// Makes the parts of pages that come from the program, `target/debug/gating`, and builds the book
/// where mdBook is installed.
pub(crate) fn run(mode: Mode) -> Result<()> {
    let program = program()?;
    let gating = Gating { program: &program };
    let mut problems = Vec::new();
    for (page, name, text) in parts(&gating)? {
        let path = workspace::root().join(page);
        let old = files::read_text(&path)?;
        let new = part::replaced(&old, name, &text)?;
        match mode {
            _ if old == new => {}
            Mode::Write => files::replace(&path, &new)?,
            Mode::Check => {
                problems.push(format!("{page}: `{name}` has drifted: run `cargo xtask docs`"));
            }
        }
    }
    let pages = pages::all()?;
    problems.extend(code::wrong(&pages)?);
    problems.extend(commands::wrong(&gating, &pages)?);
    problems.iter().for_each(|problem| println!("{problem}"));
    ensure!(problems.is_empty(), "{} of the documentation", counted(problems.len(), "problem"));
    book()
}

/// Runs the commands of every page.
pub(crate) fn follow() -> Result<()> {
    ensure!(
        cfg!(unix),
        "the commands of pages are written for a shell of Unix, and run there alone"
    );
    run::run(&Gating { program: &program()? })
}

fn program() -> Result<PathBuf> {
    let program = workspace::built("debug", "gating")?;
    ensure!(
        program.exists(),
        "`{}` is missing: cargo build --workspace --all-targets",
        program.display()
    );
    Ok(program)
}

/// Page, name and text of every part.
fn parts(gating: &Gating<'_>) -> Result<Vec<(&'static str, &'static str, String)>> {
    let mut parts = vec![
        ("docs/cli.md", "commands", help::page(gating)?),
        ("docs/settings.md", "settings", settings::table(&gating.print(&["config", "init"])?)?),
        ("docs/errors.md", "kinds", errors::table()?),
    ];
    // What build scripts draw in is known for the machine at hand alone.
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        parts.push(("README.md", "crates", crates::table()?));
    }
    Ok(parts)
}

fn book() -> Result<()> {
    let mut version = workspace::program("mdbook");
    version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    if !version.status().is_ok_and(|status| status.success()) {
        println!("no book is built: cargo install --locked mdbook");
        return Ok(());
    }
    let mut build = workspace::program("mdbook");
    let folder = workspace::root().join("target/book");
    workspace::run(build.args(["build", "docs", "--dest-dir"]).arg(folder))
}
