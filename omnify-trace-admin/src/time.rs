//! Unix nanoseconds, which the store speaks, and RFC 3339, which people and the API speak.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// One second in nanoseconds.
pub(crate) const SECOND: i64 = 1_000_000_000;
/// One minute in nanoseconds.
pub(crate) const MINUTE: i64 = 60 * SECOND;
/// One hour in nanoseconds.
pub(crate) const HOUR: i64 = 60 * MINUTE;
/// One day in nanoseconds.
pub(crate) const DAY: i64 = 24 * HOUR;

/// The present, Unix nanoseconds.
pub(crate) fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
        })
}

/// RFC 3339 UTC, to the microsecond at most; the year 1970 for what cannot be said.
pub(crate) fn rfc3339(nanoseconds: i64) -> String {
    Timestamp::from_nanosecond(i128::from(nanoseconds))
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_string()
}

/// Unix nanoseconds of an RFC 3339 time with an offset, or of Unix milliseconds in digits.
pub(crate) fn parse(text: &str) -> Option<i64> {
    if let Ok(milliseconds) = text.parse::<i64>() {
        return milliseconds.checked_mul(1_000_000);
    }
    // A `+` of an offset that was not percent-encoded arrives as a space.
    let text = text.trim().replace(' ', "+");
    let time: Timestamp = text.parse().ok()?;
    i64::try_from(time.as_nanosecond()).ok()
}

/// Nanoseconds of `5m`, `24h`, `7d`, `30s`; at most ten years.
pub(crate) fn parse_span(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        's' => SECOND,
        'm' => MINUTE,
        'h' => HOUR,
        'd' => DAY,
        _ => return None,
    };
    let number: i64 = text.get(..text.len() - 1)?.parse().ok()?;
    (number > 0)
        .then(|| number.checked_mul(unit))
        .flatten()
        .filter(|span| *span <= 3660 * DAY)
}

/// Milliseconds, a number, of nanoseconds.
#[expect(
    clippy::cast_precision_loss,
    reason = "durations stay far below 2^53 microseconds"
)]
pub(crate) fn milliseconds(nanoseconds: i64) -> f64 {
    (nanoseconds / 1_000) as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_each_documented_form() {
        let expected = 1_700_000_000_123_000_000;
        assert_eq!(parse("1700000000123"), Some(expected));
        assert_eq!(parse("2023-11-14T22:13:20.123Z"), Some(expected));
        assert_eq!(parse("2023-11-14T23:13:20.123 01:00"), Some(expected));
        assert_eq!(parse("yesterday"), None);
        assert_eq!(rfc3339(expected), "2023-11-14T22:13:20.123Z");
    }

    #[test]
    fn spans_are_positive_and_bounded() {
        assert_eq!(parse_span("5m"), Some(5 * MINUTE));
        assert_eq!(parse_span("7d"), Some(7 * DAY));
        for bad in [
            "",
            "h",
            "-1h",
            "0s",
            "5 m",
            "99999999999d",
            "1ñ",
            "9223372036854775807d",
        ] {
            assert_eq!(parse_span(bad), None, "{bad}");
        }
    }
}
