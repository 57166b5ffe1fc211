//! A release: made whole in a clone, and brought home by one fast-forward.

mod changelog;
mod checkout;
mod interfaces;
mod manifest;
mod members;
mod version;

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};

use self::checkout::Checkout;
pub(crate) use self::version::Level;
use self::version::Version;
use crate::{examples, files, workspace};

const BRANCH: &str = "main";
const MANIFEST: &str = "Cargo.toml";
const CHANGELOG: &str = "CHANGELOG.md";

/// Where the clone lies, as seen from the root folder.
const CLONE: &str = "target/release-clone";

/// What is to be released, and how far to go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Options {
    pub(crate) level: Level,
    pub(crate) outcome: Outcome,
    pub(crate) packages: Packages,
}

impl Options {
    /// A release that is made and dropped, without a build.
    const TRIAL: Self =
        Self { level: Level::Minor, outcome: Outcome::Dropped, packages: Packages::Packed };
}

/// What becomes of the release that was made in the clone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// Its commit and tag are fetched.
    Kept,
    /// It is shown and dropped.
    Dropped,
}

/// How the crates are packaged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Packages {
    /// Each is built from its package, which takes minutes for Burn.
    Built,
    /// They are packed alone.
    Packed,
}

/// Makes a release of this workspace.
pub(crate) fn run(options: Options) -> Result<()> {
    let root = workspace::root();
    release(&Checkout::new(root), &root.join(CLONE), options)
}

/// Makes a release and drops it, where git knows the workspace.
pub(crate) fn attempt() -> Result<()> {
    if !workspace::root().join(".git").exists() {
        println!("no release is tried: git does not know this folder");
        return Ok(());
    }
    run(Options::TRIAL)
}

/// Hands the crates of the release that is checked out to the registry.
pub(crate) fn publish(outcome: Outcome) -> Result<()> {
    let home = Checkout::new(workspace::root());
    let version = manifest::version(&home.read(MANIFEST)?)?;
    let tags = home.git(&["tag", "--points-at", "HEAD"])?;
    let problem = match tags.lines().any(|tag| tag == version.tag()) {
        true => home.unclean()?,
        false => Some(format!("HEAD is not `{}`", version.tag())),
    };
    match (problem, outcome) {
        (Some(problem), Outcome::Kept) => bail!("{problem}"),
        (Some(problem), Outcome::Dropped) => eprintln!("this would be refused: {problem}"),
        (None, _) => {}
    }
    let mut crates = members::publishable(&home)?;
    let mut publish = home.cargo();
    publish.args(["publish", "--locked"]);
    match outcome {
        Outcome::Kept => crates.retain(|(name, version)| {
            let is_published = is_published(&home, name, version);
            if is_published {
                println!("left out: the registry has {name} {version} already");
            }
            !is_published
        }),
        Outcome::Dropped => _ = publish.args(["--dry-run", "--no-verify", "--allow-dirty"]),
    }
    ensure!(!crates.is_empty(), "the registry has every crate of {version} already");
    workspace::run(publish.args(members::options(&crates)))
}

