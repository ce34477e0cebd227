//! What is known of one lock: its name, its birthplace, its holders.

use std::panic::Location;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::party::Party;
use crate::operation::{Op, WaitKind, clock};

/// Every lock of the process that is alive.
static LOCKS: Mutex<Vec<Weak<Meta>>> = Mutex::new(Vec::new());

/// What it is that is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// A lock: every holder has to let go.
    Lock,
    /// A semaphore: any holder may let go.
    #[cfg_attr(not(feature = "tokio"), expect(dead_code))]
    Permits,
    /// One side of a channel: anybody on the other side may act.
    #[cfg_attr(not(feature = "tokio"), expect(dead_code))]
    Channel,
}

/// Whether others may have it at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Shared,
    Exclusive,
}

#[derive(Debug)]
pub(crate) struct Meta {
    what: What,
    name: Option<&'static str>,
    born: &'static Location<'static>,
    holders: Mutex<Holders>,
    /// The keys of the holders that have a place here. Who lets go empties his; his entry stays
    /// until the next holder comes, which saves a lock for each release.
    places: [AtomicU64; PLACES],
    /// Ends of a channel of which nobody knows who has them.
    strangers: AtomicUsize,
}

/// Holders beyond these let go by locking the list.
const PLACES: usize = 4;

#[derive(Debug)]
struct Holders {
    next: u64,
    all: Vec<Entry>,
}

/// One who has the lock, or had it: does not keep his operation's span open.
#[derive(Debug)]
struct Entry {
    key: u64,
    place: usize,
    op: Option<Weak<Op>>,
    party: Party,
    site: &'static Location<'static>,
    since: u64,
}

impl Entry {
    fn read(&self) -> Holder {
        let op = self.op.as_ref().and_then(Weak::upgrade);
        let party = self.party.with_op(op);
        Holder {
            key: self.key,
            party,
            site: self.site,
            since: self.since,
        }
    }
}

/// One who has the lock.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    pub(crate) key: u64,
    pub(crate) party: Party,
    pub(crate) site: &'static Location<'static>,
    /// By the coarse clock.
    pub(crate) since: u64,
}

/// Kept as long as the lock is held.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    meta: &'a Meta,
    key: Key,
}

/// Which entry a holder's is.
#[derive(Debug, Clone, Copy)]
struct Key {
    key: u64,
    place: usize,
}

/// The same for those that go their own ways: permits, ends of channels.
#[cfg(feature = "tokio")]
#[derive(Debug)]
pub(crate) struct Owned {
    meta: Arc<Meta>,
    key: Key,
}

impl Meta {
    #[track_caller]
    pub(crate) fn new(name: Option<&'static str>) -> Arc<Self> {
        Self::of(What::Lock, name)
    }

    #[track_caller]
    pub(crate) fn of(what: What, name: Option<&'static str>) -> Arc<Self> {
        let holders = Mutex::new(Holders {
            next: 0,
            all: Vec::with_capacity(1),
        });
        let meta = Arc::new(Self {
            what,
            name,
            born: Location::caller(),
            holders,
            places: [const { AtomicU64::new(0) }; PLACES],
            strangers: AtomicUsize::new(0),
        });
        let mut locks = LOCKS.lock();
        // Now and then, and never often, the dead are buried.
        if locks.len() == locks.capacity() {
            locks.retain(|lock| lock.strong_count() > 0);
            let room = locks.len().max(64);
            locks.reserve(room);
        }
        locks.push(Arc::downgrade(&meta));
        meta
    }

    /// What people call it: its name, or where it was made.
    pub(crate) fn label(&self) -> String {
        self.name.map_or_else(
            || format!("{} of {}", self.noun(), self.born),
            str::to_owned,
        )
    }

