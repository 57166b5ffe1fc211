//! The interface of a library as lines: one for each item, sorted.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::document::{elements, flag, get, inner, kind, list, optional, text};
use super::items::{Items, Names};
use super::signature::{Signatures, where_clause};

/// Where a line stands among those of its item.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Place {
    Itself,
    Part,
    Inherent,
    Implementation,
}

struct Listing<'a> {
    signatures: Signatures<'a>,
    /// With the path of the item that each is about.
    lines: BTreeSet<(String, Place, String)>,
}

/// All lines of a library. What follows from what is listed is left out: methods of the traits that a
/// type implements, and the implementations that are there for every type.
pub(super) fn interface(items: &Items<'_>, names: &Names) -> Result<String> {
    let signatures = Signatures { document: items.document, names };
    let mut listing = Listing { signatures, lines: BTreeSet::new() };
    for (path, item) in &items.public {
        listing.add_item(path, item).with_context(|| format!("`{path}`"))?;
    }
    for item in items.document.items()? {
        if let ("impl", block) = inner(item)? {
            listing.add_impl(block)?;
        }
    }
    Ok(listing.lines.into_iter().map(|(_, _, line)| line + "\n").collect())
}

impl Listing<'_> {
    fn add(&mut self, owner: &str, place: Place, line: String) {
        self.lines.insert((owner.to_owned(), place, line));
    }

    fn add_item(&mut self, path: &str, item: &Value) -> Result<()> {
        let (kind, inner) = inner(item)?;
        let line = match kind {
            "module" => format!("mod {path}"),
            "use" => format!("use {} as {path}", text(inner, "source")?),
            "struct" => self.structure(path, inner)?,
            "enum" => self.enumeration(path, inner)?,
            "variant" => self.variant(path, inner)?,
            "trait" => self.trait_(path, inner)?,
            "function" => self.signatures.function(path, inner, Vec::new())?,
            "type_alias" => {
                let (head, clause) = self.head(path, inner)?;
                format!("type {head}{clause} = {}", self.type_of(inner)?)
            }
            "constant" => format!("const {path}: {}", self.type_of(inner)?),
            "static" => {
                let word = if flag(inner, "is_mutable")? { "mut " } else { "" };
                format!("static {word}{path}: {}", self.type_of(inner)?)
            }
            "macro" => format!("macro {path}!"),
            other => bail!("no line is made of the kind of item `{other}`"),
        };
        self.add(path, Place::Itself, format!("{}pub {line}", attributes(item)?));
        Ok(())
    }

    /// A struct, whose public fields are lines of their own.
    fn structure(&mut self, path: &str, structure: &Value) -> Result<String> {
        let (head, clause) = self.head(path, structure)?;
        Ok(match kind(get(structure, "kind")?)? {
            ("unit", _) => format!("struct {head}{clause};"),
            ("tuple", fields) => {
                let fields = self.unnamed(elements(fields)?, "pub ")?;
                format!("struct {head}({fields}){clause}")
            }
            ("plain", fields) => {
                for field in self.fields(fields)? {
                    self.add(path, Place::Part, format!("pub {path}::{field}"));
                }
                format!("struct {head}{clause}{}", rest(flag(fields, "has_stripped_fields")?))
            }
            (other, _) => bail!("unknown kind of struct `{other}`"),
        })
    }

    /// An enum, whose variants are lines of their own.
    fn enumeration(&mut self, path: &str, enumeration: &Value) -> Result<String> {
        for id in list(enumeration, "variants")? {
            let variant = self.signatures.document.item(id)?;
            let path_of_variant = format!("{path}::{}", text(variant, "name")?);
            let line = self.variant(&path_of_variant, inner(variant)?.1)?;
            self.add(path, Place::Part, format!("{}pub {line}", attributes(variant)?));
        }
        let rest = rest(flag(enumeration, "has_stripped_variants")?);
        let (head, clause) = self.head(path, enumeration)?;
        Ok(format!("enum {head}{clause}{rest}"))
    }

    fn variant(&self, path: &str, variant: &Value) -> Result<String> {
        let fields = match kind(get(variant, "kind")?)? {
            ("plain", _) => String::new(),
            ("tuple", fields) => format!("({})", self.unnamed(elements(fields)?, "")?),
            ("struct", fields) => {
                let mut texts = self.fields(fields)?;
                texts.extend(flag(fields, "has_stripped_fields")?.then(|| "..".to_owned()));
                format!(" {{ {} }}", texts.join(", "))
            }
            (other, _) => bail!("unknown kind of variant `{other}`"),
        };
        let value = optional(variant, "discriminant")?.map(|value| text(value, "value"));
        let value = value.transpose()?.map(|value| format!(" = {value}")).unwrap_or_default();
        Ok(format!("{path}{fields}{value}"))
    }

    /// The fields that have names.
    fn fields(&self, fields: &Value) -> Result<Vec<String>> {
        let field = |id: &Value| {
            let field = self.signatures.document.item(id)?;
            let type_ = self.signatures.type_(inner(field)?.1)?;
            Ok(format!("{}: {type_}", text(field, "name")?))
        };
        list(fields, "fields")?.iter().map(field).collect()
    }

    /// The fields that have none; `_` where one is private.
    fn unnamed(&self, fields: &[Value], before: &str) -> Result<String> {
        let field = |id: &Value| {
            if id.is_null() {
                return Ok("_".to_owned());
            }
            let (_, type_) = inner(self.signatures.document.item(id)?)?;
            Ok(format!("{before}{}", self.signatures.type_(type_)?))
        };
        Ok(fields.iter().map(field).collect::<Result<Vec<_>>>()?.join(", "))
    }

    /// A trait, whose items are lines of their own.
    fn trait_(&mut self, path: &str, trait_: &Value) -> Result<String> {
        for id in list(trait_, "items")? {
            let item = self.signatures.document.item(id)?;
            let line = self.associated(&format!("{path}::{}", text(item, "name")?), item, &[])?;
            let provided = if is_provided(item)? { " { .. }" } else { "" };
            self.add(path, Place::Part, line + provided);
        }
        let unsafety = if flag(trait_, "is_unsafe")? { "unsafe " } else { "" };
        Ok(format!("{unsafety}trait {}", self.bounded(path, trait_)?))
    }

    /// What stands in a trait or in an implementation, whose predicates are given.
    fn associated(&self, path: &str, item: &Value, predicates: &[String]) -> Result<String> {
        let (kind, inner) = inner(item)?;
        let attributes = attributes(item)?;
        let line = match kind {
            "function" => self.signatures.function(path, inner, predicates.to_vec())?,
            "assoc_const" => format!("const {path}: {}", self.type_of(inner)?),
            "assoc_type" => {
                let type_ = optional(inner, "type")?.map(|type_| self.signatures.type_(type_));
                let type_ = type_.transpose()?.map(|type_| format!(" = {type_}"));
                format!("type {}{}", self.bounded(path, inner)?, type_.unwrap_or_default())
            }
            other => bail!("unknown kind of associated item `{other}`"),
        };
        Ok(format!("{attributes}{line}"))
    }

    fn add_impl(&mut self, block: &Value) -> Result<()> {
        if flag(block, "is_synthetic")? || optional(block, "blanket_impl")?.is_some() {
            return Ok(());
        }
        let type_ = self.signatures.type_(get(block, "for")?)?;
        match optional(block, "trait")? {
            Some(trait_) => self.add_trait_impl(block, &type_, trait_),
            None => self.add_inherent_impl(block, &type_),
        }
    }

    fn add_inherent_impl(&mut self, block: &Value, type_: &str) -> Result<()> {
        let predicates = self.signatures.predicates(get(block, "generics")?)?;
        let owner = self.owner(get(block, "for")?)?.unwrap_or_else(|| type_.to_owned());
        for id in list(block, "items")? {
            let item = self.signatures.document.item(id)?;
            let path = format!("{type_}::{}", text(item, "name")?);
            let line = self.associated(&path, item, &predicates)?;
            self.add(&owner, Place::Inherent, format!("pub {line}"));
        }
        Ok(())
    }

    /// An implementation of a trait, and the types and constants that it chooses.
    fn add_trait_impl(&mut self, block: &Value, type_: &str, trait_: &Value) -> Result<()> {
        let owner = match self.owner(get(block, "for")?)? {
            Some(owner) => owner,
            None => self.signatures.name(trait_)?,
        };
        let path = self.signatures.path(trait_)?;
        let unsafety = if flag(block, "is_unsafe")? { "unsafe " } else { "" };
        let sign = if flag(block, "is_negative")? { "!" } else { "" };
        let (head, clause) = self.head("impl", block)?;
        let line = format!("{unsafety}{head} {sign}{path} for {type_}{clause}");
        self.add(&owner, Place::Implementation, line);
        for id in list(block, "items")? {
            let item = self.signatures.document.item(id)?;
            if inner(item)?.0 != "function" {
                let path = format!("<{type_} as {path}>::{}", text(item, "name")?);
                let line = self.associated(&path, item, &[])?;
                self.add(&owner, Place::Implementation, line);
            }
        }
        Ok(())
    }

    /// The path of the type of this library that a type is, or refers to.
    fn owner(&self, type_: &Value) -> Result<Option<String>> {
        match kind(type_)? {
            ("resolved_path", path) => {
                let is_local = self.signatures.document.local(get(path, "id")?)?.is_some();
                is_local.then(|| self.signatures.name(path)).transpose()
            }
            ("borrowed_ref", reference) => self.owner(get(reference, "type")?),
            _ => Ok(None),
        }
    }

    /// A name with its parameters, and the clause that is asked of them.
    fn head(&self, name: &str, item: &Value) -> Result<(String, String)> {
        let generics = get(item, "generics")?;
        let clause = where_clause(&self.signatures.where_predicates(generics)?);
        Ok((format!("{name}{}", self.signatures.params(generics)?), clause))
    }

    /// The same of a trait or a type that has to be of other traits.
    fn bounded(&self, name: &str, item: &Value) -> Result<String> {
        let (head, clause) = self.head(name, item)?;
        let bounds = self.signatures.bounds(list(item, "bounds")?)?;
        Ok(if bounds.is_empty() {
            format!("{head}{clause}")
        } else {
            format!("{head}: {bounds}{clause}")
        })
    }

    fn type_of(&self, item: &Value) -> Result<String> {
        self.signatures.type_(get(item, "type")?)
    }
}

/// What is shown where parts are private.
fn rest(is_stripped: bool) -> &'static str {
    if is_stripped { " { .. }" } else { "" }
}

/// Whether a trait has a body for a function of its own, so that implementations need none.
fn is_provided(item: &Value) -> Result<bool> {
    match inner(item)? {
        ("function", function) => flag(function, "has_body"),
        _ => Ok(false),
    }
}

/// Those attributes that bind users, before the item.
fn attributes(item: &Value) -> Result<String> {
    let mut attributes = String::new();
    if list(item, "attrs")?.iter().any(|attribute| attribute == "non_exhaustive") {
        attributes.push_str("#[non_exhaustive] ");
    }
    if optional(item, "deprecation")?.is_some() {
        attributes.push_str("#[deprecated] ");
    }
    Ok(attributes)
}
