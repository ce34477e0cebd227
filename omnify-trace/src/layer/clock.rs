//! The time of a line: RFC 3339, UTC, nanoseconds; the part up to the second is made once a second.

use std::{cell::Cell, sync::Arc, time::Duration};

use super::{json, wall};
use crate::schema::time::date_of_day;

/// `2026-11-21T09:10:11.123456789Z`
pub(crate) const STAMP_LENGTH: usize = 30;

/// Where the layer takes the time from.
#[derive(Clone, Default)]
pub enum Clock {
    /// The system's wall clock.
    #[default]
    System,
    /// Time since the Unix epoch as this function tells it: for tests.
    Custom(Arc<dyn Fn() -> Duration + Send + Sync>),
}

impl Clock {
    /// Time since the Unix epoch; a clock set before 1970 reads as 1970.
    #[inline]
    #[must_use]
    pub fn now(&self) -> Duration {
        match self {
            Self::System => wall::since_epoch(),
            Self::Custom(now) => now(),
        }
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Custom(_) => "Custom",
        })
    }
}

/// How a line begins.
pub(crate) const OPENED_TEXT: [u8; OPENED] = *b"{\"timestamp\":\"1970-01-01T00:00:00.000000000Z";
/// Where the time stamp begins.
pub(crate) const STAMP_AT: usize = OPENED - STAMP_LENGTH;
/// Length of a line's beginning with its time stamp.
pub(crate) const OPENED: usize = 14 + STAMP_LENGTH;

/// The last second written on this thread, ready as a line's beginning.
pub(crate) struct StampCache(Cell<(u64, [u8; OPENED])>);

impl StampCache {
    pub(crate) const fn new() -> Self {
        Self(Cell::new((0, OPENED_TEXT)))
    }

    /// Appends the time stamp without quotes.
    pub(crate) fn write(&self, out: &mut Vec<u8>, now: Duration) {
        out.extend_from_slice(&self.opened(now)[STAMP_AT..]);
    }

    /// Appends `{"timestamp":"` and the time stamp.
    #[inline]
    pub(crate) fn open(&self, out: &mut Vec<u8>, now: Duration) {
        out.extend_from_slice(&self.opened(now));
    }

    #[inline]
    fn opened(&self, now: Duration) -> [u8; OPENED] {
        let (second, mut opened) = self.0.get();
        if second != now.as_secs() {
            opened[STAMP_AT..STAMP_AT + 20].copy_from_slice(&civil(now.as_secs()));
            self.0.set((now.as_secs(), opened));
        }
        write_nanos(&mut opened, now.subsec_nanos());
        opened
    }
}

/// Writes the digits behind the second into a line that has been opened.
#[inline]
pub(super) fn write_nanos<const N: usize>(line: &mut [u8; N], nanos: u32) {
    const { assert!(N >= OPENED) };
    line[STAMP_AT + 20] = b'0' + (nanos / 100_000_000) as u8;
    line[STAMP_AT + 21..STAMP_AT + 29]
        .copy_from_slice(&json::eight(nanos % 100_000_000).to_le_bytes());
}

/// `YYYY-MM-DDThh:mm:ss.` of a Unix time.
pub(super) fn civil(seconds: u64) -> [u8; 20] {
    // The year 9999 is the last that RFC 3339 can write.
    let seconds = seconds.min(253_402_300_799);
    let (year, month, day) = date_of_day((seconds / 86_400).cast_signed());
    let time = seconds % 86_400;
    let mut text = *b"0000-00-00T00:00:00.";
    let mut put = |at: usize, value: u64| {
        text[at..at + 2].copy_from_slice(&json::eight(value as u32).to_le_bytes()[6..]);
    };
    put(0, year.cast_unsigned() / 100);
    put(2, year.cast_unsigned() % 100);
    put(5, month.cast_unsigned());
    put(8, day.cast_unsigned());
    put(11, time / 3600);
    put(14, time / 60 % 60);
    put(17, time % 60);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(seconds: u64, nanos: u32) -> String {
        let mut out = Vec::new();
        StampCache::new().write(&mut out, Duration::new(seconds, nanos));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn stamps_are_rfc_3339() {
        assert_eq!(stamp(0, 0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(stamp(951_782_400, 1), "2000-02-29T00:00:00.000000001Z");
        assert_eq!(
            stamp(1_709_251_199, 999_999_999),
            "2024-02-29T23:59:59.999999999Z"
        );
        assert_eq!(
            stamp(1_795_252_211, 123_456_789),
            "2026-11-21T09:10:11.123456789Z"
        );
        assert_eq!(stamp(u64::MAX, 0), "9999-12-31T23:59:59.000000000Z");
    }
}
