//! What decides whether a version has a flaw that is known.

use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};

use anyhow::{Context, Result, ensure};

/// What one file of the database says, without its prose.
#[derive(Debug, PartialEq)]
pub(super) struct Advisory {
    pub(super) id: String,
    pub(super) package: String,
    /// As `2026-10-09`.
    pub(super) date: String,
    url: Option<String>,
    /// The kind, such as `unsound`, where nobody was shown to be harmed.
    informational: Option<String>,
    /// When it was taken back.
    withdrawn: Option<String>,
    /// The names that others gave it.
    aliases: Vec<String>,
    /// The versions that are good, as cargo writes requirements.
    patched: Vec<String>,
    unaffected: Vec<String>,
}

/// The values of a field: one of a text, any number of a list.
type Fields<'a> = HashMap<(&'a str, &'a str), Vec<&'a str>>;

impl Advisory {
    /// Reads a file of the database: a block of TOML, then prose, which is left.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let block = text.strip_prefix("```toml\n").context("expected a block of TOML first")?;
        let (block, _) = block.split_once("\n```").context("the block of TOML has no end")?;
        let mut fields = fields(block)?;
        let mut list = |table, name| {
            let values = fields.remove(&(table, name));
            values.map(|values| values.into_iter().map(str::to_owned).collect::<Vec<_>>())
        };
        let mut text = |name| list("[advisory]", name).and_then(|values| values.into_iter().next());
        Ok(Self {
            id: text("id").context("expected an `id`")?,
            package: text("package").context("expected a `package`")?,
            date: text("date").context("expected a `date`")?,
            url: text("url"),
            informational: text("informational"),
            withdrawn: text("withdrawn"),
            aliases: list("[advisory]", "aliases").unwrap_or_default(),
            patched: list("[versions]", "patched")
                .context("expected versions that are `patched`")?,
            unaffected: list("[versions]", "unaffected").unwrap_or_default(),
        })
    }

    /// Where it lies, as seen from the database.
    pub(super) fn path(&self) -> String {
        format!("crates/{}/{}.md", self.package, self.id)
    }
}

/// The form in which it is committed, which [`Advisory::parse`] reads too.
impl Display for Advisory {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "```toml\n[advisory]")?;
        let required = [("id", &self.id), ("package", &self.package), ("date", &self.date)];
        let required = required.map(|(name, text)| (name, Some(text)));
        let optional = [
            ("url", &self.url),
            ("informational", &self.informational),
            ("withdrawn", &self.withdrawn),
        ];
        let optional = optional.map(|(name, text)| (name, text.as_ref()));
        for (name, text) in required.into_iter().chain(optional) {
            text.map_or(Ok(()), |text| writeln!(f, "{name} = \"{text}\""))?;
        }
        if !self.aliases.is_empty() {
            writeln!(f, "aliases = {:?}", self.aliases)?;
        }
        writeln!(f, "\n[versions]\npatched = {:?}", self.patched)?;
        if !self.unaffected.is_empty() {
            writeln!(f, "unaffected = {:?}", self.unaffected)?;
        }
        writeln!(f, "```\n\n# See https://rustsec.org/advisories/{}.html", self.id)
    }
}

/// The texts and lists of texts in as much of TOML as the database has, by table and name.
fn fields(block: &str) -> Result<Fields<'_>> {
    let (mut fields, mut table) = (HashMap::new(), "");
    let mut lines = block.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if line.starts_with('[') {
            table = line;
        } else if !line.is_empty() && !line.starts_with('#') {
            let (name, value) = line.split_once('=').with_context(|| no_field(line))?;
            let values = match value.trim_start().split_at_checked(1) {
                Some(("[", first)) => list(first, &mut lines)?,
                Some(("\"", rest)) => vec![rest.split_once('"').with_context(|| no_field(line))?.0],
                // What the rest of TOML knows is of no use here.
                _ => continue,
            };
            ensure!(fields.insert((table, name.trim()), values).is_none(), "`{line}` comes twice");
        }
    }
    Ok(fields)
}

