//! RFC 3339 to Unix nanoseconds and back, fast for the one form that our own lines have.

use omnify_trace::schema::time::date_of_day;

/// Nanoseconds per second.
pub(crate) const SECOND: i64 = 1_000_000_000;
/// Nanoseconds per minute.
pub(crate) const MINUTE: i64 = 60 * SECOND;

/// Reads `2026-11-21T09:10:11.123456789Z` and its relatives (any number of decimals up to
/// nine, a space for the `T`, an offset for the `Z`). Gives Unix nanoseconds and, if
/// [`write_rfc3339`] would write the same text again, the number of decimals.
#[must_use]
pub(crate) fn parse_rfc3339(text: &[u8]) -> Option<(i64, Option<u8>)> {
    let date = text.get(..19)?;
    if date[4] != b'-' || date[7] != b'-' || date[13] != b':' || date[16] != b':' {
        return None;
    }
    let year = i64::from(pair(date, 0)?) * 100 + i64::from(pair(date, 2)?);
    let (month, day) = (pair(date, 5)?, pair(date, 8)?);
    let (hour, minute, second) = (pair(date, 11)?, pair(date, 14)?, pair(date, 17)?);
    let separator = date[10];
    if !(1..=12).contains(&month)
        || day == 0
        || day > days_in_month(year, month)
        || hour > 23
        || minute > 59
        || second > 60
        || !matches!(separator, b'T' | b't' | b' ')
    {
        return None;
    }
    let (nanos, digits, rest) = fraction(&text[19..])?;
    let (offset, is_z) = zone(rest)?;
    let seconds = days_from_civil(year, month, day) * 86_400
        + i64::from(hour) * 3600
        + i64::from(minute) * 60
        + i64::from(second)
        - offset;
    let ns = seconds.checked_mul(SECOND)?.checked_add(nanos)?;
    let canonical = separator == b'T' && is_z && second < 60;
    Some((ns, canonical.then_some(digits)))
}

/// Writes UTC with so many decimals (at most nine).
pub(crate) fn write_rfc3339(out: &mut Vec<u8>, ns: i64, digits: u8) {
    let (seconds, nanos) = (ns.div_euclid(SECOND), ns.rem_euclid(SECOND));
    let (days, second_of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date_of_day(days);
    let mut text = *b"0000-00-00T00:00:00.000000000";
    two(&mut text, 0, year / 100);
    two(&mut text, 2, year % 100);
    two(&mut text, 5, month);
    two(&mut text, 8, day);
    two(&mut text, 11, second_of_day / 3600);
    two(&mut text, 14, second_of_day / 60 % 60);
    two(&mut text, 17, second_of_day % 60);
    let mut left = nanos;
    for place in (20..29).rev() {
        text[place] = b'0' + u8::try_from(left % 10).unwrap_or(0);
        left /= 10;
    }
    let length = match digits {
        0 => 19,
        n => 20 + usize::from(n.min(9)),
    };
    out.extend_from_slice(&text[..length]);
    out.push(b'Z');
}

fn two(text: &mut [u8], at: usize, value: i64) {
    text[at] = b'0' + u8::try_from(value / 10 % 10).unwrap_or(0);
    text[at + 1] = b'0' + u8::try_from(value % 10).unwrap_or(0);
}

fn pair(text: &[u8], at: usize) -> Option<u8> {
    let (a, b) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
    (a < 10 && b < 10).then(|| a * 10 + b)
}

/// The decimals: value in nanoseconds, their number, and what follows.
fn fraction(text: &[u8]) -> Option<(i64, u8, &[u8])> {
    let Some((b'.', decimals)) = text.split_first() else {
        return Some((0, 0, text));
    };
    let count = decimals.iter().take_while(|b| b.is_ascii_digit()).count();
    if count == 0 || count > 9 {
        return None;
    }
    let (digits, rest) = decimals.split_at(count);
    let padded = digits
        .iter()
        .copied()
        .chain(std::iter::repeat(b'0'))
        .take(9);
    let nanos = padded.fold(0, |nanos, digit| nanos * 10 + i64::from(digit - b'0'));
    Some((nanos, u8::try_from(count).ok()?, rest))
}

/// The offset in seconds, and whether it was written `Z`.
fn zone(text: &[u8]) -> Option<(i64, bool)> {
    match text {
        b"Z" => Some((0, true)),
        b"z" => Some((0, false)),
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let (hours, minutes) = match rest.len() {
                5 if rest[2] == b':' => (pair(rest, 0)?, pair(rest, 3)?),
                4 => (pair(rest, 0)?, pair(rest, 2)?),
                _ => return None,
            };
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = i64::from(hours) * 3600 + i64::from(minutes) * 60;
            Some((if *sign == b'-' { -seconds } else { seconds }, false))
        }
        _ => None,
    }
}

fn days_in_month(year: i64, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of the proleptic Gregorian calendar (Hinnant's algorithm).
fn days_from_civil(year: i64, month: u8, day: u8) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month = i64::from(month);
    let day_of_year =
        (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_the_forms_that_loggers_write() {
        let at = |text: &str| parse_rfc3339(text.as_bytes());
        assert_eq!(at("1970-01-01T00:00:00Z"), Some((0, Some(0))));
        assert_eq!(at("1970-01-01T00:00:01.5Z"), Some((1_500_000_000, Some(1))));
        assert_eq!(at("1970-01-01 01:00:00.000+01:00"), Some((0, None)));
        assert_eq!(at("1969-12-31T19:00:00-0500"), Some((0, None)));
        for wrong in [
            "",
            "1970-01-01",
            "1970-13-01T00:00:00Z",
            "1970-02-29T00:00:00Z",
            "1970-01-01T00:00:00",
            "1970-01-01T00:00:00.Z",
            "1970-01-01T24:00:00Z",
            "1970-01-01T\u{fffd}:00:00Z",
            "9999-12-31T23:59:59Z",
            "1970-01-01T00:00:00.1234567890Z",
        ] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(ns in 0..4_000_000_000_000_000_000i64, digits in 0u8..=9) {
            let unit = 10i64.pow(u32::from(9 - digits));
            let ns = ns / unit * unit;
            let mut text = Vec::new();
            write_rfc3339(&mut text, ns, digits);
            prop_assert_eq!(parse_rfc3339(&text), Some((ns, Some(digits))));
            let theirs: jiff::Timestamp = std::str::from_utf8(&text).unwrap().parse().unwrap();
            prop_assert_eq!(theirs.as_nanosecond(), i128::from(ns));
        }
    }
}
