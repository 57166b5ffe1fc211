//! Counts as people read them.

/// A count with what is counted, such as `1 page` and `2 pages`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alone_is_singular() {
        let check = |count, expected: &str| assert_eq!(counted(count, "page"), expected);
        check(0, "0 pages");
        check(1, "1 page");
        check(21, "21 pages");
    }
}