/// The texts of a list, which goes on over lines.
fn list<'a>(first: &'a str, lines: &mut impl Iterator<Item = &'a str>) -> Result<Vec<&'a str>> {
    let (mut values, mut line) = (Vec::new(), first);
    loop {
        let end = line.find(['"', ']', '#']).unwrap_or(line.len());
        let (between, rest) = line.split_at(end);
        // Else a list without an end would take the texts of the next.
        let is_between = between.chars().all(|c| c == ',' || c.is_whitespace());
        ensure!(is_between, "expected texts in a list, found `{line}`");
        match rest.split_at_checked(1) {
            Some(("\"", rest)) => {
                let (value, rest) = rest.split_once('"').with_context(|| no_field(line))?;
                values.push(value);
                line = rest;
            }
            Some(("]", _)) => return Ok(values),
            _ => line = lines.next().with_context(|| format!("the list `{first}` has no end"))?,
        }
    }
}

fn no_field(line: &str) -> String {
    format!("expected a name and a text, found `{line}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
```toml
[advisory]
id = \"RUSTSEC-2026-0001\"
package = \"made-up\"
date = \"2026-10-09\"
#withdrawn = \"YYYY-MM-DD\"
url = \"https://example.org/issues/1#comment\"
cvss = \"CVSS:3.1/AV:L\"
informational = \"unsound\"
withdrawn = \"2026-10-10\" # it was none
aliases = [
    \"CVE-2026-0001\", # one
    \"GHSA-aaaa-bbbb-cccc\",
]
expect-deleted = true

[versions]
patched = [\">= 1.2.3, < 2.0.0\", \"^2.0.1\"]
unaffected = [\"< 1.0.0\"] # all of them

[affected]
os = [
    \"linux\",
]
functions = { \"made_up::f\" = [\"< 1.2.3\"] }

[affected.functions]
\"made_up::g\" = [\"< 1.2.3\"]
```

# It falls over

```toml
[advisory]
```
";

    const REDUCED: &str = "\
```toml
[advisory]
id = \"RUSTSEC-2026-0001\"
package = \"made-up\"
date = \"2026-10-09\"
url = \"https://example.org/issues/1#comment\"
informational = \"unsound\"
withdrawn = \"2026-10-10\"
aliases = [\"CVE-2026-0001\", \"GHSA-aaaa-bbbb-cccc\"]

[versions]
patched = [\">= 1.2.3, < 2.0.0\", \"^2.0.1\"]
unaffected = [\"< 1.0.0\"]
```

# See https://rustsec.org/advisories/RUSTSEC-2026-0001.html
";

    fn check(from: &str, to: &str, expected: Result<&str, &str>) {
        let text = FILE.replace(from, to);
        let found = Advisory::parse(&text).map_err(|error| error.to_string());
        let found = found.map(|advisory| advisory.to_string());
        assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned), "{to}");
    }

    #[test]
    fn what_decides_is_kept() {
        check("", "", Ok(REDUCED));
        assert_eq!(Advisory::parse(REDUCED).expect("it is one").to_string(), REDUCED);
        let (few, _) = REDUCED.split_once("url").expect("it has one");
        let few = format!("{few}\n[versions]\npatched = []\n```\n");
        let text = Advisory::parse(&few).expect("it is one").to_string();
        assert_eq!(text.split_once("\n#").map(|(block, _)| block), Some(few.as_str()));
    }

    #[test]
    fn what_lacks_is_named() {
        check("```toml", "", Err("expected a block of TOML first"));
        check("\n```", "", Err("the block of TOML has no end"));
        check("id =", "name =", Err("expected an `id`"));
        check("package =", "crate =", Err("expected a `package`"));
        check("[versions]", "[version]", Err("expected versions that are `patched`"));
        let next = "expected texts in a list, found `unaffected = [\"< 1.0.0\"] # all of them`";
        check("]\nunaffected", "\nunaffected", Err(next));
        let (open, _) = FILE.split_once("]\nunaffected").expect("it has some");
        let open = format!("{open}\n```\n");
        let end = "the list `\">= 1.2.3, < 2.0.0\", \"^2.0.1\"` has no end";
        check(FILE, &open, Err(end));
        check("date =", "id =", Err("`id = \"2026-10-09\"` comes twice"));
        check("\"2026-10-09\"", "\"2026", Err("expected a name and a text, found `date = \"2026`"));
        check("date =", "date", Err("expected a name and a text, found `date \"2026-10-09\"`"));
    }
}
