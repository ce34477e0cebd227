//! A session: one person's visit. It ends after 30 idle minutes and lasts 4 hours at most.

use alloc::{borrow::ToOwned as _, string::String, vec::Vec};

use crate::{ids::Ids, json};

/// A pause of this length ends a session, in milliseconds.
const IDLE_MS: f64 = 30.0 * 60_000.0;
/// The longest session, in milliseconds.
const LONGEST_MS: f64 = 4.0 * 3_600_000.0;

/// The current session.
pub(crate) struct Session {
    id: String,
    started: f64,
    seen: f64,
}

impl Session {
    /// Goes on with the session that the browser stored as [`state`](Self::state), or begins one.
    /// The second value tells whether it began.
    pub(crate) fn resume(stored: &str, ids: &mut Ids, now: f64) -> (Self, bool) {
        match Self::parse(stored) {
            Some(session) if session.alive(now) => (session, false),
            _ => (Self::begin(ids, now), true),
        }
    }

    fn begin(ids: &mut Ids, now: f64) -> Self {
        Self {
            id: ids.long(),
            started: now,
            seen: now,
        }
    }

    /// Something happened. Tells whether a new session began by it.
    pub(crate) fn touch(&mut self, ids: &mut Ids, now: f64) -> bool {
        let began = !self.alive(now);
        if began {
            *self = Self::begin(ids, now);
        }
        self.seen = now;
        began
    }

    /// Another tab may have gone on with the session, or begun the next one.
    pub(crate) fn adopt(&mut self, stored: &str, now: f64) {
        if let Some(other) = Self::parse(stored) {
            if other.alive(now) && other.seen >= self.seen {
                *self = other;
            }
        }
    }

    /// The id.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Whether this session is among the logged share.
    pub(crate) fn sampled(&self, rate: f64) -> bool {
        let head = self.id.get(..8).unwrap_or("");
        let value = u32::from_str_radix(head, 16).unwrap_or(0);
        f64::from(value) < rate * 4_294_967_296.0
    }

    /// What the browser stores: `id started seen`.
    pub(crate) fn state(&self) -> String {
        let mut out = Vec::with_capacity(64);
        out.extend_from_slice(self.id.as_bytes());
        out.push(b' ');
        json::decimal(&mut out, self.started);
        out.push(b' ');
        json::decimal(&mut out, self.seen);
        String::from_utf8(out).unwrap_or_default()
    }

    fn alive(&self, now: f64) -> bool {
        // A clock that was set back must not keep a session for ever.
        now - self.seen < IDLE_MS && now - self.started < LONGEST_MS && now + IDLE_MS > self.started
    }

    fn parse(stored: &str) -> Option<Self> {
        let mut parts = stored.split(' ');
        let id = parts.next()?;
        if id.len() != 32 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut instant = || {
            let digits = parts.next()?.split('.').next()?;
            digits.parse::<u64>().ok().map(|ms| ms as f64)
        };
        Some(Self {
            id: id.to_owned(),
            started: instant()?,
            seen: instant()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: f64 = 60_000.0;

    #[test]
    fn thirty_idle_minutes_end_a_session() {
        let mut ids = Ids::new(&[1; 32]);
        let (mut session, began) = Session::resume("", &mut ids, 0.0);
        assert!(began);
        let first = session.id().to_owned();
        assert!(!session.touch(&mut ids, 29.0 * MINUTE));
        assert!(!session.touch(&mut ids, 58.0 * MINUTE));
        assert_eq!(session.id(), first);
        assert!(session.touch(&mut ids, 88.0 * MINUTE));
        assert_ne!(session.id(), first);
    }

    #[test]
    fn four_hours_end_a_busy_session() {
        let mut ids = Ids::new(&[1; 32]);
        let (mut session, _) = Session::resume("", &mut ids, 0.0);
        let began = (1..=13)
            .map(|turn| session.touch(&mut ids, f64::from(turn) * 20.0 * MINUTE))
            .position(|began| began);
        assert_eq!(began, Some(11), "the turn at 240 minutes");
    }

    #[test]
    fn a_stored_session_goes_on_and_nonsense_does_not() {
        let mut ids = Ids::new(&[1; 32]);
        let (session, _) = Session::resume("", &mut ids, 1_000.0);
        let stored = session.state();
        let (again, began) = Session::resume(&stored, &mut ids, 2_000.0);
        assert!(!began);
        assert_eq!(again.id(), session.id());
        for nonsense in [
            "x",
            "id 1 2",
            "\u{0}",
            "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz 1 2",
        ] {
            assert!(Session::resume(nonsense, &mut ids, 2_000.0).1, "{nonsense}");
        }
    }

    #[test]
    fn sampling_follows_the_id_and_the_rate() {
        let mut ids = Ids::new(&[9; 32]);
        let sessions: Vec<Session> = (0..4_000).map(|_| Session::begin(&mut ids, 0.0)).collect();
        let share = |rate| {
            sessions
                .iter()
                .filter(|session| session.sampled(rate))
                .count()
        };
        assert_eq!((share(0.0), share(1.0)), (0, 4_000));
        assert!((900..1_100).contains(&share(0.25)), "{}", share(0.25));
    }
}
