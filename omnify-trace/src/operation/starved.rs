//! How long a thread wanted to run and was not let: the machine's doing, not the code's.
//!
//! Linux tells for each thread how long it ran and how long it stood in line. Elsewhere nobody is
//! taken for starved. A thread that rests may rest because it waits for one that stands in line: for
//! a lock, for an answer. So what the most starved thread of the process stood there counts for it,
//! too, for three quarters of the time at most: what is really blocked is told, a little later.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use parking_lot::Mutex;

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
        let mut times = times.split([' ', '\n']).map_while(|text| text.parse().ok());
        Some(Self {
            ran: times.next()?,
            stood_in_line: times.next()?,
            rests: of("voluntary_ctxt_switches:")?.parse().ok()?,
            wants_to_run: of("State:")?.starts_with('R'),
        })
    }

    /// How much of the time that passed since another look it was starved.
    fn starved_since(&self, before: &Self, passed: u64) -> u64 {
        let ran = self.ran.saturating_sub(before.ran);
        let stood = self.stood_in_line.saturating_sub(before.stood_in_line);
        let never_rested = before.wants_to_run && self.wants_to_run && before.rests == self.rests;
        // The system counts a stand in line when it ends: this one may be going on.
        let starved = if never_rested {
            passed.saturating_sub(ran)
        } else {
            stood
        };
        starved.min(passed)
    }
}

/// All threads of the process, asked only while something looks blocked.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    before: HashMap<u32, Times>,
    before_at: u64,
    /// What this look found, once somebody asked.
    found: Option<u64>,
}

impl Crowd {
    /// The watchdog looks again.
    pub(crate) fn next_look(&mut self) {
        if self.found.take().is_none() {
            self.before.clear();
        }
    }

    /// How long the most starved thread stood in line since the look before.
    pub(crate) fn starved(&mut self, now: u64) -> u64 {
        if let Some(found) = self.found {
            return found;
        }
        let here = thread();
        let known: HashMap<u32, Times> = threads()
            .into_iter()
            .filter(|thread| *thread != here)
            .filter_map(|thread| Some((thread, Times::read(thread)?)))
            .collect();
        let passed = now.saturating_sub(self.before_at);
        let starved = known.iter().filter_map(|(thread, times)| {
            Some(times.starved_since(self.before.get(thread)?, passed))
        });
        let found = starved.max().unwrap_or_default();
        (self.before, self.before_at) = (known, now);
        self.found = Some(found);
        found
    }
}

#[cfg(target_os = "linux")]
fn threads() -> Vec<u32> {
    /// More than this are not asked for.
    const MOST: usize = 256;
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    tasks
        .filter_map(|task| task.ok()?.file_name().to_str()?.parse().ok())
        .take(MOST)
        .collect()
}

#[cfg(not(target_os = "linux"))]
fn threads() -> Vec<u32> {
    Vec::new()
}

/// The watchdog's account of one thread during one poll.
#[derive(Debug, Default)]
pub(crate) struct Starved {
    thread: AtomicU32,
    /// 0: the account is empty.
    looked: AtomicU64,
    account: Mutex<Account>,
}

#[derive(Debug, Default)]
struct Account {
    times: Option<Times>,
    total: u64,
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
    }

    /// How much of the time since the first look it was starved, or nobody could run whom it may
    /// wait for, as regular looks can tell.
    pub(crate) fn look(&self, now: u64, crowd: &mut Crowd) -> u64 {
        let times = Times::read(self.thread.load(Ordering::Relaxed));
        let others = crowd.starved(now);
        let since = self.looked.swap(now.max(1), Ordering::Relaxed);
        let mut account = self.account.lock();
        let before = std::mem::replace(&mut account.times, times);
        if since == 0 {
            account.total = 0;
            return 0;
        }
        let passed = now.saturating_sub(since);
        account.total += starved(before, times, others, passed);
        account.total
    }
}

/// Of one thread, between two looks.
fn starved(before: Option<Times>, times: Option<Times>, others: u64, passed: u64) -> u64 {
    let others = others.min(passed / 4 * 3);
    let (Some(before), Some(times)) = (before, times) else {
        return others;
    };
    let ran = times.ran.saturating_sub(before.ran);
    let own = times.starved_since(&before, passed);
    own.max(others).min(passed.saturating_sub(ran))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use super::*;
    use crate::operation::clock;

    const MS: u64 = 1_000_000;

    fn times(ran: u64, stood_in_line: u64, rests: u64, wants_to_run: bool) -> Times {
        Times {
            ran: ran * MS,
            stood_in_line: stood_in_line * MS,
            rests,
            wants_to_run,
        }
    }

    #[test]
    fn who_sleeps_is_not_starved() {
        let starved = Starved::default();
        starved.here();
        let mut nobody = Crowd {
            found: Some(0),
            ..Crowd::default()
        };
        assert_eq!(starved.look(clock::now().max(1), &mut nobody), 0);
        let begun = clock::now();
        std::thread::sleep(Duration::from_millis(60));
        let slept = clock::now() - begun;
        assert!(starved.look(clock::now(), &mut nobody) < slept / 2);
        assert!(Times::read(thread()).is_some_and(|times| times.ran > 0));
        assert_eq!(Times::read(u32::MAX), None);
    }

    #[test]
    fn a_stand_in_line_counts_also_while_it_goes_on_and_work_never_does() {
        let starved = |before, after, others: u64| {
            starved(Some(before), Some(after), others * MS, 100 * MS) / MS
        };
        let before = times(0, 0, 7, true);
        assert_eq!(
            starved(before, times(10, 0, 7, true), 0),
            90,
            "still stands"
        );
        assert_eq!(
            starved(before, times(10, 60, 8, false), 0),
            60,
            "stood, then slept"
        );
        assert_eq!(
            starved(before, times(100, 0, 7, true), 90),
            0,
            "was at work"
        );
        let asleep = times(0, 0, 7, false);
        assert_eq!(starved(asleep, times(0, 0, 7, true), 0), 0, "woke just now");
        assert_eq!(starved(asleep, asleep, 0), 0, "sleeps");
        assert_eq!(
            starved(asleep, asleep, 50),
            50,
            "may wait for who stands in line"
        );
        assert_eq!(starved(asleep, asleep, 100), 75, "but not for ever");
        assert_eq!(super::starved(None, None, 50 * MS, 100 * MS), 50 * MS);
    }

    #[test]
    fn threads_that_share_one_processor_stand_in_line() {
        let (stop, mut crowd) = (AtomicBool::new(false), Crowd::default());
        let starved = std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut one = rustix::thread::CpuSet::new();
                    let may = rustix::thread::sched_getaffinity(None).unwrap();
                    one.set((0..1024).find(|cpu| may.is_set(*cpu)).unwrap());
                    rustix::thread::sched_setaffinity(None, &one).unwrap();
                    while !stop.load(Ordering::Relaxed) {
                        std::hint::spin_loop();
                    }
                });
            }
            let (mut total, begun) = (0, clock::now());
            while total < 100 * MS && clock::now() - begun < 20_000 * MS {
                crowd.next_look();
                total += crowd.starved(clock::now());
                std::thread::sleep(Duration::from_millis(40));
            }
            stop.store(true, Ordering::Relaxed);
            total
        });
        assert!(starved >= 100 * MS, "{starved}");
        crowd.next_look();
        crowd.next_look();
        assert_eq!(
            crowd.starved(clock::now()),
            0,
            "nobody was asked just before"
        );
    }
}
