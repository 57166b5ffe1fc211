//! Moments as logs and people write them.

/// A moment in seconds since 1970 UTC: a day such as `2023-07-01`, or with a time such as
/// `2023-07-01T12:30`, `2023-07-01 12:30:05.25`, `2023-07-01T12:30:05Z` or
/// `2023-07-01T12:30:05+02:00`. Without an offset it is UTC. None where the text is no such moment.
///
/// ```
/// assert_eq!(gating_log::parse_time("1970-01-02 00:00:01.5"), Some(86_401.5));
/// ```
#[must_use]
pub fn parse_time(text: &str) -> Option<f64> {
    let (day, time) = match text.split_once(['T', ' ']) {
        Some((day, time)) => (day, time),
        None => (text, "00:00"),
    };
    let (time, offset) = match time.find(['Z', '+', '-']) {
        Some(at) => (&time[..at], offset(&time[at..])?),
        None => (time, 0.0),
    };
    Some(days(day)? * 86_400.0 + seconds(time)? - offset)
}

/// A moment as a number of seconds, or as [`parse_time`] reads it.
pub(crate) fn moment(text: &str) -> Option<f64> {
    finite(text).or_else(|| parse_time(text))
}

/// A number that is neither infinite nor none.
pub(crate) fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A number of exactly so many digits, or as many as there are.
fn number(text: &str, digits: usize, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_number)?;
    range.contains(&number).then_some(number)
}

/// Days since 1970 of a date of the Gregorian calendar.
fn days(text: &str) -> Option<f64> {
    let mut parts = text.splitn(3, '-');
    let year = i64::from(number(parts.next()?, 4, 1..=9999)?);
    let month = i64::from(number(parts.next()?, 2, 1..=12)?);
    let day = number(parts.next()?, 2, 1..=31)?;
    let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let length = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if day > length {
        return None;
    }
    // Years that begin in March have the odd day of February at their end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5;
    const MARCH_OF_YEAR_0_TO_1970: i64 = 719_468;
    Some((before + i64::from(day) - 1 - MARCH_OF_YEAR_0_TO_1970) as f64)
}

/// Seconds of `12:30`, `12:30:05` or `12:30:05.25`.
fn seconds(text: &str) -> Option<f64> {
    let mut parts = text.splitn(3, ':');
    let hours = number(parts.next()?, 2, 0..=23)?;
    let minutes = number(parts.next()?, 2, 0..=59)?;
    let whole = f64::from(hours * 3600 + minutes * 60);
    let Some(rest) = parts.next() else { return Some(whole) };
    let (seconds, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
    let seconds = number(seconds, 2, 0..=60)?;
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let fraction: f64 = format!("0.{fraction}").parse().ok().filter(|_| is_fraction)?;
    Some(whole + f64::from(seconds) + fraction)
}

/// Seconds east of UTC of `Z`, `+02:00` or `-0330`.
fn offset(text: &str) -> Option<f64> {
    if text == "Z" {
        return Some(0.0);
    }
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    let digits: String = text[1..].split(':').collect();
    let (hours, minutes) = digits.split_at_checked(2)?;
    let hours = number(hours, 2, 0..=23)?;
    let minutes = if minutes.is_empty() { 0 } else { number(minutes, 2, 0..=59)? };
    Some(sign * f64::from(hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<f64>) {
        assert_eq!(parse_time(text), expected, "{text}");
    }

    /// The expected numbers are those of `date -u -d TEXT +%s`.
    #[test]
    fn moments_are_seconds() {
        check("1970-01-01", Some(0.0));
        check("2000-02-29", Some(951_782_400.0));
        check("2000-03-01", Some(951_868_800.0));
        check("1969-12-31", Some(-86_400.0));
        check("2023-07-01", Some(1_688_169_600.0));
        check("2023-07-01T12:30", Some(1_688_214_600.0));
        check("2023-07-01 12:30:05.25", Some(1_688_214_605.25));
        check("2023-07-01T12:30:05Z", Some(1_688_214_605.0));
        check("2023-07-01T12:30:05+02:00", Some(1_688_207_405.0));
        check("2023-07-01 12:30:05-0330", Some(1_688_227_205.0));
        check("2023-07-01 12:30:05.123456+00:00", Some(1_688_214_605.123_456));
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for text in [
            "",
            "2023",
            "2023-7-1",
            "2023-02-29",
            "2023-13-01",
            "2023-07-01T",
            "2023-07-01T25:00",
            "2023-07-01T12",
            "2023-07-01T12:30:5",
            "2023-07-01T12:30:05.",
            "2023-07-01T12:30+x",
            "2023-07-01T12:30:05.1x",
            "tomorrow",
            "5000",
            "+",
            "2023-07-01T12:30+€",
        ] {
            check(text, None);
        }
    }
}
