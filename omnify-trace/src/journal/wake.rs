//! When the drainer sleeps, and what it costs a producer to wake it: one atomic load, mostly.
//!
//! While lines come, the drainer naps a few milliseconds between batches, and producers wake it
//! only when the ring is half full: a service that logs steadily never pays for a system call.
//! After a second without lines it sleeps until the next one, whose producer wakes it.
//!
//! No wake-up is missed: the drainer stores "sleeping" and then reads `head`; a producer moves
//! `head` and then reads "sleeping", all sequentially consistent, so one of the two sees the other.

use std::sync::OnceLock;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::thread::{self, Thread};
use std::time::Duration;

const AWAKE: u8 = 0;
const NAPPING: u8 = 1;
const SLEEPING: u8 = 2;

/// How long the drainer naps between batches: the most that a line waits for its file.
const NAP: Duration = Duration::from_millis(10);

/// The drainer's bell.
#[derive(Debug)]
pub(super) struct Wake {
    state: AtomicU8,
    thread: OnceLock<Thread>,
    pressing: u64,
}

impl Wake {
    /// A ring with more than `pressing` bytes in use does not let the drainer nap.
    pub(super) fn new(pressing: u64) -> Self {
        Self {
            state: AtomicU8::new(AWAKE),
            thread: OnceLock::new(),
            pressing,
        }
    }

    /// Called by the drainer, once, before anything else.
    pub(super) fn is_me(&self) {
        let _ = self.thread.set(thread::current());
    }

    /// After a line was pushed.
    #[inline]
    pub(super) fn pushed(&self, used: u64) {
        let state = self.state.load(SeqCst);
        if state != AWAKE && (state == SLEEPING || used > self.pressing) {
            self.ring();
        }
    }

    /// For a producer that found the ring full or dropped a line: wakes the drainer if it rests, but
    /// not if it waits for a file to come back.
    #[cold]
    pub(super) fn nudge(&self) {
        if self.state.load(SeqCst) != AWAKE {
            self.ring();
        }
    }

    /// Wakes the drainer whatever it does.
    #[cold]
    pub(super) fn ring(&self) {
        self.state.store(AWAKE, SeqCst);
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// The drainer's nap. `busy` is asked again once producers know.
    pub(super) fn nap(&self, busy: impl Fn() -> bool) {
        self.pause(NAPPING, Some(NAP), busy);
    }

    /// The drainer's pause after a failure.
    pub(super) fn wait(&self, time: Duration) {
        // Producers of a full ring must not keep it awake: it could do nothing for them.
        self.state.store(AWAKE, Relaxed);
        thread::park_timeout(time);
    }

    /// The drainer's sleep until a line comes.
    pub(super) fn sleep(&self, busy: impl Fn() -> bool) {
        self.pause(SLEEPING, None, busy);
    }

    fn pause(&self, state: u8, time: Option<Duration>, busy: impl Fn() -> bool) {
        self.state.store(state, SeqCst);
        if !busy() {
            match time {
                Some(time) => thread::park_timeout(time),
                None => thread::park(),
            }
        }
        self.state.store(AWAKE, Relaxed);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::journal::ring::{MIN_CAPACITY, Ring};
    use crate::schema::Stream;

    /// A line that comes just when the drainer falls asleep. Miri, which lets loads see old values
    /// wherever the memory model does, is the judge: see `docs/long-tests.md`.
    #[test]
    fn no_line_is_slept_over() {
        for _ in 0..if cfg!(miri) { 10 } else { 500 } {
            let mut ring = Ring::heap(MIN_CAPACITY).unwrap();
            ring.initialise(1);
            let (ring, mut consumer) = ring.split();
            let wake = Wake::new(u64::MAX);
            let (drained, seen) = mpsc::channel();
            thread::scope(|scope| {
                scope.spawn(|| {
                    wake.is_me();
                    while consumer.next().is_none() {
                        wake.sleep(|| ring.used() > 0);
                    }
                    drained.send(()).unwrap();
                });
                let used = ring.push(Stream::Backend, b"line").unwrap();
                wake.pushed(used);
                let in_time = seen.recv_timeout(Duration::from_secs(20));
                // Whatever happened, the scope must end.
                wake.ring();
                in_time.expect("the drainer sleeps and the line waits");
            });
        }
    }
}
