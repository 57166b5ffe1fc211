//! Types, bounds and functions as text, every name with its whole path.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::document::{Document, elements, flag, get, kind, list, optional, string, text};
use super::items::Names;

/// Writes what one library says of types.
pub(super) struct Signatures<'a> {
    pub(super) document: &'a Document,
    pub(super) names: &'a Names,
}

impl Signatures<'_> {
    /// A function after its `pub`, by the name that it is given here; further predicates are those of
    /// what it stands in.
    pub(super) fn function(
        &self,
        name: &str,
        function: &Value,
        mut predicates: Vec<String>,
    ) -> Result<String> {
        let generics = get(function, "generics")?;
        predicates.extend(self.where_predicates(generics)?);
        let (qualifiers, params) = (qualifiers(get(function, "header")?)?, self.params(generics)?);
        let signature = self.signature(get(function, "sig")?)?;
        Ok(format!("{qualifiers}fn {name}{params}{signature}{}", where_clause(&predicates)))
    }

    /// Parameters and what is returned.
    fn signature(&self, signature: &Value) -> Result<String> {
        let mut inputs = Vec::new();
        for input in list(signature, "inputs")? {
            let [name, type_] = elements(input)? else {
                bail!("expected a name and a type, found {input}");
            };
            inputs.push(self.input(string(name)?, type_)?);
        }
        if flag(signature, "is_c_variadic")? {
            inputs.push("...".to_owned());
        }
        Ok(format!("({}){}", inputs.join(", "), self.output(signature)?))
    }

    fn output(&self, signature: &Value) -> Result<String> {
        let output = optional(signature, "output")?.map(|output| self.type_(output)).transpose()?;
        Ok(output.map(|output| format!(" -> {output}")).unwrap_or_default())
    }

    fn input(&self, name: &str, type_: &Value) -> Result<String> {
        let text = self.type_(type_)?;
        Ok(match (name, text.strip_suffix("Self")) {
            ("self", Some(begin)) if begin.is_empty() || begin.starts_with('&') => {
                format!("{begin}self")
            }
            // Those of a type of functions.
            ("" | "_", _) => text,
            _ => format!("{name}: {text}"),
        })
    }

    pub(super) fn type_(&self, type_: &Value) -> Result<String> {
        let (kind, inner) = kind(type_)?;
        Ok(match kind {
            "resolved_path" => self.path(inner)?,
            "dyn_trait" => self.dyn_trait(inner)?,
            "primitive" if inner == "never" => "!".to_owned(),
            "generic" | "primitive" => string(inner)?.to_owned(),
            "function_pointer" => self.function_pointer(inner)?,
            "tuple" => tuple(&self.each(elements(inner)?, Self::type_)?),
            "slice" => format!("[{}]", self.type_(inner)?),
            "array" => {
                format!("[{}; {}]", self.type_(get(inner, "type")?)?, text(inner, "len")?)
            }
            "impl_trait" => format!("impl {}", self.bounds(elements(inner)?)?),
            "infer" => "_".to_owned(),
            "raw_pointer" => {
                let word = if flag(inner, "is_mutable")? { "mut" } else { "const" };
                format!("*{word} {}", self.pointed_to(inner)?)
            }
            "borrowed_ref" => {
                let lifetime = optional(inner, "lifetime")?.map(string).transpose()?;
                let lifetime = lifetime.map(|name| format!("{name} ")).unwrap_or_default();
                let word = if flag(inner, "is_mutable")? { "mut " } else { "" };
                format!("&{lifetime}{word}{}", self.pointed_to(inner)?)
            }
            "qualified_path" => self.qualified_path(inner)?,
            other => bail!("unknown kind of type `{other}`"),
        })
    }

    /// Several bounds need parentheses after `&` and `*`.
    fn pointed_to(&self, pointer: &Value) -> Result<String> {
        let type_ = get(pointer, "type")?;
        let text = self.type_(type_)?;
        let has_bounds = ["dyn_trait", "impl_trait"].contains(&kind(type_)?.0);
        Ok(if has_bounds && text.contains(" + ") { format!("({text})") } else { text })
    }

    /// A type or a trait, with its arguments.
    pub(super) fn path(&self, path: &Value) -> Result<String> {
        Ok(format!("{}{}", self.name(path)?, self.arguments(optional(path, "args")?)?))
    }

    /// A type or a trait, without its arguments.
    pub(super) fn name(&self, path: &Value) -> Result<String> {
        let definition = self.document.definition(get(path, "id")?);
        let definition = definition.with_context(|| format!("`{}`", path["path"]))?;
        Ok(self.names.get(&definition).cloned().unwrap_or(definition))
    }

    fn arguments(&self, arguments: Option<&Value>) -> Result<String> {
        let Some(arguments) = arguments else { return Ok(String::new()) };
        let (kind, inner) = kind(arguments)?;
        Ok(match kind {
            "angle_bracketed" => {
                let mut texts = self.each(list(inner, "args")?, Self::argument)?;
                texts.extend(self.each(list(inner, "constraints")?, Self::constraint)?);
                bracketed(&texts)
            }
            "parenthesized" => {
                let inputs = self.each(list(inner, "inputs")?, Self::type_)?;
                format!("({}){}", inputs.join(", "), self.output(inner)?)
            }
            other => bail!("unknown kind of arguments `{other}`"),
        })
    }

    fn argument(&self, argument: &Value) -> Result<String> {
        match kind(argument)? {
            ("lifetime", name) => Ok(string(name)?.to_owned()),
            ("type", type_) => self.type_(type_),
            ("const", constant) => Ok(text(constant, "expr")?.to_owned()),
            ("infer", _) => Ok("_".to_owned()),
            (other, _) => bail!("unknown kind of argument `{other}`"),
        }
    }

    /// What is said of an associated type: `Item = u16`.
    fn constraint(&self, constraint: &Value) -> Result<String> {
        let arguments = self.arguments(optional(constraint, "args")?)?;
        let name = format!("{}{arguments}", text(constraint, "name")?);
        match kind(get(constraint, "binding")?)? {
            ("equality", term) => Ok(format!("{name} = {}", self.term(term)?)),
            ("constraint", bounds) => Ok(format!("{name}: {}", self.bounds(elements(bounds)?)?)),
            (other, _) => bail!("unknown kind of constraint `{other}`"),
        }
    }

    fn term(&self, term: &Value) -> Result<String> {
        match kind(term)? {
            ("type", type_) => self.type_(type_),
            ("constant", constant) => Ok(text(constant, "expr")?.to_owned()),
            (other, _) => bail!("unknown kind of term `{other}`"),
        }
    }

    fn dyn_trait(&self, dyn_trait: &Value) -> Result<String> {
        let mut bounds = self.each(list(dyn_trait, "traits")?, Self::bound_trait)?;
        bounds.extend(optional(dyn_trait, "lifetime")?.map(string).transpose()?.map(str::to_owned));
        Ok(format!("dyn {}", bounds.join(" + ")))
    }

    /// A trait with the lifetimes that it holds for.
    fn bound_trait(&self, bound: &Value) -> Result<String> {
        let lifetimes = self.for_lifetimes(bound)?;
        Ok(format!("{lifetimes}{}", self.path(get(bound, "trait")?)?))
    }

    fn for_lifetimes(&self, bound: &Value) -> Result<String> {
        let names = self.each(list(bound, "generic_params")?, Self::param)?;
        Ok(if names.is_empty() { String::new() } else { format!("for{} ", bracketed(&names)) })
    }

    fn function_pointer(&self, pointer: &Value) -> Result<String> {
        let qualifiers = qualifiers(get(pointer, "header")?)?;
        let signature = self.signature(get(pointer, "sig")?)?;
        Ok(format!("{}{qualifiers}fn{signature}", self.for_lifetimes(pointer)?))
    }

    fn qualified_path(&self, path: &Value) -> Result<String> {
        let type_ = self.type_(get(path, "self_type")?)?;
        let trait_ = optional(path, "trait")?.map(|trait_| self.path(trait_)).transpose()?;
        let arguments = self.arguments(optional(path, "args")?)?;
        let name = text(path, "name")?;
        Ok(match trait_ {
            Some(trait_) => format!("<{type_} as {trait_}>::{name}{arguments}"),
            None => format!("{type_}::{name}{arguments}"),
        })
    }

    pub(super) fn bounds(&self, bounds: &[Value]) -> Result<String> {
        Ok(self.each(bounds, Self::bound)?.join(" + "))
    }

    fn bound(&self, bound: &Value) -> Result<String> {
        match kind(bound)? {
            ("trait_bound", bound) => {
                let sign = match text(bound, "modifier")? {
                    "none" => "",
                    "maybe" => "?",
                    other => bail!("unknown modifier `{other}` of a bound"),
                };
                Ok(format!("{sign}{}", self.bound_trait(bound)?))
            }
            ("outlives", lifetime) => Ok(string(lifetime)?.to_owned()),
            ("use", names) => Ok(format!("use{}", bracketed(&captured(elements(names)?)?))),
            (other, _) => bail!("unknown kind of bound `{other}`"),
        }
    }

    /// What stands in angle brackets after a name that is defined.
    pub(super) fn params(&self, generics: &Value) -> Result<String> {
        let mut params = Vec::new();
        for param in list(generics, "params")? {
            // That of an `impl` in the place of a type.
            let is_shown = match kind(get(param, "kind")?)? {
                ("type", type_) => !flag(type_, "is_synthetic")?,
                _ => true,
            };
            if is_shown {
                params.push(self.param(param)?);
            }
        }
        Ok(bracketed(&params))
    }

    fn param(&self, param: &Value) -> Result<String> {
        let name = text(param, "name")?;
        let (kind, inner) = kind(get(param, "kind")?)?;
        let default = match (kind, inner.get("default").filter(|default| !default.is_null())) {
            (_, None) => String::new(),
            ("type", Some(type_)) => format!(" = {}", self.type_(type_)?),
            (_, Some(value)) => format!(" = {}", string(value)?),
        };
        let bounds = self.bounds_of_param(kind, inner)?;
        Ok(match (kind, bounds.is_empty()) {
            ("const", _) => format!("const {name}: {bounds}{default}"),
            (_, true) => format!("{name}{default}"),
            (_, false) => format!("{name}: {bounds}{default}"),
        })
    }

    /// What stands behind the colon of a parameter.
    fn bounds_of_param(&self, kind: &str, inner: &Value) -> Result<String> {
        match kind {
            "lifetime" => Ok(strings(list(inner, "outlives")?)?.join(" + ")),
            "type" => self.bounds(list(inner, "bounds")?),
            "const" => self.type_(get(inner, "type")?),
            other => bail!("unknown kind of parameter `{other}`"),
        }
    }

    /// All that is asked of parameters, as predicates: also what stands beside their names.
    pub(super) fn predicates(&self, generics: &Value) -> Result<Vec<String>> {
        let mut predicates = Vec::new();
        for param in list(generics, "params")? {
            let text = self.param(param)?;
            if text.contains(": ") {
                predicates.push(text);
            }
        }
        predicates.extend(self.where_predicates(generics)?);
        Ok(predicates)
    }

    pub(super) fn where_predicates(&self, generics: &Value) -> Result<Vec<String>> {
        self.each(list(generics, "where_predicates")?, Self::predicate)
    }

    fn predicate(&self, predicate: &Value) -> Result<String> {
        match kind(predicate)? {
            ("bound_predicate", bound) => {
                let type_ = self.type_(get(bound, "type")?)?;
                let bounds = self.bounds(list(bound, "bounds")?)?;
                Ok(format!("{}{type_}: {bounds}", self.for_lifetimes(bound)?))
            }
            ("lifetime_predicate", bound) => {
                let outlives = strings(list(bound, "outlives")?)?.join(" + ");
                Ok(format!("{}: {outlives}", text(bound, "lifetime")?))
            }
            (other, _) => bail!("unknown kind of predicate `{other}`"),
        }
    }

    /// Each of several, as text.
    pub(super) fn each(
        &self,
        values: &[Value],
        text: impl Fn(&Self, &Value) -> Result<String>,
    ) -> Result<Vec<String>> {
        values.iter().map(|value| text(self, value)).collect()
    }
}

