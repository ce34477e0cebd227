//! A session: one person's visit. It ends after 30 idle minutes and lasts 4 hours at most.

use alloc::vec::Vec;

use crate::{ids::Ids, json, scan};

/// A pause of this length ends a session, in milliseconds.
const IDLE_MS: f64 = 30.0 * 60_000.0;
/// The longest session, in milliseconds.
const LONGEST_MS: f64 = 4.0 * 3_600_000.0;

/// The current session.
pub(crate) struct Session {
    id: Vec<u8>,
    started: f64,
    seen: f64,
}

impl Session {
    /// Begins a session.
    pub(crate) fn begin(ids: &mut Ids, now: f64) -> Self {
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

    /// Goes on with the session that another tab or an earlier page stored as [`state`](Self::state),
    /// if that is alive and not behind this one. Tells whether it did.
    pub(crate) fn adopt(&mut self, stored: &str, now: f64) -> bool {
        let Some(other) = Self::parse(stored) else {
            return false;
        };
        // A session that has just begun here gives way to any other.
        let adopted = other.alive(now) && (other.seen >= self.seen || self.seen == self.started);
        if adopted {
            *self = other;
        }
        adopted
    }

    /// The id.
    pub(crate) fn id(&self) -> &[u8] {
        &self.id
    }

    /// Whether this session is among the logged share.
    pub(crate) fn sampled(&self, rate: f64) -> bool {
        let head = self.id.get(..8).and_then(scan::hex).unwrap_or(0);
        (head as f64) < rate * 4_294_967_296.0
    }

    /// What the browser stores: `id started seen`.
    pub(crate) fn state(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        out.extend_from_slice(&self.id);
        out.push(b' ');
        json::integer(&mut out, self.started as u64);
        out.push(b' ');
        json::integer(&mut out, self.seen as u64);
        out
    }

    fn alive(&self, now: f64) -> bool {
        // A clock that was set back must not keep a session for ever.
        now - self.seen < IDLE_MS && now - self.started < LONGEST_MS && now + IDLE_MS > self.started
    }

    fn parse(stored: &str) -> Option<Self> {
        let mut parts = scan::split(stored, b' ');
        let id = parts.next()?;
        if id.len() != 32 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        Some(Self {
            id: id.as_bytes().to_vec(),
            started: scan::integer(parts.next()?.as_bytes())? as f64,
            seen: scan::integer(parts.next()?.as_bytes())? as f64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: f64 = 60_000.0;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn thirty_idle_minutes_end_a_session() {
        let mut ids = Ids::new(&[1; 32]);
        let mut session = Session::begin(&mut ids, 0.0);
        let first = session.id().to_vec();
        assert!(!session.touch(&mut ids, 29.0 * MINUTE));
        assert!(!session.touch(&mut ids, 58.0 * MINUTE));
        assert_eq!(session.id(), first);
        assert!(session.touch(&mut ids, 88.0 * MINUTE));
        assert_ne!(session.id(), first);
    }

    #[test]
    fn four_hours_end_a_busy_session() {
        let mut ids = Ids::new(&[1; 32]);
        let mut session = Session::begin(&mut ids, 0.0);
        let began = (1..=13)
            .map(|turn| session.touch(&mut ids, f64::from(turn) * 20.0 * MINUTE))
            .position(|began| began);
        assert_eq!(began, Some(11), "the turn at 240 minutes");
    }

    #[test]
    fn a_stored_session_goes_on_and_nonsense_does_not() {
        let mut ids = Ids::new(&[1; 32]);
        let stored = Session::begin(&mut ids, 1_000.0);
        let mut next = Session::begin(&mut ids, 2_000.0);
        assert!(next.adopt(&text(stored.state()), 2_000.0));
        assert_eq!(next.id(), stored.id());
        for nonsense in [
            "",
            "x",
            "id 1 2",
            "\u{0}",
            "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz 1 2",
        ] {
            assert!(!next.adopt(nonsense, 2_000.0), "{nonsense}");
        }
        let mut late = Session::begin(&mut ids, 40.0 * MINUTE);
        assert!(
            !late.adopt(&text(stored.state()), 40.0 * MINUTE),
            "it had ended"
        );
    }

    #[test]
    fn a_session_that_is_used_does_not_fall_back_to_an_older_one() {
        let mut ids = Ids::new(&[1; 32]);
        let older = Session::begin(&mut ids, 1_000.0);
        let mut used = Session::begin(&mut ids, 2_000.0);
        used.touch(&mut ids, 3_000.0);
        assert!(!used.adopt(&text(older.state()), 4_000.0));
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