    fn noun(&self) -> &'static str {
        match self.what {
            What::Lock => "lock",
            What::Permits => "semaphore",
            What::Channel => "channel",
        }
    }

    pub(crate) fn wait_kind(&self) -> WaitKind {
        match self.what {
            What::Lock => WaitKind::Lock,
            What::Permits | What::Channel => WaitKind::Channel,
        }
    }

    /// Whether waiting ends as soon as any holder acts, not only when all have.
    pub(crate) fn any_may_help(&self) -> bool {
        self.what != What::Lock
    }

    /// Whether somebody may help of whom nothing is known.
    pub(crate) fn has_strangers(&self) -> bool {
        self.strangers.load(Ordering::Relaxed) > 0
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn stranger_comes(&self) {
        self.strangers.fetch_add(1, Ordering::Relaxed);
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn stranger_goes(&self) {
        self.strangers.fetch_sub(1, Ordering::Relaxed);
    }

    /// Notes that this code has a share of it, until what is returned goes.
    #[cfg(feature = "tokio")]
    pub(crate) fn own(self: &Arc<Self>, site: &'static Location<'static>) -> Owned {
        Owned {
            key: self.enter(site, Mode::Shared),
            meta: Arc::clone(self),
        }
    }

    #[inline]
    fn leave(&self, key: Key) {
        if let Some(place) = self.places.get(key.place) {
            place.store(0, Ordering::Release);
        } else {
            self.leave_list(key.key);
        }
    }

    #[cold]
    fn leave_list(&self, key: u64) {
        let mut holders = self.holders.lock();
        if let Some(at) = holders.all.iter().position(|entry| entry.key == key) {
            holders.all.swap_remove(at);
        }
    }

    /// Whether its holder still has the lock.
    #[inline]
    fn holds(&self, entry: &Entry) -> bool {
        let place = self.places.get(entry.place);
        place.is_none_or(|place| place.load(Ordering::Acquire) == entry.key)
    }

    /// Notes that this code has it together with others.
    #[inline]
    pub(crate) fn hold_shared(&self, site: &'static Location<'static>) -> Held<'_> {
        Held {
            meta: self,
            key: self.enter(site, Mode::Shared),
        }
    }

    /// Notes that this code has it alone.
    #[inline]
    pub(crate) fn hold_exclusive(&self, site: &'static Location<'static>) -> Held<'_> {
        Held {
            meta: self,
            key: self.enter(site, Mode::Exclusive),
        }
    }

    #[inline]
    fn enter(&self, site: &'static Location<'static>, mode: Mode) -> Key {
        let (op, party) = Party::of_holder();
        let since = clock::coarse();
        let mut holders = self.holders.lock();
        holders.next += 1;
        let key = holders.next;
        let is_free = |place: &AtomicU64| place.load(Ordering::Acquire) == 0;
        let place = match mode {
            // Alone: whoever is in the list has let go.
            Mode::Exclusive => 0,
            Mode::Shared => self.places.iter().position(is_free).unwrap_or(PLACES),
        };
        if let Some(place) = self.places.get(place) {
            place.store(key, Ordering::Relaxed);
        }
        let entry = Entry {
            key,
            place,
            op,
            party,
            site,
            since,
        };
        match (mode, holders.all.as_mut_slice()) {
            (Mode::Exclusive, [first, ..]) => {
                *first = entry;
                holders.all.truncate(1);
            }
            (Mode::Shared, [only]) if !self.holds(only) => *only = entry,
            _ => {
                holders.all.retain(|entry| self.holds(entry));
                holders.all.push(entry);
            }
        }
        Key { key, place }
    }

    pub(crate) fn holders(&self) -> Vec<Holder> {
        let holders = self.holders.lock();
        let holding = holders.all.iter().filter(|entry| self.holds(entry));
        holding.map(Entry::read).collect()
    }

    pub(crate) fn is_held_by(&self, key: u64) -> bool {
        let holders = self.holders.lock();
        let mut holding = holders.all.iter().filter(|entry| self.holds(entry));
        holding.any(|entry| entry.key == key)
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.meta.leave(self.key);
    }
}

#[cfg(feature = "tokio")]
impl Drop for Owned {
    fn drop(&mut self) {
        self.meta.leave(self.key);
    }
}

/// Every lock and its holders.
pub(crate) fn all_held() -> Vec<(Arc<Meta>, Vec<Holder>)> {
    let locks: Vec<_> = LOCKS.lock().iter().filter_map(Weak::upgrade).collect();
    let held = locks.into_iter().map(|lock| {
        let holders = lock.holders();
        (lock, holders)
    });
    held.filter(|(_, holders)| !holders.is_empty()).collect()
}
