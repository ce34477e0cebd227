//! What the producers, the drainer and the handle have in common.

use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::error::Dropped;
use super::options::{JournalOptions, WhenFull};
use super::ring::{Alive, Ring};
use super::slot::Slot;
use super::wake::Wake;
use crate::schema::Stream;

pub(super) struct Shared {
    pub(super) ring: Arc<Ring>,
    pub(super) wake: Wake,
    /// Whether lines are taken: false once closed, and in a forked child.
    pub(super) alive: Alive,
    pub(super) max_line: usize,
    pub(super) options: JournalOptions,
    pub(super) closing: AtomicBool,
    pub(super) lines: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) rotations: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) last_failure: Mutex<Option<String>>,
    /// Held as long as the ring is mapped: a late producer never writes into a ring that is
    /// somebody else's by then.
    slot: Option<Slot>,
    owner: u32,
    /// 1 + the tail at which a caller has waited in vain; 0 for none.
    stuck: AtomicU64,
    waiters: AtomicU32,
    done: AtomicBool,
    lock: Mutex<()>,
    progress: Condvar,
}

impl Shared {
    pub(super) fn new(options: JournalOptions, ring: Arc<Ring>, slot: Option<Slot>) -> Self {
        Self {
            wake: Wake::new(ring.capacity() / 2),
            ring,
            alive: Alive::new(),
            max_line: options.longest_line(),
            options,
            closing: AtomicBool::new(false),
            lines: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            rotations: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            last_failure: Mutex::new(None),
            slot,
            owner: process::id(),
            stuck: AtomicU64::new(0),
            waiters: AtomicU32::new(0),
            done: AtomicBool::new(false),
            lock: Mutex::new(()),
            progress: Condvar::new(),
        }
    }

    pub(super) fn slot_number(&self) -> u32 {
        self.slot.as_ref().map_or(0, |slot| slot.number)
    }

    /// Whether this is the process that opened the journal, and no forked child of it.
    pub(super) fn is_owner(&self) -> bool {
        self.alive.is_set() || process::id() == self.owner
    }

    /// Whether the ring is in plain memory only.
    pub(super) fn is_volatile(&self) -> bool {
        self.ring.is_volatile()
    }

    #[inline]
    pub(super) fn write(&self, stream: Stream, line: &[u8]) -> Result<(), Dropped> {
        if line.len() > self.max_line {
            return Err(self.drop_one(Dropped::TooLarge));
        }
        match self.ring.push(stream, line) {
            Ok(used) => {
                self.wake.pushed(used);
                Ok(())
            }
            Err(_) => self.write_when_room(stream, line),
        }
    }

    /// Counts a lost line.
    #[cold]
    pub(super) fn drop_one(&self, reason: Dropped) -> Dropped {
        self.ring.header().dropped[reason as usize].fetch_add(1, Relaxed);
        if self.alive.is_set() {
            self.wake.nudge();
        }
        reason
    }

    #[cold]
    fn write_when_room(&self, stream: Stream, line: &[u8]) -> Result<(), Dropped> {
        self.wake.nudge();
        let tail = || self.ring.header().tail.load(Acquire);
        let before = tail();
        let patience = match self.options.when_full {
            WhenFull::Drop => return Err(self.drop_one(Dropped::Full)),
            WhenFull::Block(_) if self.stuck.load(Relaxed) == before + 1 => {
                return Err(self.drop_one(Dropped::Full));
            }
            WhenFull::Block(patience) => patience,
        };
        let deadline = Instant::now() + patience;
        let mut pause = Duration::from_micros(50);
        loop {
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(2));
            if let Ok(used) = self.ring.push(stream, line) {
                self.wake.pushed(used);
                return Ok(());
            }
            if Instant::now() >= deadline {
                if tail() == before {
                    self.stuck.store(before + 1, Relaxed);
                }
                return Err(self.drop_one(Dropped::Full));
            }
        }
    }

    /// Whether the drainer should go on at once.
    pub(super) fn is_pressed(&self) -> bool {
        let used = self.ring.used();
        used > self.ring.capacity() / 2
            || self.closing.load(Acquire)
            || (used > 0 && self.waiters.load(Acquire) > 0)
    }

    pub(super) fn failed(&self, error: &io::Error) {
        self.failures.fetch_add(1, Relaxed);
        *self.last_failure.lock() = Some(error.to_string());
    }

    /// Tells those who wait that something was drained.
    pub(super) fn drained(&self) {
        if self.waiters.load(Acquire) > 0 {
            let _lock = self.lock.lock();
            self.progress.notify_all();
        }
    }

    pub(super) fn finished(&self) {
        self.done.store(true, Release);
        let _lock = self.lock.lock();
        self.progress.notify_all();
    }

    /// Waits until everything before `target` is in the files.
    pub(super) fn wait_drained(&self, target: u64, timeout: Duration) -> bool {
        self.wait(timeout, || self.ring.header().tail.load(Acquire) >= target)
    }

    /// Waits until the drainer has ended.
    pub(super) fn wait_finished(&self, timeout: Duration) -> bool {
        self.wait(timeout, || self.done.load(Acquire))
    }

    fn wait(&self, timeout: Duration, reached: impl Fn() -> bool) -> bool {
        let deadline = Instant::now().checked_add(timeout);
        self.waiters.fetch_add(1, Release);
        let mut lock = self.lock.lock();
        let mut in_time = true;
        while !reached() && in_time {
            self.wake.ring();
            // Short turns: the drainer may have begun its nap before it saw the waiter.
            let turn = Instant::now() + Duration::from_millis(20);
            let until = deadline.map_or(turn, |deadline| deadline.min(turn));
            self.progress.wait_until(&mut lock, until);
            in_time = deadline.is_none_or(|deadline| Instant::now() < deadline);
        }
        drop(lock);
        self.waiters.fetch_sub(1, Release);
        reached()
    }
}
