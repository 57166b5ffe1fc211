//! Runs the commands of every page as somebody who follows it from its top.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Output;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Gating;
use super::blocks::{Block, Role};
use super::caller;
use super::limit;
use super::pages::{self, Page};
use super::session::{self, Step};
use super::shown;
use crate::counted::counted;
use crate::{files, workspace};

/// The variable that names the root folder of the workspace to the hidden commands of a page.
const ROOT: &str = "WORKSPACE";

/// How a command begins that calls this: it is read, and not run.
const TASK: &str = "cargo xtask ";

/// How long a command may take. None is meant to take more than a minute where nothing else is done, so
/// that one which takes so much longer hangs.
const LIMIT: Duration = Duration::from_mins(10);

/// Runs what all pages show. `target/pages` keeps what they wrote.
pub(super) fn run(gating: &Gating<'_>) -> Result<()> {
    let (mut problems, mut ran) = (0, 0);
    let mut marked: BTreeMap<String, usize> = BTreeMap::new();
    for page in pages::all()? {
        let start = Instant::now();
        let reader = Reader::new(gating, &page)?;
        let count = page.blocks.iter().filter(|block| is_run(block)).count();
        if let Some(problem) = reader.follow()? {
            println!("{problem}");
            problems += 1;
        }
        if count > 0 {
            let (blocks, seconds) = (counted(count, "block"), start.elapsed().as_secs_f64());
            println!("{}: {blocks} in {seconds:.1} s", page.name);
        }
        ran += count;
        for block in &page.blocks {
            if let Role::NotRun(reason) = &block.role {
                *marked.entry(reason.clone()).or_default() += 1;
            }
        }
    }
    let unrun: usize = marked.values().sum();
    println!("{} ran; marked as not to be run: {unrun}", counted(ran, "block"));
    marked.iter().for_each(|(reason, count)| println!("  {count} {reason}"));
    ensure!(problems == 0, "{} of the documentation", counted(problems, "problem"));
    Ok(())
}

/// Whether a block that a reader sees is run, or has commands that are.
fn is_run(block: &Block) -> bool {
    if let Role::Program(_) | Role::Stopped(_) = block.role {
        return true;
    }
    let mut commands = block.text.lines().filter_map(|line| line.strip_prefix("$ "));
    let is_console = block.language() == "console" && block.role == Role::Plain;
    is_console && commands.any(|command| !command.starts_with(TASK))
}

/// Somebody who follows a page, in a folder that was empty at its top.
struct Reader<'a> {
    page: &'a Page,
    folder: PathBuf,
    path: OsString,
    limit: Duration,
}

impl<'a> Reader<'a> {
    fn new(gating: &Gating<'_>, page: &'a Page) -> Result<Self> {
        let folder = workspace::root().join("target/pages").join(page.name.trim_end_matches(".md"));
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let programs = gating.program.parent().context("the program is in a folder")?.to_owned();
        let others = env::var_os("PATH").unwrap_or_default();
        let programs = [programs.join("examples"), programs];
        let path = env::join_paths(programs.into_iter().chain(env::split_paths(&others)))?;
        Ok(Self { page, folder, path, limit: LIMIT })
    }

    /// Runs the page up to the first command that does something else than it shows, and says what.
    fn follow(&self) -> Result<Option<String>> {
        for block in &self.page.blocks {
            match &block.role {
                Role::File(name) => self.save(name, &block.text)?,
                Role::NotRun(_) => {}
                Role::Program(name) if !self.has(name) => {
                    let (page, line) = (&self.page.name, block.line);
                    let build = "cargo build --workspace --all-targets";
                    return Ok(Some(format!("{page}:{line}: `{name}` is not built: {build}")));
                }
                _ => {
                    for step in steps(block)? {
                        if let Some(why) = self.take(&step, &block.role)? {
                            let (page, line, command) = (&self.page.name, step.line, step.command);
                            return Ok(Some(format!("{page}:{line}: `{command}`: {why}")));
                        }
                    }
                }
            }
        }
        Ok(None)
    }

    /// Whether there is such a program.
    fn has(&self, name: &str) -> bool {
        let name = workspace::executable(name);
        env::split_paths(&self.path).any(|folder| folder.join(&name).exists())
    }

