//! Progress that a person can follow: numbered steps with their times.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// A run of numbered steps.
pub(crate) struct Steps {
    total: usize,
    done: usize,
    started: Instant,
}

impl Steps {
    /// So many steps lie ahead.
    pub(crate) fn new(total: usize) -> Self {
        Self {
            total,
            done: 0,
            started: Instant::now(),
        }
    }

    /// Says what is done next, does it, says how long it took.
    pub(crate) fn step<T>(&mut self, title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.done += 1;
        println!("\n[{}/{}] {title}", self.done, self.total);
        let started = Instant::now();
        let result = work().with_context(|| format!("step {} failed: {title}", self.done))?;
        println!("      done in {}", human(started.elapsed()));
        Ok(result)
    }

    /// Time since the first step.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// `4.2 s`, `3 min 08 s`.
pub(crate) fn human(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {:02} s", time.as_secs() / 60, time.as_secs() % 60)
    }
}
