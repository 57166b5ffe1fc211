//! The archive of a release: the same bytes whenever and wherever it is made.

mod archive;
mod bill;
mod build;

use std::fs;
use std::path::{Path, PathBuf, absolute};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use self::archive::Entry;
use crate::{files, release, workspace};

/// Where archives are written, as seen from the root folder.
const FOLDER: &str = "target/dist";

/// What lies beside the binary as it is in the root folder: these, and what is committed of the folders.
const TEXTS: [&str; 8] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "docs",
];

/// The shells that get completions, and the names under which they look for them.
const COMPLETIONS: [(&str, &str); 5] = [
    ("bash", "gating.bash"),
    ("elvish", "gating.elv"),
    ("fish", "gating.fish"),
    ("powershell", "_gating.ps1"),
    ("zsh", "_gating"),
];

/// Where the binary comes from.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Binary {
    /// It is built.
    Built,
    /// It is built twice, in folders of their own, and must be the same.
    BuiltTwice,
    /// It is here already.
    File(PathBuf),
}

/// Writes the archive, the list of what is in the binary, and the checksums of both.
pub(crate) fn run(binary: &Binary) -> Result<()> {
    let time = time()?;
    if let Some(problem) = release::uncommitted()? {
        eprintln!("this is no archive of the commit: {problem}");
    }
    let binary = match binary {
        Binary::Built => build::binary(time)?,
        Binary::BuiltTwice => build::same_binary(time)?,
        // A name alone would be looked for among the programs that are installed.
        Binary::File(path) => absolute(path).context("there is no current folder")?,
    };
    let name = name(&binary)?;
    let bill = bill::write(&name)?;
    let entries = entries(&binary, &bill)?;
    let archive = archive::write(&name, &entries, time)?;
    let folder = workspace::root().join(FOLDER);
    fs::create_dir_all(&folder).context("cannot make `target/dist`")?;
    let files =
        [(format!("{name}.cdx.json"), bill.into_bytes()), (format!("{name}.tar.gz"), archive)];
    for (name, bytes) in &files {
        files::replace_bytes(&folder.join(name), bytes)?;
    }
    let sums: String = files.iter().map(|(name, bytes)| sum(name, bytes)).collect();
    // Each archive has its own: a release hands out those of several systems, from one folder.
    files::replace(&folder.join(format!("{name}.sha256")), &sums)?;
    print!("{sums}");
    Ok(())
}

/// When everything in the archive was made, in seconds since 1970: `SOURCE_DATE_EPOCH`, or the time of
/// the commit.
fn time() -> Result<u64> {
    let text = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text,
        Err(_) => {
            let mut git = workspace::program("git");
            let output =
                workspace::output(git.args(["show", "--no-patch", "--format=%ct", "HEAD"]))?;
            String::from_utf8_lossy(&output).trim().to_owned()
        }
    };
    text.parse().with_context(|| format!("expected seconds since 1970, found `{text}`"))
}

/// `gating-0.1.0-x86_64-unknown-linux-gnu`, of what the binary says and what the compiler makes.
fn name(binary: &Path) -> Result<String> {
    let version = workspace::output(Command::new(binary).arg("--version"))?;
    let version = String::from_utf8_lossy(&version).trim().replace(' ', "-");
    ensure!(version.starts_with("gating-"), "`{}` is not the command gating", binary.display());
    Ok(format!("{version}-{}", build::target()?))
}

fn entries(binary: &Path, bill: &str) -> Result<Vec<Entry>> {
    let ask = |arguments: &[&str]| workspace::output(Command::new(binary).args(arguments));
    let executable = format!("gating{}", std::env::consts::EXE_SUFFIX);
    let mut entries = vec![
        Entry::program(&executable, files::read(binary)?),
        Entry::file("man/man1/gating.1", ask(&["man"])?),
        Entry::file("sbom.cdx.json", bill.as_bytes().to_vec()),
    ];
    for (shell, name) in COMPLETIONS {
        let completions = ask(&["completions", shell])?;
        entries.push(Entry::file(&format!("completions/{name}"), completions));
    }
    for name in committed(&TEXTS)? {
        entries.push(Entry::file(&name, files::read(&workspace::root().join(&name))?));
    }
    Ok(entries)
}

/// The files of these names and in these folders that git knows, in its order.
fn committed(names: &[&str]) -> Result<Vec<String>> {
    let mut git = workspace::program("git");
    let list = workspace::output(git.args(["ls-files", "-z", "--"]).args(names))?;
    let list = String::from_utf8(list).context("git names a file that is no text")?;
    Ok(list.split_terminator('\0').map(str::to_owned).collect())
}

/// A line as `sha256sum --check` takes it.
fn sum(name: &str, bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hash}  {name}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_other_programs() {
        // From `printf abc | sha256sum`.
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sum("a.tar.gz", b"abc"), format!("{hash}  a.tar.gz\n"));
    }

    #[test]
    fn texts_are_those_that_are_committed() {
        let found = committed(&["LICENSE-MIT", "docs"]).expect("this is a folder of git");
        assert_eq!(found[0], "LICENSE-MIT");
        assert!(found[1..].iter().all(|name| name.starts_with("docs/")), "{found:?}");
        assert!(found.contains(&"docs/start.md".to_owned()), "{found:?}");
    }

    #[test]
    fn another_program_is_refused() {
        let cargo = PathBuf::from(workspace::cargo().get_program());
        let error = name(&cargo).expect_err("it is cargo").to_string();
        assert!(error.ends_with("is not the command gating"), "{error}");
    }
}