/// Whether the registry has a crate already, as after a publication that failed half way.
fn is_published(home: &Checkout, name: &str, version: &str) -> bool {
    let mut info = home.cargo();
    info.args(["info", "--quiet", "--registry", "crates-io", &format!("{name}@{version}")]);
    let status = info.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// The names of the libraries that are published.
pub(crate) fn libraries() -> Result<Vec<String>> {
    let libraries = members::libraries(&Checkout::new(workspace::root()))?;
    Ok(libraries.into_iter().map(|library| library.name).collect())
}

/// What is not committed, where git knows the workspace.
pub(crate) fn uncommitted() -> Result<Option<String>> {
    match workspace::root().join(".git").exists() {
        true => Checkout::new(workspace::root()).unclean(),
        false => Ok(None),
    }
}

/// Makes a release of a checkout in a clone of it, which is removed in the end. Whatever fails, the
/// checkout is as it was.
fn release(home: &Checkout, clone: &Path, options: Options) -> Result<()> {
    let problems = problems(home)?;
    match options.outcome {
        Outcome::Kept => ensure!(problems.is_empty(), "{}", problems.join("; ")),
        Outcome::Dropped => {
            problems.iter().for_each(|problem| eprintln!("this would be refused: {problem}"));
        }
    }
    remove(clone)?;
    let made = home.clone_to(clone, BRANCH).and_then(|clone| {
        let version = make(&clone, options)?;
        if options.outcome == Outcome::Kept {
            home.take(&clone, &version.tag())?;
        }
        Ok(version)
    });
    // What failed first is told.
    let removed = remove(clone);
    let version = made?;
    match options.outcome {
        Outcome::Kept => println!(
            "released {version}: push `{BRANCH}` and `{}`, then `cargo xtask publish`",
            version.tag()
        ),
        Outcome::Dropped => println!("{version} can be released; nothing has changed"),
    }
    removed
}

/// Why a checkout cannot be released as it is.
fn problems(home: &Checkout) -> Result<Vec<String>> {
    let mut problems: Vec<String> = home.unclean()?.into_iter().collect();
    let branch = home.git(&["rev-parse", "--abbrev-ref", "HEAD"])?;
    if branch != BRANCH {
        problems.push(format!("the branch is `{branch}`, expected `{BRANCH}`"));
    }
    if changelog::is_empty(&home.read(CHANGELOG)?) {
        problems.push(format!("`{CHANGELOG}` tells nothing under `## Unreleased`"));
    }
    if !home.knows_author() {
        problems.push("git knows no `user.name` and `user.email`".to_owned());
    }
    Ok(problems)
}

fn remove(folder: &Path) -> Result<()> {
    match folder.exists() {
        true => fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove `{}`", folder.display())),
        false => Ok(()),
    }
}

/// Every step of a release, in a clone.
fn make(clone: &Checkout, options: Options) -> Result<Version> {
    let before = manifest::version(&clone.read(MANIFEST)?)?;
    let version = before.next(options.level);
    let tags = clone.git(&["tag", "--list", &version.tag()])?;
    ensure!(tags.is_empty(), "there is a tag `{tags}` already");
    println!("\n== {before} becomes {version}");
    let date = today(clone)?;
    files::replace(
        &clone.path(CHANGELOG),
        &changelog::cut(&clone.read(CHANGELOG)?, version, &date)?,
    )?;
    files::replace(&clone.path(MANIFEST), &manifest::bump(&clone.read(MANIFEST)?, version)?)?;
    lock(clone)?;
    let crates = members::publishable(clone)?;
    if let Some((name, found)) = crates.iter().find(|(_, found)| *found != version.to_string()) {
        bail!("`{name}` has version {found}, expected {version}");
    }
    clone.git(&["commit", "--quiet", "--all", "--message", &format!("Release {version}")])?;
    println!("{}", clone.git(&["show", "--stat", "--format=%s", "HEAD"])?);
    interfaces::compare(clone)?;
    package(clone, &crates, options.packages)?;
    clone.git(&["tag", "--annotate", "--message", &version.to_string(), &version.tag()])?;
    Ok(version)
}

/// Locks the new version of every crate, also for the examples.
fn lock(clone: &Checkout) -> Result<()> {
    for manifest in [MANIFEST, examples::MANIFEST] {
        let mut update = clone.cargo();
        update.args(["update", "--quiet", "--workspace", "--manifest-path", manifest]);
        workspace::run(&mut update)?;
    }
    Ok(())
}

/// Packages every crate, those first that others depend on.
fn package(clone: &Checkout, crates: &[(String, String)], packages: Packages) -> Result<()> {
    println!("\n== packages");
    let mut package = clone.cargo();
    package.args(["package", "--locked"]).args(members::options(crates));
    if packages == Packages::Packed {
        package.arg("--no-verify");
    }
    workspace::run(&mut package)
}

/// The day by git's clock, which `GIT_COMMITTER_DATE` sets, as ISO 8601 has it.
fn today(clone: &Checkout) -> Result<String> {
    let identity = clone.git(&["var", "GIT_COMMITTER_IDENT"])?;
    let seconds = identity.rsplit(' ').nth(1).and_then(|seconds| seconds.parse().ok());
    Ok(version::date(seconds.with_context(|| format!("git tells no time in `{identity}`"))?))
}

#[cfg(test)]
mod tests;
