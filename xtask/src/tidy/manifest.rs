//! What members inherit from the root manifest, and how dependencies are written.

use anyhow::Result;

use super::Violation;
use crate::{files, workspace};

/// What every member takes from the workspace, by table and key.
const INHERITED: [(&str, &str); 6] = [
    ("package", "version"),
    ("package", "edition"),
    ("package", "rust-version"),
    ("package", "license"),
    ("package", "repository"),
    ("lints", "workspace"),
];

/// The lines of a `Cargo.toml`, read as far as the rules need.
pub(super) struct Manifest {
    /// As seen from the root folder.
    pub(super) path: String,
    entries: Vec<Entry>,
}

/// One `key = value`.
pub(super) struct Entry {
    pub(super) line: usize,
    pub(super) table: String,
    key: String,
    value: String,
}

impl Manifest {
    pub(super) fn read(path: &str) -> Result<Self> {
        Ok(Self::parse(path, &files::read_text(&workspace::root().join(path))?))
    }

    pub(super) fn parse(path: &str, text: &str) -> Self {
        let mut table = String::new();
        let mut entries: Vec<Entry> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = without_comment(line);
            if let Some(entry) = entries.last_mut().filter(|entry| entry.is_open()) {
                entry.value.push_str(line);
            } else if line.starts_with('[') {
                line.trim_matches(['[', ']']).clone_into(&mut table);
            } else if let Some((key, value)) = line.split_once('=') {
                let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
                entries.push(Entry { line: index + 1, table: table.clone(), key, value });
            }
        }
        Self { path: path.to_owned(), entries }
    }

    /// The dependencies of every kind.
    pub(super) fn dependencies(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.is_dependency())
    }
}

impl Entry {
    /// What the key is about: `burn` in `burn.workspace = true`.
    pub(super) fn name(&self) -> &str {
        self.key.split_once('.').map_or(&self.key, |(name, _)| name)
    }

    /// Whether it is a crate of this workspace.
    pub(super) fn has_path(&self) -> bool {
        self.value.contains("path =")
    }

    fn is_dependency(&self) -> bool {
        let kind = self.table.rsplit('.').next();
        kind.is_some_and(|kind| kind == "dependencies" || kind.ends_with("-dependencies"))
    }

    fn is_inherited(&self) -> bool {
        let by_key = self.key.rsplit('.').next() == Some("workspace") && self.value == "true";
        by_key || self.value.contains("workspace = true")
    }

    /// Whether its list or table goes on in the next line.
    fn is_open(&self) -> bool {
        let opened = self.value.matches(['[', '{']).count();
        opened > self.value.matches([']', '}']).count()
    }
}

fn without_comment(line: &str) -> &str {
    let mut is_quoted = false;
    let comment = line.find(|letter| {
        is_quoted ^= letter == '"';
        letter == '#' && !is_quoted
    });
    line[..comment.unwrap_or(line.len())].trim()
}

/// What a member writes itself where the workspace has it, and dependencies out of order.
pub(super) fn check(manifest: &Manifest) -> Vec<Violation> {
    [not_inherited, not_of_workspace, in_own_table, unsorted]
        .iter()
        .flat_map(|rule| rule(manifest))
        .collect()
}

fn not_inherited(manifest: &Manifest) -> Vec<Violation> {
    let violation = |(table, name): (&str, &str)| {
        let mut entries = manifest.entries.iter();
        let entry = entries.find(|entry| entry.table == table && entry.name() == name);
        let line = match entry {
            Some(entry) if entry.is_inherited() => return None,
            Some(entry) => entry.line,
            None => 1,
        };
        let message = format!("`{name}` of [{table}] is not inherited from the workspace");
        Some(Violation::new(&manifest.path, line, message))
    };
    INHERITED.into_iter().filter_map(violation).collect()
}

fn not_of_workspace(manifest: &Manifest) -> Vec<Violation> {
    let own = manifest.dependencies().filter(|entry| !entry.is_inherited());
    let violation = |entry: &Entry| {
        let message = format!("`{}` is not taken by `workspace = true`", entry.name());
        Violation::new(&manifest.path, entry.line, message)
    };
    own.map(violation).collect()
}

