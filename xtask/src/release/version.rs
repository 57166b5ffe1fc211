//! Numbers of versions, and days.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Error, Result, bail};

/// How much changes for users.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Level {
    /// The version as it is: a first release.
    First,
    Patch,
    Minor,
    Major,
}

impl FromStr for Level {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "first" => Self::First,
            "patch" => Self::Patch,
            "minor" => Self::Minor,
            "major" => Self::Major,
            _ => bail!("expected first, patch, minor or major, found `{text}`"),
        })
    }
}

/// A version of three numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Version([u64; 3]);

impl Version {
    pub(super) fn next(self, level: Level) -> Self {
        let Self([major, minor, patch]) = self;
        Self(match level {
            Level::First => self.0,
            Level::Patch => [major, minor, patch + 1],
            Level::Minor => [major, minor + 1, 0],
            Level::Major => [major + 1, 0, 0],
        })
    }

    pub(super) fn tag(self) -> String {
        format!("v{self}")
    }
}

impl FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let numbers: Result<Vec<u64>, _> = text.split('.').map(str::parse).collect();
        let numbers = numbers.ok().and_then(|numbers| numbers.try_into().ok());
        numbers
            .map(Self)
            .with_context(|| format!("expected a version such as 1.2.3, found `{text}`"))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([major, minor, patch]) = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

/// The day of a time, in seconds since 1970, as ISO 8601 has it; `civil_from_days` (Hinnant, 2013).
pub(super) fn date(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    // The year begins with March there.
    let (year, month) = match month {
        0..=9 => (era * 400 + year, month + 3),
        _ => (era * 400 + year + 1, month - 9),
    };
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_decides_the_next_version() {
        let check = |level, expected: &str| {
            let version: Version = "1.2.3".parse().expect("three numbers");
            assert_eq!(version.next(level).to_string(), expected);
        };
        check(Level::First, "1.2.3");
        check(Level::Patch, "1.2.4");
        check(Level::Minor, "1.3.0");
        check(Level::Major, "2.0.0");
    }

    #[test]
    fn other_texts_are_no_versions() {
        for text in ["", "1.2", "1.2.3.4", "1.2.x", "1.2.3-pre"] {
            let error = text.parse::<Version>().expect_err(text).to_string();
            assert_eq!(error, format!("expected a version such as 1.2.3, found `{text}`"));
        }
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        // From `date -u -d @SECONDS +%F`.
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(951_782_399), "2000-02-28");
        assert_eq!(date(951_782_400), "2000-02-29");
        assert_eq!(date(1_767_225_599), "2025-12-31");
        assert_eq!(date(1_767_225_600), "2026-01-01");
        assert_eq!(date(4_107_542_400), "2100-03-01");
    }
}
