//! What a page shows, held against what a command prints.

/// Stands in a page for what is left out: any lines where it is a line, any text within one.
const LEFT_OUT: &str = "...";

/// How far a number with a point may be from the one that a page shows, in its last place: the
/// instructions of other processors add in another order.
const TOLERANCE: f64 = 2.0;

/// The first difference, if any. Runs of spaces are alike.
pub(super) fn difference(shown: &str, printed: &str) -> Option<String> {
    let mut printed = printed.trim_end().lines();
    let mut is_left_out = false;
    for line in shown.trim_end().lines() {
        if line.trim() == LEFT_OUT {
            is_left_out = true;
            continue;
        }
        let found = if is_left_out { printed.find(|it| alike(line, it)) } else { printed.next() };
        is_left_out = false;
        match found {
            Some(found) if alike(line, found) => {}
            Some(found) => return Some(format!("shows {line:?}, prints {found:?}")),
            None => return Some(format!("shows {line:?}, prints no such line")),
        }
    }
    let further = printed.next().filter(|_| !is_left_out)?;
    Some(format!("prints {further:?} besides"))
}

fn alike(shown: &str, printed: &str) -> bool {
    if let Some(rest) = shown.strip_prefix(LEFT_OUT) {
        let starts = printed.char_indices().map(|(start, _)| start).chain([printed.len()]);
        return starts.into_iter().any(|start| alike(rest, &printed[start..]));
    }
    if let (Some((one, shown)), Some((other, printed))) = (number(shown), number(printed)) {
        return is_close(one, other) && alike(shown, printed);
    }
    let (mut shown, mut printed) = (shown.chars(), printed.chars());
    match (shown.next(), printed.next()) {
        (None, None) => true,
        (Some(' '), Some(' ')) => {
            alike(shown.as_str().trim_start_matches(' '), printed.as_str().trim_start_matches(' '))
        }
        (one, other) => one == other && alike(shown.as_str(), printed.as_str()),
    }
}

/// A number at the beginning, such as `0.12` and `3e-5`, and what is behind it. One whose last digits are
/// left out is text.
fn number(text: &str) -> Option<(&str, &str)> {
    let whole = digits(text);
    if whole == 0 {
        return None;
    }
    let fraction = text[whole..].strip_prefix('.').map_or(0, digits);
    let mantissa = if fraction == 0 { whole } else { whole + 1 + fraction };
    let sign = |text: &str| usize::from(text.starts_with(['+', '-']));
    let exponent = text[mantissa..].strip_prefix('e').map_or(0, |rest| {
        let sign = sign(rest);
        match digits(&rest[sign..]) {
            0 => 0,
            count => 1 + sign + count,
        }
    });
    Some(text.split_at(mantissa + exponent)).filter(|(_, rest)| !rest.starts_with(LEFT_OUT))
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn is_close(shown: &str, printed: &str) -> bool {
    shown == printed
        || last_place(shown).zip(value(shown)).zip(value(printed)).is_some_and(
            // Half a place more, since decimal numbers are rounded to binary ones.
            |((place, shown), printed)| (shown - printed).abs() < (TOLERANCE + 0.5) * place,
        )
}

fn value(number: &str) -> Option<f64> {
    number.parse().ok()
}

/// What one in the last place of a number with a point is worth.
fn last_place(number: &str) -> Option<f64> {
    let (mantissa, exponent) = number.split_once('e').unwrap_or((number, "0"));
    let (_, fraction) = mantissa.split_once('.')?;
    let exponent: i32 = exponent.parse().ok()?;
    Some(10_f64.powi(exponent - i32::try_from(fraction.len()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(shown: &str, printed: &str, expected: Option<&str>) {
        assert_eq!(difference(shown, printed).as_deref(), expected, "{shown:?} and {printed:?}");
    }

    #[test]
    fn lines_are_compared_in_their_order() {
        check("a\nb\n", "a\nb\n", None);
        check("a\nb\n", "a\nc\n", Some("shows \"b\", prints \"c\""));
        check("a\nb\n", "a\n", Some("shows \"b\", prints no such line"));
        check("a\n", "a\nb\n", Some("prints \"b\" besides"));
        check("a   b\n", "a b\n", None);
        check("ab\n", "a b\n", Some("shows \"ab\", prints \"a b\""));
    }

    #[test]
    fn dots_leave_out_lines_and_text() {
        check("...\nb\nc\n", "a\na\nb\nc\n", None);
        check("a\n...\n", "a\nb\nc\n", None);
        check("a\n...\n", "a\n", None);
        check("...\nb\n", "a\nc\n", Some("shows \"b\", prints no such line"));
        check("loss 2.98...e-2 over\n", "loss 2.9808022e-2 over\n", None);
        check("a ... s, b\n", "a 0.71 s, b\n", None);
        check("in ...\n", "in\n", Some("shows \"in ...\", prints \"in\""));
        check("1, ...\n", "1, ...\n", None);
    }

    #[test]
    fn the_last_place_of_a_number_may_be_off() {
        check("loss 0.771", "loss 0.773", None);
        check("loss 0.771", "loss 0.774", Some("shows \"loss 0.771\", prints \"loss 0.774\""));
        check("2.44e-5 of", "2.45e-5 of", None);
        check("2.44e-5", "2.44e-6", Some("shows \"2.44e-5\", prints \"2.44e-6\""));
        check("0.999", "1.000", None);
        check("uid 3", "uid 4", Some("shows \"uid 3\", prints \"uid 4\""));
        check("6d8e5b.", "6d8e5b.", None);
    }
}
