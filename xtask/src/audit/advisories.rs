//! What is known of our dependencies: by the database of RustSec, or where that cannot be fetched, by
//! the snapshot of it that is committed.

mod advisory;
mod renewal;
mod snapshot;

use std::collections::BTreeSet;

use anyhow::Result;

use self::snapshot::Snapshot;
use super::{DENY, Outcome, command, is_installed, succeeds};
use crate::{files, lock, workspace};

pub(crate) use renewal::renew;

/// The database, as cargo-deny names it.
const DATABASE: &str = "https://github.com/RustSec/advisory-db";

const FETCH: &str = "cargo deny --locked fetch db";
const CHECK: &str = "cargo deny --locked check advisories";

/// Asks cargo-deny for the advisories of every package that is locked.
pub(super) fn check() -> Result<Outcome> {
    if !is_installed(CHECK) {
        return Ok(Outcome::Missing(format!("not run: {DENY}")));
    }
    if succeeds(&mut command(FETCH)) {
        let passes = succeeds(&mut command(CHECK));
        return Ok(if passes { Outcome::Passed } else { Outcome::Failed });
    }
    let snapshot = Snapshot::committed();
    let told = snapshot.told(&locked()?)?;
    println!("`{FETCH}` failed; taken instead: {told}");
    let mut check = snapshot.served(&workspace::root().join("target/advisories"))?;
    Ok(if succeeds(&mut check) {
        Outcome::Limited(format!("ok, by {told}"))
    } else {
        Outcome::Failed
    })
}

/// The names of the packages that others made. The examples have no further ones.
fn locked() -> Result<BTreeSet<String>> {
    let lock = files::read_text(&workspace::root().join("Cargo.lock"))?;
    let packages = lock::packages(&lock).map(|(_, package)| package);
    let foreign = packages.filter(|package| package.source.is_some());
    Ok(foreign.map(|package| package.name.to_owned()).collect())
}
