//! The watchdog: a thread of its own, so that it works when every runtime is blocked.
//!
//! Four times a period it looks at every open operation, at other work that asked for it, at the runtimes' heartbeats and at who
//! waits for which lock. It never logs on its own behalf: what it finds is told in the span,
//! and through the subscriber, of the operation that it found.

mod report;
mod stall;

#[cfg(feature = "tokio")]
mod heartbeat;

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::starved::Crowd;
use super::{clock, settings, watched};
use crate::sync::deadlock::Deadlocks;

#[cfg(feature = "tokio")]
pub use heartbeat::watch_runtime;
pub(crate) use report::{in_span_of, recovered};

/// Starts the watchdog with the first operation of the process.
pub(crate) fn ensure_started() {
    static RUNNING: AtomicBool = AtomicBool::new(false);
    static START: Once = Once::new();
    if !RUNNING.load(Ordering::Relaxed) {
        START.call_once(|| {
            // Without it nothing is watched, and everything else works.
            let _ = std::thread::Builder::new()
                .name("omnify-watchdog".to_owned())
                .spawn(watch);
            RUNNING.store(true, Ordering::Relaxed);
        });
    }
    #[cfg(feature = "tokio")]
    heartbeat::notice_runtime();
}

fn watch() {
    let mut round = Round::default();
    loop {
        let tick = settings::period() / 4;
        let before = Instant::now();
        std::thread::sleep(tick);
        let nap = Nap::of(tick, before.elapsed());
        // Who could not run is not to blame, and nobody else probably could.
        clock::lose(nap.late);
        if nap.was_a_pause {
            round.pause();
        } else {
            round.look();
        }
    }
}

/// Later than this is the machine's doing; less is how sleeping is.
const PUNCTUAL: Duration = Duration::from_millis(2);

/// How the watchdog slept between two looks.
#[derive(Debug, PartialEq, Eq)]
struct Nap {
    /// The time by which it woke late.
    late: Duration,
    /// Stopped, suspended or starved so long that what was seen before says nothing any more.
    was_a_pause: bool,
}

impl Nap {
    fn of(asked: Duration, slept: Duration) -> Self {
        let late = slept.saturating_sub(asked);
        Self {
            late: if late > PUNCTUAL {
                late
            } else {
                Duration::ZERO
            },
            was_a_pause: late > asked.max(Duration::from_millis(100)),
        }
    }
}

/// What is kept from one look to the next.
#[derive(Default)]
struct Round {
    #[cfg(feature = "tokio")]
    hearts: heartbeat::Hearts,
    crowd: Crowd,
    blocked: stall::Blocked,
    deadlocks: Deadlocks,
}

impl Round {
    fn look(&mut self) {
        let now = clock::now();
        clock::tick(now);
        self.crowd.next_look();
        self.deadlocks.look(now);
        let found = stall::scan(now, &mut self.crowd);
        stall::report(&found.overdue, now);
        watched::look();
        #[cfg(feature = "tokio")]
        let silent = self.hearts.listen(now, &mut self.crowd);
        #[cfg(not(feature = "tokio"))]
        let silent = None;
        self.blocked.report(&found.long_polls, silent, now);
    }

    /// After a pause nobody knows who was silent of his own doing.
    fn pause(&mut self) {
        #[cfg(feature = "tokio")]
        self.hearts.forgive(clock::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_by_which_the_watchdog_woke_late_is_nobodys() {
        let ms = Duration::from_millis;
        let nap = |slept| Nap::of(ms(250), ms(slept));
        let (late, was_a_pause) = (ms(0), false);
        assert_eq!(nap(251), Nap { late, was_a_pause }, "as sleeping is");
        let late = ms(180);
        assert_eq!(nap(430), Nap { late, was_a_pause }, "a busy machine");
        let (late, was_a_pause) = (ms(4_750), true);
        assert_eq!(nap(5_000), Nap { late, was_a_pause }, "stopped");
    }
}
