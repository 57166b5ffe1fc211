//! What stands in the cells of tables, and the tables.

use super::statistics::Spread;

/// In place of a number that nobody took.
pub(super) const MISSING: &str = "not measured";

/// How many targets were met and missed so far.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    pub(super) met: usize,
    pub(super) missed: usize,
}

impl Verdicts {
    /// A target as it stands in a cell, with the verdict.
    pub(super) fn judge(&mut self, target: &str, is_met: bool) -> String {
        *(if is_met { &mut self.met } else { &mut self.missed }) += 1;
        format!("{target}, {}", if is_met { "met" } else { "missed" })
    }

    /// Both in a sentence.
    pub(super) fn summary(&self) -> String {
        format!("Targets met: {} of {}.", self.met, self.met + self.missed)
    }
}

/// To the digits that targets have.
pub(super) fn rounded(ratio: f64) -> f64 {
    (ratio * 100.0).round() / 100.0
}

/// A ratio, and where its middle half lies.
pub(super) fn ratio(spread: Option<Spread>) -> String {
    spread.map_or(MISSING.to_owned(), |Spread { lower, median, upper }| {
        format!("{median:.2} ({lower:.2} to {upper:.2})")
    })
}

/// Three digits, or more before the point.
pub(super) fn significant(value: f64) -> String {
    match value {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// A Markdown table; a sentence in place of one without rows.
pub(super) fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let rows: Vec<String> = rows.into_iter().map(|cells| line(&cells)).collect();
    if rows.is_empty() {
        return "Nothing of this was measured.".to_owned();
    }
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let rule = format!("|{}", "---|".repeat(head.len()));
    [vec![line(&head), rule], rows].concat().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_shown() {
        let check = |value: f64, expected: &str| assert_eq!(significant(value), expected);
        check(0.0456, "0.046");
        check(1.234, "1.23");
        check(12.34, "12.3");
        check(1234.5, "1234");
    }

    #[test]
    fn a_table_has_rows_or_says_so() {
        let rows = vec![vec!["1".to_owned(), "2".to_owned()]];
        assert_eq!(table(&["a", "b"], rows), "| a | b |\n|---|---|\n| 1 | 2 |");
        assert_eq!(table(&["a", "b"], Vec::new()), "Nothing of this was measured.");
    }
}
