//! The version in the root manifest: that of the workspace, and those of its crates as dependencies.

use anyhow::{Context, Result, ensure};

use super::version::Version;

/// The version of the workspace.
pub(super) fn version(manifest: &str) -> Result<Version> {
    let mut versions = manifest.lines().skip_while(|line| *line != "[workspace.package]");
    let line = versions.find_map(|line| line.strip_prefix("version = "));
    line.context("`Cargo.toml` has no version of the workspace")?.trim_matches('"').parse()
}

/// The manifest with another version in the place of that one.
pub(super) fn bump(manifest: &str, version: Version) -> Result<String> {
    let old = format!("version = \"{}\"", self::version(manifest)?);
    let new = format!("version = \"{version}\"");
    let mut bumped = String::with_capacity(manifest.len());
    let mut table = "";
    for line in manifest.lines() {
        if line.starts_with('[') {
            table = line;
        }
        let is_crate = table == "[workspace.dependencies]" && line.contains("path = \"");
        ensure!(!is_crate || line.contains(&old), "expected {old} in `{line}`");
        match is_crate || table == "[workspace.package]" {
            true => bumped.push_str(&line.replace(&old, &new)),
            false => bumped.push_str(line),
        }
        bumped.push('\n');
    }
    Ok(bumped)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "\
[workspace.package]
version = \"0.1.0\"
rust-version = \"1.95\"

[workspace.dependencies]
a = { path = \"crates/a\", version = \"0.1.0\" }
other = { version = \"0.1.0\" }
";

    #[test]
    fn the_workspace_and_its_crates_get_the_version() {
        let bumped = bump(BEFORE, "0.2.0".parse().expect("a version")).expect("all have versions");
        let expected = BEFORE
            .replace("]\nversion = \"0.1.0\"", "]\nversion = \"0.2.0\"")
            .replace("a\", version = \"0.1.0\"", "a\", version = \"0.2.0\"");
        assert_eq!(bumped, expected);
        assert_eq!(bumped.matches("0.2.0").count(), 2);
    }

    #[test]
    fn a_crate_of_another_version_is_an_error() {
        let manifest = BEFORE.replace("a\", version = \"0.1.0\"", "a\", version = \"0.1\"");
        let error = bump(&manifest, "0.2.0".parse().expect("a version")).expect_err("0.1 stays");
        let expected =
            "expected version = \"0.1.0\" in `a = { path = \"crates/a\", version = \"0.1\" }`";
        assert_eq!(error.to_string(), expected);
        let error = version("[package]\nversion = \"0.1.0\"").expect_err("no workspace");
        assert_eq!(error.to_string(), "`Cargo.toml` has no version of the workspace");
    }
}