/// Dependencies in the form `[dependencies.name]`, which the other rules would not see.
fn in_own_table(manifest: &Manifest) -> Vec<Violation> {
    let own = manifest.entries.iter().filter(|entry| entry.table.contains("dependencies."));
    let violation = |entry: &Entry| {
        let message = format!("[{}] is a table, expected one line", entry.table);
        Violation::new(&manifest.path, entry.line, message)
    };
    own.map(violation).collect()
}

/// Dependencies that stand behind a later one; crates of the workspace come first.
pub(super) fn unsorted(manifest: &Manifest) -> Vec<Violation> {
    let order = |entry: &&Entry| (!entry.has_path(), entry.name().to_owned());
    let dependencies: Vec<&Entry> = manifest.dependencies().collect();
    let pairs = dependencies.windows(2).filter(|pair| pair[0].table == pair[1].table);
    let violation = |pair: &[&Entry]| {
        let message = format!("`{}` stands behind `{}`", pair[1].name(), pair[0].name());
        Violation::new(&manifest.path, pair[1].line, message)
    };
    pairs.filter(|pair| order(&pair[0]) > order(&pair[1])).map(violation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INHERITS: &str = "\
        [package]\nname = \"a\"\nversion.workspace = true\nedition = { workspace = true }\n\
        rust-version.workspace = true\nlicense.workspace = true # MIT\n\
        repository.workspace = true\n[lints]\nworkspace = true\n";

    /// Writes the violations of a member whose manifest goes on with these lines, from line 1 on.
    fn check(lines: &str, expected: &[&str]) {
        let found = super::check(&Manifest::parse("m", &format!("{INHERITS}{lines}")));
        let offset = INHERITS.lines().count();
        let found = found.iter().map(|found| format!("{}: {}", found.line - offset, found.message));
        assert_eq!(found.collect::<Vec<_>>(), expected, "{lines}");
    }

    #[test]
    fn dependencies_come_from_the_workspace() {
        check("", &[]);
        check("[dependencies]\nburn.workspace = true", &[]);
        check("[dependencies]\nburn = { workspace = true, features = [\"flex\"] }", &[]);
        check(
            "[dependencies]\nburn = {\n  # why\n  workspace = true\n}\nrand.workspace = true",
            &[],
        );
        check("[features]\nflex = [\"burn/flex\"]", &[]);
        let own = "2: `burn` is not taken by `workspace = true`";
        check("[dependencies]\nburn = \"1\"", &[own]);
        check("[dev-dependencies]\nburn = { version = \"1\" } # workspace = true", &[own]);
        check("[target.'cfg(unix)'.dependencies]\nburn = \"1\"", &[own]);
        let table = "2: [dependencies.burn] is a table, expected one line";
        check("[dependencies.burn]\nworkspace = true", &[table]);
    }

    #[test]
    fn dependencies_are_sorted() {
        check("[dependencies]\na.workspace = true\nb.workspace = true", &[]);
        check("[dependencies]\nb.workspace = true\n[dev-dependencies]\na.workspace = true", &[]);
        let behind = "3: `a` stands behind `b`";
        check("[dependencies]\nb.workspace = true\na.workspace = true", &[behind]);
        let root = "[workspace.dependencies]\nz = { path = \"z\" }\n\na = \"1\"\nb-c = \"1\"";
        assert_eq!(unsorted(&Manifest::parse("m", root)), []);
    }

    #[test]
    fn what_is_not_inherited_is_named() {
        let text = INHERITS.replace("edition = { workspace = true }", "edition = \"2024\"");
        let text = text.replace("[lints]\nworkspace = true", "");
        let found = super::check(&Manifest::parse("m", &text));
        let edition = "`edition` of [package] is not inherited from the workspace";
        let lints = "`workspace` of [lints] is not inherited from the workspace";
        let expected = [Violation::new("m", 4, edition), Violation::new("m", 1, lints)];
        assert_eq!(found, expected);
    }
}
