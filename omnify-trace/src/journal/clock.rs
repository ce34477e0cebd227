//! Wall-clock times as the journal's own lines and file names show them.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use super::options::Rotation;
use crate::schema::time::date_of_day;

/// A moment in UTC, split into what a calendar shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    seconds: u64,
    nanoseconds: u32,
}

impl Moment {
    pub(super) fn now() -> Self {
        Self::from(SystemTime::now())
    }

    /// The number of the period that this moment lies in; it grows with time.
    pub(super) fn period(self, rotation: Rotation) -> u64 {
        match rotation {
            Rotation::Never => 0,
            Rotation::Hourly => self.seconds / 3_600,
            Rotation::Daily => self.seconds / 86_400,
        }
    }

    /// `20261121T091011Z`: for file names, and sorting as time does.
    pub(super) fn compact(self) -> String {
        let (year, month, day) = self.date();
        let (hour, minute, second) = self.time();
        format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
    }

    fn date(self) -> (i64, i64, i64) {
        date_of_day((self.seconds / 86_400).cast_signed())
    }

    fn time(self) -> (u64, u64, u64) {
        let of_day = self.seconds % 86_400;
        (of_day / 3_600, of_day / 60 % 60, of_day % 60)
    }
}

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            seconds: since.as_secs(),
            nanoseconds: since.subsec_nanos(),
        }
    }
}

/// RFC 3339 with nanoseconds.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let (hour, minute, second) = self.time();
        let ns = self.nanoseconds;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ns:09}Z"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn known_moments() {
        let at = |seconds| Moment::from(UNIX_EPOCH + Duration::new(seconds, 42));
        assert_eq!(at(0).to_string(), "1970-01-01T00:00:00.000000042Z");
        assert_eq!(
            at(951_782_400).to_string(),
            "2000-02-29T00:00:00.000000042Z"
        );
        assert_eq!(at(1_795_252_211).compact(), "20261121T091011Z");
        assert_eq!(
            at(4_102_444_799).to_string(),
            "2099-12-31T23:59:59.000000042Z"
        );
        assert!(at(86_400).period(Rotation::Daily) == at(86_399).period(Rotation::Daily) + 1);
    }
}
