//! Whether the oldest versions that the manifests admit are enough.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::{Outcome, command, succeeds};
use crate::files;
use crate::workspace::{self, WITHOUT_TENSORS};

/// Where a copy of the workspace lies, and where it is built, as seen from the root folder.
const COPY: &str = "target/oldest/workspace";
const TARGET: &str = "target/oldest/target";

/// What cargo reads of the workspace.
const MEMBERS: [&str; 3] = ["benches", "crates", "xtask"];

/// What cargo has to be able to do first, since it needs the network.
const PROBE: &str = "cargo update --dry-run --quiet";

/// Chooses the oldest version that a manifest admits of every direct dependency, in a copy, and
/// checks there the libraries that are quick to build; of the others it is known that their versions go
/// together.
pub(super) fn check() -> Result<Outcome> {
    if !succeeds(&mut command(PROBE)) {
        return Ok(Outcome::Missing(format!("not run: `{PROBE}` failed")));
    }
    let root = workspace::root();
    let copy = root.join(COPY);
    copy_to(&copy).with_context(|| format!("cannot copy to `{}`", copy.display()))?;
    let mut choose = command("cargo update --quiet -Z direct-minimal-versions");
    // It is cargo alone that chooses: no build sees the variable.
    let is_chosen = succeeds(choose.current_dir(&copy).env("RUSTC_BOOTSTRAP", "1"));
    let mut check = command("cargo check --locked --lib --all-features");
    WITHOUT_TENSORS.iter().for_each(|library| {
        check.args(["-p", library]);
    });
    check.current_dir(&copy).arg("--target-dir").arg(root.join(TARGET));
    Ok(if is_chosen && succeeds(&mut check) { Outcome::Passed } else { Outcome::Failed })
}

/// Copies all members and their manifest, but not which versions were chosen.
fn copy_to(copy: &Path) -> Result<()> {
    let root = workspace::root();
    if copy.exists() {
        fs::remove_dir_all(copy)?;
    }
    let mut paths = vec![root.join("Cargo.toml")];
    for member in MEMBERS {
        paths.extend(files::under(&root.join(member))?);
    }
    for path in paths {
        let to = copy.join(files::relative(&path, root));
        fs::create_dir_all(to.parent().expect("it lies below the copy"))?;
        fs::copy(&path, &to)?;
    }
    Ok(())
}
