//! What differs between two lists of lines.

use std::collections::HashSet;

/// The lines that only one of two texts has, with `-` before those of the old one and `+` before
/// those of the new one, in the order of the texts.
pub(super) fn lines(old: &str, new: &str) -> Vec<String> {
    let (is_old, is_new): (HashSet<&str>, HashSet<&str>) =
        (old.lines().collect(), new.lines().collect());
    let mut different = Vec::new();
    let mut new = new.lines().peekable();
    for old in old.lines() {
        if is_new.contains(old) {
            while let Some(added) = new.next_if(|line| !is_old.contains(line)) {
                different.push(format!("+ {added}"));
            }
        }
        // One that both have may stand elsewhere or be there twice.
        if new.next_if_eq(&old).is_none() {
            different.push(format!("- {old}"));
        }
    }
    different.extend(new.map(|added| format!("+ {added}")));
    different
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(old: &str, new: &str, expected: &[&str]) {
        let words =
            |text: &str| text.split(' ').map(|word| format!("{word}\n")).collect::<String>();
        assert_eq!(lines(&words(old), &words(new)), expected, "{old} -> {new}");
    }

    #[test]
    fn what_only_one_has_is_told() {
        check("a b c", "a b c", &[]);
        check("a b c", "a c", &["- b"]);
        check("a c", "a b c", &["+ b"]);
        check("a b c", "a d c e", &["- b", "+ d", "+ e"]);
        check("b", "a b", &["+ a"]);
    }

    #[test]
    fn an_order_and_a_number_differ_too() {
        check("a b", "b a", &["- a", "+ a"]);
        check("a a b", "a b", &["- a"]);
        check("a b", "a b b", &["+ b"]);
    }

    #[test]
    fn line_ends_do_not_differ() {
        assert_eq!(lines("a\r\nb\r\n", "a\nb\n"), Vec::<String>::new());
    }

    #[test]
    fn nothing_is_all_new() {
        assert_eq!(lines("", "a\n"), ["+ a"]);
        assert_eq!(lines("a\n", ""), ["- a"]);
    }
}
