//! What the watchdog keeps of one operation.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::kind::WaitKind;
use super::learned::Learned;
use super::starved::{Crowd, Starved};

/// How many events an operation remembers for its stuck report, and how much of each.
const REMEMBERED: usize = 4;
const TIMESTAMP: usize = 30;
const TEXT: usize = 96;

/// Times are those of [`clock`](super::clock).
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) opened: u64,
    pub(crate) learned: Option<&'static Learned>,
    /// Whether the budget was given, not learned or assumed.
    pub(crate) given: bool,
    pub(crate) budget: u64,
    /// When it is to be reported next.
    pub(crate) deadline: AtomicU64,
    pub(crate) reports: AtomicU32,
    /// Waits for a person inside it, and the time that past ones took.
    ended: AtomicBool,
    excused: AtomicBool,
    humans: AtomicU32,
    paused: AtomicU64,
    /// Odd while its code runs on a thread.
    polls: AtomicU32,
    seen_polls: AtomicU32,
    seen_since: AtomicU64,
    starved: Starved,
    wait: AtomicU8,
    recent: Mutex<Recent>,
}

#[derive(Debug, Default)]
struct Recent {
    entries: Vec<Entry>,
    next: usize,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    timestamp: [u8; TIMESTAMP],
    text: [u8; TEXT],
    length: u8,
}

impl Watch {
    /// Its time begins.
    pub(super) fn begin(
        &mut self,
        opened: u64,
        budget: u64,
        given: bool,
        learned: Option<&'static Learned>,
    ) {
        self.opened = opened;
        self.budget = budget;
        self.given = given;
        self.learned = learned;
        *self.deadline.get_mut() = opened.saturating_add(budget);
    }

    /// Nothing is known any more; the memory for the last events is kept.
    pub(super) fn forget(&mut self) {
        let mut events = std::mem::take(self.recent.get_mut());
        events.entries.clear();
        events.next = 0;
        *self = Self {
            recent: Mutex::new(events),
            ..Self::default()
        };
    }

    pub(crate) fn wait_kind(&self) -> WaitKind {
        WaitKind::from_u8(self.wait.load(Ordering::Relaxed))
    }

