//! The public interfaces of the libraries, kept in `docs/api`, so that no change to them goes unseen.

mod difference;
mod document;
mod items;
mod listing;
mod rustdoc;
mod signature;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use self::document::Document;
use self::items::Items;
pub(crate) use self::rustdoc::act_as_rustdoc;
use crate::counted::counted;
use crate::docs::Mode;
use crate::{files, release, workspace};

/// Where the interfaces are kept, as seen from the root folder; a file for each library.
const FOLDER: &str = "docs/api";

/// Lists the interfaces of all libraries that are published, with the features that the workspace
/// turns on and these, and writes them or compares them with those that are kept.
pub(crate) fn run(mode: Mode, features: Option<&str>) -> Result<()> {
    let new = interfaces(&rustdoc::documents(&release::libraries()?, features)?)?;
    let folder = workspace::root().join(FOLDER);
    match mode {
        Mode::Write => write(&folder, &new),
        Mode::Check => check(&folder, &new, features),
    }
}

/// The text of each library, by its name.
fn interfaces(documents: &BTreeMap<String, Document>) -> Result<BTreeMap<String, String>> {
    let mut items = Vec::new();
    for (name, document) in documents {
        items.push(Items::find(document).with_context(|| format!("the interface of `{name}`"))?);
    }
    let names = items::public_names(&items)?;
    let listed = documents.keys().zip(&items).map(|(name, items)| {
        let text = listing::interface(items, &names);
        Ok((name.clone(), text.with_context(|| format!("the interface of `{name}`"))?))
    });
    listed.collect()
}

fn write(folder: &Path, new: &BTreeMap<String, String>) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    for (name, text) in new {
        files::replace(&folder.join(file_name(name)), text)?;
    }
    for name in kept(folder)?.keys().filter(|name| !new.contains_key(*name)) {
        let path = folder.join(file_name(name));
        fs::remove_file(&path).with_context(|| format!("cannot remove `{}`", path.display()))?;
    }
    Ok(())
}

fn check(folder: &Path, new: &BTreeMap<String, String>, features: Option<&str>) -> Result<()> {
    let mut old = kept(folder)?;
    let mut changed = 0;
    for (name, new) in new {
        changed += shown(name, &old.remove(name).unwrap_or_default(), new);
    }
    // What is left is of libraries that are no more.
    changed += old.iter().map(|(name, old)| shown(name, old, "")).sum::<usize>();
    ensure!(changed == 0, "{} changed: run `{}`", counted(changed, "interface"), command(features));
    Ok(())
}

/// What writes the interfaces; with the same features nothing is built anew for it.
fn command(features: Option<&str>) -> String {
    let features = features.map(|features| format!(" --features {features}"));
    format!("cargo xtask api{}", features.unwrap_or_default())
}

/// Shows what has changed in one interface; how many have changed, none or one.
fn shown(name: &str, old: &str, new: &str) -> usize {
    let lines = difference::lines(old, new);
    if lines.is_empty() {
        return 0;
    }
    println!("{FOLDER}/{}:", file_name(name));
    lines.iter().for_each(|line| println!("{line}"));
    1
}

/// The texts that are kept, by the names of their libraries.
fn kept(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut texts = BTreeMap::new();
    if !folder.exists() {
        return Ok(texts);
    }
    for path in files::under(folder)? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        texts.insert(name, files::read_text(&path)?);
    }
    Ok(texts)
}

fn file_name(library: &str) -> String {
    format!("{library}.txt")
}

#[cfg(test)]
mod tests;
