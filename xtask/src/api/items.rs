//! The items of a library, by the paths under which others use them.

use std::collections::HashMap;

use anyhow::{Result, ensure};
use serde_json::Value;

use super::document::{Document, flag, get, inner, list, optional, text};

/// The public paths of types and traits, by the paths of their definitions.
pub(super) type Names = HashMap<String, String>;

/// The public items of one library.
pub(super) struct Items<'a> {
    pub(super) document: &'a Document,
    /// With their paths; an item may have several.
    pub(super) public: Vec<(String, &'a Value)>,
}

impl<'a> Items<'a> {
    pub(super) fn find(document: &'a Document) -> Result<Self> {
        let mut items = Self { document, public: Vec::new() };
        let root = document.root()?;
        items.add(text(root, "name")?, root)?;
        Ok(items)
    }

    /// Adds an item, and those in it where it is a module.
    fn add(&mut self, path: &str, item: &'a Value) -> Result<()> {
        self.public.push((path.to_owned(), item));
        if let ("module", module) = inner(item)? {
            for id in list(module, "items")? {
                self.add_member(path, self.document.item(id)?)?;
            }
        }
        Ok(())
    }

    fn add_member(&mut self, module: &str, item: &'a Value) -> Result<()> {
        match inner(item)? {
            // It is listed with its type or trait.
            ("impl", _) => Ok(()),
            ("use", used) => self.add_used(module, item, used),
            _ => self.add(&format!("{module}::{}", text(item, "name")?), item),
        }
    }

    /// Adds what `pub use` names: an item of this library as if it were here, one of another by name.
    fn add_used(&mut self, module: &str, item: &'a Value, used: &'a Value) -> Result<()> {
        let source = text(used, "source")?;
        ensure!(!flag(used, "is_glob")?, "`pub use {source}::*` does not say what it names");
        let path = format!("{module}::{}", text(used, "name")?);
        let id = optional(used, "id")?;
        match id.map(|id| self.document.local(id)).transpose()?.flatten() {
            Some(item) => self.add(&path, item),
            None => {
                self.public.push((path, item));
                Ok(())
            }
        }
    }
}

/// By which path others name what is defined in any of the libraries: the shortest one.
pub(super) fn public_names(libraries: &[Items<'_>]) -> Result<Names> {
    let mut names = Names::new();
    for items in libraries {
        for (path, item) in &items.public {
            if !["struct", "enum", "union", "trait", "type_alias"].contains(&inner(item)?.0) {
                continue;
            }
            let name = names
                .entry(items.document.definition(get(item, "id")?)?)
                .or_insert_with(|| path.clone());
            if path.len() < name.len() {
                name.clone_from(path);
            }
        }
    }
    Ok(names)
}
