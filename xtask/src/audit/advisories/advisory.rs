//! What decides whether a version has a flaw that is known.

use std::fmt::{self, Display, Formatter};

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

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

impl Advisory {
    /// Reads a file of the database: a block of TOML, then prose, which is left.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let block = text.strip_prefix("```toml\n").context("expected a block of TOML first")?;
        let (block, _) = block.split_once("\n```").context("the block of TOML has no end")?;
        let block: Table = block.parse().context("the first block is no TOML")?;
        let text = |name| field(&block, "advisory", name).map(text_of).transpose();
        let list = |table, name| field(&block, table, name).map(list_of).transpose();
        Ok(Self {
            id: text("id")?.context("expected an `id`")?,
            package: text("package")?.context("expected a `package`")?,
            date: text("date")?.context("expected a `date`")?,
            url: text("url")?,
            informational: text("informational")?,
            withdrawn: text("withdrawn")?,
            aliases: list("advisory", "aliases")?.unwrap_or_default(),
            patched: list("versions", "patched")?
                .context("expected versions that are `patched`")?,
            unaffected: list("versions", "unaffected")?.unwrap_or_default(),
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
            text.map_or(Ok(()), |text| writeln!(f, "{name} = {}", Value::from(text.as_str())))?;
        }
        if !self.aliases.is_empty() {
            writeln!(f, "aliases = {}", Value::from(self.aliases.clone()))?;
        }
        writeln!(f, "\n[versions]\npatched = {}", Value::from(self.patched.clone()))?;
        if !self.unaffected.is_empty() {
            writeln!(f, "unaffected = {}", Value::from(self.unaffected.clone()))?;
        }
        writeln!(f, "```\n\n# See https://rustsec.org/advisories/{}.html", self.id)
    }
}

fn field<'a>(block: &'a Table, table: &str, name: &str) -> Option<&'a Value> {
    block.get(table)?.get(name)
}

fn text_of(value: &Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        other => bail!("expected a text, found `{other}`"),
    }
}

fn list_of(value: &Value) -> Result<Vec<String>> {
    match value {
        Value::Array(values) => values.iter().map(text_of).collect(),
        other => bail!("expected a list of texts, found `{other}`"),
    }
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
        let toml = Err("the first block is no TOML");
        check("]\nunaffected", "\nunaffected", toml);
        check("date =", "id =", toml);
        check("\"2026-10-09\"", "\"2026", toml);
        check("date =", "date", toml);
        check("\"2026-10-09\"", "2026", Err("expected a text, found `2026`"));
        check("\"CVE-2026-0001\"", "7", Err("expected a text, found `7`"));
        check("[\"< 1.0.0\"]", "\"none\"", Err("expected a list of texts, found `\"none\"`"));
    }
}
