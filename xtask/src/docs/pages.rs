//! The pages that a reader sees.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::blocks::{self, Block};
use crate::{files, workspace};

/// A page with its code.
pub(super) struct Page {
    pub(super) path: PathBuf,
    /// As seen from the root, such as `docs/start.md`.
    pub(super) name: String,
    pub(super) blocks: Vec<Block>,
}

/// Every page of the workspace; the templates that this task fills are none.
pub(super) fn all() -> Result<Vec<Page>> {
    let root = workspace::root();
    let files = files::under(root)?.into_iter();
    let pages = files.filter(|path| path.extension().is_some_and(|it| it == "md"));
    pages.filter(|path| !path.starts_with(root.join("xtask"))).map(page).collect()
}

fn page(path: PathBuf) -> Result<Page> {
    let name = files::relative(&path, workspace::root());
    let blocks = blocks::find(&files::read_text(&path)?).with_context(|| name.clone())?;
    Ok(Page { path, name, blocks })
}