/// A clause with a space before it, unless it says nothing.
pub(super) fn where_clause(predicates: &[String]) -> String {
    if predicates.is_empty() {
        return String::new();
    }
    format!(" where {}", predicates.join(", "))
}

fn bracketed(texts: &[String]) -> String {
    if texts.is_empty() { String::new() } else { format!("<{}>", texts.join(", ")) }
}

fn tuple(types: &[String]) -> String {
    match types {
        [only] => format!("({only},)"),
        _ => format!("({})", types.join(", ")),
    }
}

fn strings(values: &[Value]) -> Result<Vec<&str>> {
    values.iter().map(string).collect()
}

fn captured(names: &[Value]) -> Result<Vec<String>> {
    names.iter().map(|name| Ok(string(kind(name)?.1)?.to_owned())).collect()
}

/// What stands before `fn`.
fn qualifiers(header: &Value) -> Result<String> {
    let mut words = String::new();
    for (key, word) in [("is_const", "const "), ("is_async", "async "), ("is_unsafe", "unsafe ")] {
        if flag(header, key)? {
            words.push_str(word);
        }
    }
    match kind(get(header, "abi")?)? {
        ("Rust", _) => Ok(words),
        ("Other", name) => Ok(format!("{words}extern {name} ")),
        (name, abi) => {
            let unwind = if flag(abi, "unwind")? { "-unwind" } else { "" };
            Ok(format!("{words}extern \"{name}{unwind}\" "))
        }
    }
}
