//! The watchdog: a thread of its own, so that it works when every runtime is blocked.
//!
//! Four times a period it looks at every open operation, at the runtimes' heartbeats and at who
//! waits for which lock. It never logs on its own behalf: what it finds is told in the span,
//! and through the subscriber, of the operation that it found.

mod report;
mod stall;

#[cfg(feature = "tokio")]
mod heartbeat;

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{clock, settings};
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
        let late = before.elapsed().saturating_sub(tick);
        if late > tick.max(Duration::from_millis(100)) {
            // Stopped, suspended or starved, and everybody else probably was, too.
            clock::lose(late);
            round.pause();
            continue;
        }
        round.look();
    }
}

/// What is kept from one look to the next.
#[derive(Default)]
struct Round {
    #[cfg(feature = "tokio")]
    hearts: heartbeat::Hearts,
    blocked: stall::Blocked,
    deadlocks: Deadlocks,
}

impl Round {
    fn look(&mut self) {
        let now = clock::now();
        clock::tick(now);
        self.deadlocks.look(now);
        let found = stall::scan(now);
        stall::report(&found.overdue, now);
        #[cfg(feature = "tokio")]
        let silent = self.hearts.listen(now);
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
