//! A browser's clock, set right.

use jiff::{SignedDuration, Timestamp};

/// A skew below this is the network's, not the clock's.
const NOTICEABLE: SignedDuration = SignedDuration::from_secs(5);
/// A line may lie in a browser's offline queue this long.
const OLDEST: SignedDuration = SignedDuration::from_hours(7 * 24);

/// When a batch arrived, and how wrong its clock is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    pub(super) at: Timestamp,
    /// To be added to the browser's times.
    pub(super) skew: SignedDuration,
}

impl Arrival {
    /// `sent_at` is the browser's clock at the moment of sending.
    pub(super) fn new(at: Timestamp, sent_at: Option<&str>) -> Self {
        let sent_at = sent_at.and_then(|text| text.parse::<Timestamp>().ok());
        let skew = sent_at.map_or(SignedDuration::ZERO, |sent| at.duration_since(sent));
        Self {
            at,
            skew: if skew.abs() < NOTICEABLE {
                SignedDuration::ZERO
            } else {
                skew
            },
        }
    }

    /// The line's time by our clock, and whether it is not what the browser said.
    pub(super) fn correct(&self, said: Option<Timestamp>) -> (Timestamp, bool) {
        let Some(said) = said else {
            return (self.at, true);
        };
        let corrected = said.checked_add(self.skew).unwrap_or(self.at);
        let plausible = corrected <= self.at + NOTICEABLE && corrected >= self.at - OLDEST;
        if plausible {
            (corrected.min(self.at), corrected != said)
        } else {
            (self.at, true)
        }
    }
}

/// RFC 3339, UTC, nine digits: as every line has it.
pub(super) fn rfc3339(at: Timestamp) -> String {
    format!("{at:.9}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_corrected_by_the_skew_and_never_in_the_future() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-11-21T10:00:00Z");
        let cases = [
            (
                "right clock",
                Some("2026-11-21T09:59:59Z"),
                "2026-11-21T09:59:58Z",
                "2026-11-21T09:59:58Z",
                false,
            ),
            (
                "an hour ahead",
                Some("2026-11-21T11:00:00Z"),
                "2026-11-21T10:59:50Z",
                "2026-11-21T09:59:50Z",
                true,
            ),
            (
                "a day behind",
                Some("2026-11-20T10:00:00Z"),
                "2026-11-20T09:59:00Z",
                "2026-11-21T09:59:00Z",
                true,
            ),
            (
                "no sent_at, in the future",
                None,
                "2027-01-01T00:00:00Z",
                "2026-11-21T10:00:00Z",
                true,
            ),
            (
                "offline for three days",
                None,
                "2026-11-18T10:00:00Z",
                "2026-11-18T10:00:00Z",
                false,
            ),
            (
                "older than a week",
                None,
                "2026-11-01T10:00:00Z",
                "2026-11-21T10:00:00Z",
                true,
            ),
        ];
        for (case, sent, said, expected, changed) in cases {
            let arrival = Arrival::new(now, sent);
            assert_eq!(
                arrival.correct(Some(at(said))),
                (at(expected), changed),
                "{case}"
            );
        }
        assert_eq!(Arrival::new(now, Some("junk")).correct(None), (now, true));
        assert_eq!(rfc3339(now), "2026-11-21T10:00:00.000000000Z");
    }
}