    /// Sets what it waits for, and gives what it waited for before.
    pub(crate) fn set_wait_kind(&self, kind: WaitKind) -> WaitKind {
        WaitKind::from_u8(self.wait.swap(kind as u8, Ordering::Relaxed))
    }

    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Its poll takes long for a reason of ours: a backtrace is being read.
    pub(crate) fn excuse(&self) {
        self.excused.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    pub(crate) fn human_begins(&self) {
        self.humans.fetch_add(1, Ordering::Relaxed);
    }

    /// The time that a person took is no time of the operation's.
    pub(crate) fn human_ends(&self, took: u64) {
        self.humans.fetch_sub(1, Ordering::Relaxed);
        self.paused.fetch_add(took, Ordering::Relaxed);
        self.deadline.fetch_add(took, Ordering::Relaxed);
    }

    pub(crate) fn waits_for_human(&self) -> bool {
        self.humans.load(Ordering::Relaxed) > 0
    }

    /// Whether a person was ever waited for: such a duration teaches nothing.
    pub(crate) fn was_paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed) > 0
    }

    /// How long it has been at work, without the time that people took.
    pub(crate) fn age(&self, now: u64) -> Duration {
        let paused = self.paused.load(Ordering::Relaxed);
        Duration::from_nanos(now.saturating_sub(self.opened).saturating_sub(paused))
    }

    pub(crate) fn overdue(&self, now: u64) -> bool {
        self.deadline.load(Ordering::Relaxed) <= now && !self.waits_for_human()
    }

    /// The next report comes at twice this age.
    pub(crate) fn reported(&self, now: u64) {
        self.reports.fetch_add(1, Ordering::Relaxed);
        let age = now.saturating_sub(self.opened);
        self.deadline
            .store(now.saturating_add(age), Ordering::Relaxed);
    }

    pub(crate) fn poll_begins(&self) {
        self.starved.here();
        self.polls.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn poll_ends(&self) {
        self.polls.fetch_add(1, Ordering::Relaxed);
        self.excused.store(false, Ordering::Relaxed);
    }

    /// How long the same poll has been running, as far as regular visits can tell.
    pub(crate) fn polling_for(&self, now: u64) -> Option<u64> {
        let polls = self.polls.load(Ordering::Relaxed);
        if self.seen_polls.swap(polls, Ordering::Relaxed) != polls {
            self.seen_since.store(now, Ordering::Relaxed);
            self.starved.forget();
            return None;
        }
        (polls % 2 == 1 && !self.excused.load(Ordering::Relaxed))
            .then(|| now.saturating_sub(self.seen_since.load(Ordering::Relaxed)))
    }

    /// How much of that time its thread wanted to run and was not let.
    pub(crate) fn starved(&self, now: u64, crowd: &mut Crowd) -> u64 {
        self.starved.look(now, crowd)
    }

    /// Remembers an event: its time stamp and the beginning of its message, escaped for JSON.
    pub(crate) fn remember(&self, timestamp: &[u8], message: &[u8]) {
        let Some(mut recent) = self.recent.try_lock() else {
            return;
        };
        let mut entry = Entry {
            timestamp: [b' '; TIMESTAMP],
            text: [0; TEXT],
            length: 0,
        };
        let stamp = timestamp.len().min(TIMESTAMP);
        entry.timestamp[..stamp].copy_from_slice(&timestamp[..stamp]);
        let length = message.len().min(TEXT);
        entry.text[..length].copy_from_slice(&message[..length]);
        entry.length = length as u8;
        let at = recent.next % REMEMBERED;
        match recent.entries.get_mut(at) {
            Some(place) => *place = entry,
            None => recent.entries.push(entry),
        }
        recent.next = at + 1;
    }

    /// Time stamps and messages, in no order.
    pub(crate) fn remembered(&self) -> Vec<(String, String)> {
        let recent = self.recent.lock();
        recent.entries.iter().map(Entry::read).collect()
    }
}

impl Entry {
    fn read(&self) -> (String, String) {
        let timestamp = String::from_utf8_lossy(&self.timestamp)
            .trim_end()
            .to_owned();
        let mut escaped = &self.text[..usize::from(self.length)];
        // A cut may have gone through a character or an escape: at most twelve bytes of it.
        for _ in 0..12 {
            let quoted = [b"\"", escaped, b"\""].concat();
            if let Ok(text) = serde_json::from_slice(&quoted) {
                return (timestamp, text);
            }
            escaped = escaped.split_last().map_or(escaped, |(_, rest)| rest);
        }
        (timestamp, String::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_events_are_remembered_and_cut_between_characters() {
        let watch = Watch::default();
        for number in 0..7 {
            watch.remember(
                format!("t{number}").as_bytes(),
                format!("event {number}").as_bytes(),
            );
        }
        let mut remembered = watch.remembered();
        remembered.sort();
        let texts: Vec<_> = remembered.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["event 3", "event 4", "event 5", "event 6"]);
        let watch = Watch::default();
        watch.remember(b"t", format!("{}\\u00e9", "x".repeat(TEXT - 3)).as_bytes());
        watch.remember(b"t", format!("{}é", "x".repeat(TEXT - 1)).as_bytes());
        for (_, text) in watch.remembered() {
            assert!(text.starts_with("xxx") && text.len() < TEXT, "{text}");
        }
    }

    #[test]
    fn a_poll_that_ends_between_two_visits_is_a_new_one() {
        let watch = Watch::default();
        watch.poll_begins();
        assert_eq!(watch.polling_for(10), None);
        assert_eq!(watch.polling_for(15), Some(5));
        watch.poll_ends();
        assert_eq!(watch.polling_for(20), None);
        assert_eq!(watch.polling_for(25), None);
        watch.poll_begins();
        watch.poll_ends();
        watch.poll_begins();
        assert_eq!(watch.polling_for(30), None);
    }
}
