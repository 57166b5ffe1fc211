//! The crates of the workspace, as cargo sees them.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::manifest::Manifest;
use crate::{files, workspace};

/// One crate of the workspace.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) manifest: Manifest,
    /// The crates of the workspace that it names as a dependency of any kind.
    pub(super) edges: Vec<String>,
}

impl Member {
    /// All of the workspace with this manifest.
    pub(super) fn all(manifest: &str) -> Result<Vec<Self>> {
        let metadata = workspace::metadata(manifest)?;
        array(&metadata, "packages")?.iter().map(Self::read).collect()
    }

    fn read(package: &Value) -> Result<Self> {
        let manifest = Path::new(string(package, "manifest_path")?);
        let local =
            array(package, "dependencies")?.iter().filter(|dependency| is_local(dependency));
        let edges = local.map(|dependency| Ok(string(dependency, "name")?.to_owned()));
        Ok(Self {
            name: string(package, "name")?.to_owned(),
            manifest: Manifest::read(&files::relative(manifest, workspace::root()))?,
            edges: edges.collect::<Result<_>>()?,
        })
    }
}

/// Whether a dependency is a folder, and not a crate of a registry.
fn is_local(dependency: &Value) -> bool {
    dependency["path"].is_string()
}

fn array<'a>(value: &'a Value, field: &str) -> Result<&'a Vec<Value>> {
    value[field].as_array().with_context(|| format!("`cargo metadata` gives no list `{field}`"))
}

fn string<'a>(value: &'a Value, field: &str) -> Result<&'a str> {
    value[field].as_str().with_context(|| format!("`cargo metadata` gives no text `{field}`"))
}
