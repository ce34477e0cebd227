//! How long a thread wanted to run and was not let: the machine's doing, not the code's.
//!
//! Linux tells for each thread how long it ran and how long it stood in line. Elsewhere nobody is
//! taken for starved.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// This thread, as the system numbers it; 0 where that is not known.
#[inline]
pub(crate) fn thread() -> u32 {
    thread_local! {
        static NUMBER: Cell<u32> = const { Cell::new(0) };
    }
    NUMBER
        .try_with(|number| {
            if number.get() == 0 {
                number.set(ask());
            }
            number.get()
        })
        .unwrap_or_default()
}

#[cfg(target_os = "linux")]
fn ask() -> u32 {
    rustix::thread::gettid().as_raw_nonzero().get() as u32
}

#[cfg(not(target_os = "linux"))]
fn ask() -> u32 {
    0
}

/// What the system says of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Times {
    ran: u64,
    stood_in_line: u64,
    /// How often it gave the processor back of its own will.
    rests: u64,
    wants_to_run: bool,
}

impl Times {
    fn read(thread: u32) -> Option<Self> {
        if thread == 0 {
            return None;
        }
        let read = |name| std::fs::read_to_string(format!("/proc/self/task/{thread}/{name}")).ok();
        let (times, status) = (read("schedstat")?, read("status")?);
        let of = |name: &str| {
            let mut lines = status.lines();
            Some(lines.find_map(|line| line.strip_prefix(name))?.trim())
        };
        let mut times = times.split(' ').map_while(|text| text.parse().ok());
        Some(Self {
            ran: times.next()?,
            stood_in_line: times.next()?,
            rests: of("voluntary_ctxt_switches:")?.parse().ok()?,
            wants_to_run: of("State:")?.starts_with('R'),
        })
    }
}

/// The watchdog's account of one thread during one poll.
#[derive(Debug, Default)]
pub(crate) struct Starved {
    thread: AtomicU32,
    looked: AtomicU64,
    ran: AtomicU64,
    stood_in_line: AtomicU64,
    rests: AtomicU64,
    total: AtomicU64,
}

impl Starved {
    /// It is this thread.
    #[inline]
    pub(crate) fn here(&self) {
        self.thread.store(thread(), Ordering::Relaxed);
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn is(&self, thread: u32) -> bool {
        self.thread.load(Ordering::Relaxed) == thread
    }

    /// The account begins anew.
    pub(crate) fn forget(&self) {
        self.looked.store(0, Ordering::Relaxed);
        self.total.store(0, Ordering::Relaxed);
    }

    /// How much of the time since the first look it was starved, as regular looks can tell.
    pub(crate) fn look(&self, now: u64) -> u64 {
        let Some(times) = Times::read(self.thread.load(Ordering::Relaxed)) else {
            return 0;
        };
        let ran = times
            .ran
            .wrapping_sub(self.ran.swap(times.ran, Ordering::Relaxed));
        let before = self
            .stood_in_line
            .swap(times.stood_in_line, Ordering::Relaxed);
        let stood = times.stood_in_line.wrapping_sub(before);
        let rested = self.rests.swap(times.rests, Ordering::Relaxed) != times.rests;
        let since = self.looked.swap(now, Ordering::Relaxed);
        if since == 0 {
            return 0;
        }
        let passed = now.saturating_sub(since);
        // The system counts a stand in line when it ends: this one may be going on.
        let starved = match times.wants_to_run && !rested {
            true => passed.saturating_sub(ran),
            false => stood.min(passed),
        };
        self.total.fetch_add(starved, Ordering::Relaxed) + starved
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::operation::clock;

    #[test]
    fn who_sleeps_is_not_starved() {
        let starved = Starved::default();
        starved.here();
        assert_eq!(starved.look(clock::now().max(1)), 0);
        let begun = clock::now();
        std::thread::sleep(std::time::Duration::from_millis(60));
        let slept = clock::now() - begun;
        assert!(starved.look(clock::now()) < slept / 2);
        assert!(Times::read(thread()).is_some_and(|times| times.ran > 0));
        assert_eq!(Times::read(u32::MAX), None);
    }
}