    fn save(&self, name: &str, text: &str) -> Result<()> {
        fs::create_dir_all(&self.folder)?;
        files::replace(&self.folder.join(name), text)
    }

    fn take(&self, step: &Step, role: &Role) -> Result<Option<String>> {
        if step.command.starts_with(TASK) {
            return Ok(None);
        }
        if let Role::Stopped(limit) = role {
            let ended = self.call(&step.command, *limit)?;
            return Ok(ended.map(|output| ended_with(&output)));
        }
        Ok(match self.call(&step.command, self.limit)? {
            Some(output) => wrong(step, &output),
            None => Some(format!("did not end within {:?}, and was killed", self.limit)),
        })
    }

    /// What a command prints, if it ends in time.
    fn call(&self, command: &str, limit: Duration) -> Result<Option<Output>> {
        fs::create_dir_all(&self.folder)?;
        let mut shell = workspace::program("sh");
        caller::without_settings(&mut shell, env::vars_os());
        shell.args(["-ec", command]).current_dir(&self.folder);
        shell.env("PATH", &self.path).env(ROOT, workspace::root());
        limit::output(&mut shell, limit)
    }
}

/// What there is to run in a block.
fn steps(block: &Block) -> Result<Vec<Step>> {
    if let Role::Program(name) = &block.role {
        return Ok(vec![Step { line: block.line, command: name.clone(), shown: None }]);
    }
    if block.language() == "console" { session::steps(block) } else { Ok(Vec::new()) }
}

/// How a command ended, and the error that it told.
fn ended_with(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    format!("ended with {}: {}", output.status, error.trim_end())
}

/// What a command did otherwise than the page shows. Notes on standard error depend on the machine and
/// are not compared, but for those of a command that fails.
fn wrong(step: &Step, output: &Output) -> Option<String> {
    let mut printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() == step.fails() {
        return Some(ended_with(output));
    }
    if step.fails() {
        printed.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    shown::difference(step.shown.as_ref()?, &printed)
}

#[cfg(all(test, unix))]
mod tests {
    use super::super::blocks;
    use super::*;

    /// What is wrong with a page of these lines, where a command may take 50 ms.
    fn problem(page: &str) -> Option<String> {
        let blocks = blocks::find(page).expect("blocks");
        let page = Page { path: PathBuf::new(), name: "a.md".to_owned(), blocks };
        let reader = Reader {
            page: &page,
            folder: workspace::root().join("target/pages-tests"),
            path: env::var_os("PATH").unwrap_or_default(),
            limit: Duration::from_millis(50),
        };
        reader.follow().expect("there is a shell")
    }

    #[test]
    fn a_command_that_hangs_is_told_with_page_line_and_limit() {
        let expected = "a.md:4: `sleep 600`: did not end within 50ms, and was killed";
        assert_eq!(problem("# A\n\n```console\n$ sleep 600\n```\n").as_deref(), Some(expected));
    }

    #[test]
    fn what_goes_on_until_it_is_stopped_must_do_so() {
        let page = |command| {
            problem(&format!("<!-- stopped after: 0 s -->\n```console\n$ {command}\n```\n"))
        };
        assert_eq!(page("sleep 600"), None);
        let page = "<!-- stopped after: 60 s -->\n```console\n$ echo no >&2; exit 3\n```\n";
        let expected = "a.md:3: `echo no >&2; exit 3`: ended with exit status: 3: no";
        assert_eq!(problem(page).as_deref(), Some(expected));
    }

    #[test]
    fn a_program_is_called_by_its_name() {
        assert_eq!(problem("<!-- program: true -->\n```rust\nfn main() {}\n```\n"), None);
        let found = problem("<!-- program: false -->\n```rust\nfn main() {}\n```\n");
        assert_eq!(found.as_deref(), Some("a.md:3: `false`: ended with exit status: 1: "));
        let found = problem("<!-- program: no-such -->\n```rust\nfn main() {}\n```\n");
        let expected = "a.md:3: `no-such` is not built: cargo build --workspace --all-targets";
        assert_eq!(found.as_deref(), Some(expected));
    }
}
