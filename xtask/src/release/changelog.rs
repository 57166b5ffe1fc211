//! What changed since the last release becomes what changed in this one.

use anyhow::{Context, Result};

use super::version::Version;

const UNRELEASED: &str = "## Unreleased\n";

/// Whether nothing has changed since the last release, as far as users are told.
pub(super) fn is_empty(text: &str) -> bool {
    let rest = text.split_once(UNRELEASED).map_or("", |(_, rest)| rest);
    let changes = rest.split("\n## ").next().unwrap_or(rest);
    !changes.lines().any(|line| line.starts_with("- "))
}

/// The changelog with an empty *Unreleased* before what was there.
pub(super) fn cut(text: &str, version: Version, date: &str) -> Result<String> {
    let (before, rest) =
        text.split_once(UNRELEASED).context("`CHANGELOG.md` has no heading `## Unreleased`")?;
    Ok(format!("{before}{UNRELEASED}\n## {version} - {date}\n{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let version = "0.2.0".parse().expect("a version");
        let found = cut(text, version, "2026-01-02").map_err(|error| error.to_string());
        assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned), "{text}");
    }

    #[test]
    fn what_is_unreleased_gets_a_version() {
        let expected =
            "# Changes\n\n## Unreleased\n\n## 0.2.0 - 2026-01-02\n\n- a\n\n## 0.1.0\n\n- b\n";
        check("# Changes\n\n## Unreleased\n\n- a\n\n## 0.1.0\n\n- b\n", Ok(expected));
    }

    #[test]
    fn a_changelog_has_a_heading_for_it() {
        check("## 0.1.0\n\n- b\n", Err("`CHANGELOG.md` has no heading `## Unreleased`"));
    }

    #[test]
    fn only_what_is_unreleased_counts() {
        assert!(!is_empty("## Unreleased\n\n### Added\n\n- a\n"));
        assert!(is_empty("## Unreleased\n\n## 0.1.0\n\n- b\n"));
        assert!(is_empty("## Unreleased\n"));
    }
}
