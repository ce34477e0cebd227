//! Holding back what is said over and over.

use std::{
    hash::{DefaultHasher, Hasher as _},
    sync::OnceLock,
    thread::{self, Thread},
    time::Duration,
};

use parking_lot::Mutex;
use tracing_core::Metadata;

const SLOTS: usize = 512;
/// Counts whose slot was taken by another message, until they are told.
const PENDING: usize = 64;

/// Holds back equal messages of one callsite: so many in a window are written; the next one after
/// it says how many were not, as `repeated`.
///
/// Events with an event type are never held back: they are counted by those who read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Duplicates {
    window: Duration,
    allowed: u32,
}

impl Duplicates {
    /// Writes five equal messages per window of this length.
    pub fn new(window: Duration) -> Self {
        Self { window, allowed: 5 }
    }

    /// How many equal messages a window has. Defaults to 5.
    pub fn allowed(mut self, allowed: u32) -> Self {
        self.allowed = allowed.max(1);
        self
    }
}

/// What was held back and not told of yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) target: &'static str,
    pub(crate) text: String,
    pub(crate) count: u64,
}

#[derive(Default)]
struct Slot {
    hash: u64,
    since: Duration,
    seen: u32,
    suppressed: u64,
    /// The teller saw `suppressed` of this window already.
    seen_by_teller: bool,
    target: &'static str,
    text: String,
}

impl Slot {
    fn take(&mut self) -> Pending {
        Pending {
            target: self.target,
            text: std::mem::take(&mut self.text),
            count: std::mem::take(&mut self.suppressed),
        }
    }
}

/// The messages of late.
pub(crate) struct Table {
    rule: Duplicates,
    slots: Box<[Mutex<Slot>]>,
    pending: Mutex<Vec<Pending>>,
    /// Who is woken when something is held back.
    teller: OnceLock<Thread>,
}

impl Table {
    pub(crate) fn new(rule: Duplicates) -> Self {
        Self {
            rule,
            slots: (0..SLOTS).map(|_| Mutex::default()).collect(),
            pending: Mutex::default(),
            teller: OnceLock::new(),
        }
    }

    /// How long a window is.
    pub(crate) fn window(&self) -> Duration {
        self.rule.window
    }

    /// This thread is woken from now on when something is held back.
    pub(crate) fn tell_me(&self) {
        let _ = self.teller.set(thread::current());
        // For what was held back before.
        thread::current().unpark();
    }

    /// `None` to hold an event back, else how many before it were.
    pub(super) fn admit(
        &self,
        metadata: &'static Metadata<'static>,
        text: &[u8],
        now: Duration,
    ) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        hasher.write_usize(std::ptr::from_ref(metadata).addr());
        hasher.write(text);
        let hash = hasher.finish();
        let mut slot = self.slots[hash as usize % SLOTS].lock();
        // A clock that went back must not hold messages back for longer than a window.
        let open = now.abs_diff(slot.since) < self.rule.window;
        if slot.hash == hash && open {
            if slot.seen < self.rule.allowed {
                slot.seen += 1;
                return Some(0);
            }
            if slot.suppressed == 0 {
                slot.target = metadata.target();
                slot.text = String::from_utf8_lossy(text).chars().take(200).collect();
                slot.seen_by_teller = false;
                if let Some(teller) = self.teller.get() {
                    teller.unpark();
                }
            }
            slot.suppressed += 1;
            return None;
        }
        if slot.hash != hash && open && slot.seen > 0 {
            // Another message's window is open: this one is written, whatever it is.
            return Some(0);
        }
        let earlier = std::mem::take(&mut slot.suppressed);
        let same = slot.hash == hash;
        if !same && earlier > 0 {
            slot.suppressed = earlier;
            self.leave(slot.take());
        }
        slot.hash = hash;
        slot.since = now;
        slot.seen = 1;
        Some(if same { earlier } else { 0 })
    }

    fn leave(&self, pending: Pending) {
        let mut all = self.pending.lock();
        if all.len() < PENDING {
            all.push(pending);
        } else if let Some(last) = all.last_mut() {
            // Room for no more texts; the count must not be lost.
            last.count += pending.count;
            "various messages".clone_into(&mut last.text);
        }
    }

    /// What was held back in windows that were there at the last call too, and whether more is
    /// waiting. Called once a window: so nothing waits longer than two.
    pub(crate) fn take_settled(&self) -> (Vec<Pending>, bool) {
        let mut all = std::mem::take(&mut *self.pending.lock());
        let mut waiting = false;
        for slot in &self.slots {
            let mut slot = slot.lock();
            if slot.suppressed > 0 && !slot.seen_by_teller {
                slot.seen_by_teller = true;
                waiting = true;
            } else if slot.suppressed > 0 {
                all.push(slot.take());
            }
        }
        (all, waiting)
    }

    /// Everything held back that nothing told of yet.
    pub(crate) fn take_pending(&self) -> Vec<Pending> {
        let mut all = std::mem::take(&mut *self.pending.lock());
        for slot in &self.slots {
            let mut slot = slot.lock();
            if slot.suppressed > 0 {
                all.push(slot.take());
            }
        }
        all
    }
}
