//! What is known of one lock: its name, its birthplace, its holders.

use std::panic::Location;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::party::Party;
use crate::operation::clock;

/// Every lock of the process that is alive.
static LOCKS: Mutex<Vec<Weak<Meta>>> = Mutex::new(Vec::new());

/// Whether others may have it at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Shared,
    Exclusive,
}

#[derive(Debug)]
pub(crate) struct Meta {
    name: Option<&'static str>,
    born: &'static Location<'static>,
    holders: Mutex<Holders>,
}

#[derive(Debug)]
struct Holders {
    next: u64,
    all: Vec<Holder>,
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
    key: u64,
}

impl Meta {
    #[track_caller]
    pub(crate) fn new(name: Option<&'static str>) -> Arc<Self> {
        let holders = Mutex::new(Holders {
            next: 0,
            all: Vec::with_capacity(1),
        });
        let meta = Arc::new(Self {
            name,
            born: Location::caller(),
            holders,
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
        self.name
            .map_or_else(|| format!("lock of {}", self.born), str::to_owned)
    }

    #[inline]
    pub(crate) fn hold(&self, site: &'static Location<'static>) -> Held<'_> {
        let party = Party::current();
        let mut holders = self.holders.lock();
        let key = holders.next;
        holders.next += 1;
        holders.all.push(Holder {
            key,
            party,
            site,
            since: clock::coarse(),
        });
        Held { meta: self, key }
    }

    pub(crate) fn holders(&self) -> Vec<Holder> {
        self.holders.lock().all.clone()
    }

    pub(crate) fn is_held_by(&self, key: u64) -> bool {
        self.holders
            .lock()
            .all
            .iter()
            .any(|holder| holder.key == key)
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        let mut holders = self.meta.holders.lock();
        let gone = holders
            .all
            .iter()
            .position(|holder| holder.key == self.key)
            .map(|at| holders.all.swap_remove(at));
        drop(holders);
        drop(gone);
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
