//! Counts as people read them.

use std::fmt::Display;

/// A count with what is counted, such as `1 uid` and `2 uids`.
pub(crate) fn counted<N: Display + From<u8> + PartialEq>(count: &N, noun: &str) -> String {
    let ending = if *count == N::from(1) { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alone_is_singular() {
        let check = |count: usize, expected: &str| assert_eq!(counted(&count, "uid"), expected);
        check(0, "0 uids");
        check(1, "1 uid");
        check(2, "2 uids");
        check(21, "21 uids");
    }
}
