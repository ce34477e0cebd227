//! The journal: a finished line is safe from the instant that [`Journal::write`] returns.
//!
//! ```text
//! write() ──► ring (memory-mapped file) ──► drainer thread ──► backend.log frontend.log workflow.log
//!               survives panic, abort, exit,                     rotated, compressed, removed
//!               SIGKILL and out-of-memory kill
//! ```
//! `ring` holds all `unsafe`; `frame` says how a line lies in it, `header` what its first page
//! records; `wake` is when the drainer sleeps; `drain` and `files` move lines into files; `recover`
//! does so for an earlier run; `slot` keeps processes apart; `loss` tells what was lost.
//!
//! ```
//! use omnify_trace::journal::{Journal, JournalOptions};
//! use omnify_trace::schema::Stream;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let dir = dir.path();
//! let (journal, recovery) = Journal::open(JournalOptions::new(dir))?;
//! assert!(!recovery.unclean());
//! journal.write(Stream::Backend, br#"{"message":"hello"}"#)?;
//! journal.close(std::time::Duration::from_secs(5))?;
//! assert_eq!(std::fs::read_to_string(dir.join("backend.log"))?, "{\"message\":\"hello\"}\n");
//! # Ok(())
//! # }
//! ```

mod clock;
mod drain;
mod error;
mod files;
mod frame;
mod header;
mod housekeeping;
mod in_flight;
mod loss;
mod open;
mod options;
mod recover;
mod ring;
mod shared;
mod slot;
mod stats;
mod wake;

#[cfg(test)]
mod tests;

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

pub use error::{Dropped, JournalError, Unflushed};
pub use in_flight::InFlight;
pub use options::{Compression, JournalOptions, Retention, Rotation, WhenFull};
pub use recover::{EarlierRun, Recovery};
pub use stats::JournalStats;

use crate::schema::Stream;

/// From now on a fatal signal (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS) is noted in the
/// ring before the earlier handler gets it, so that the next start can name it.
/// [`TelemetryBuilder::install`](crate::setup::TelemetryBuilder::install) does so by itself.
pub fn note_fatal_signals() {
    #[cfg(not(miri))]
    ring::note_fatal_signals();
}
use shared::Shared;

/// How long dropping the last handle waits for the files.
const LINGER: Duration = Duration::from_secs(5);

/// A journal. Clones share it; the last one to go closes it.
#[derive(Clone)]
pub struct Journal {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    /// Taken by the last handle, which waits for its end: then the slot is free again.
    drainer: Option<JoinHandle<()>>,
    /// In a forked child: its own journal, opened by its first line.
    child: OnceLock<Option<Journal>>,
}

impl Journal {
    /// Opens the journal of a directory, which is made if it is not there. Lines that earlier
    /// runs left in their rings are in the files when this returns.
    ///
    /// If no ring file can be had (full disk, read-only directory), the ring lies in plain memory:
    /// the service runs and logs as soon as it can, and [`Recovery::volatile`] says why.
    ///
    /// # Errors
    /// If an option makes no sense, every slot is taken, or there is no thread or memory.
    pub fn open(options: JournalOptions) -> Result<(Self, Recovery), JournalError> {
        let (shared, drainer, recovery) = open::open(options)?;
        let inner = Inner {
            shared,
            drainer: Some(drainer),
            child: OnceLock::new(),
        };
        Ok((
            Self {
                inner: Arc::new(inner),
            },
            recovery,
        ))
    }

    /// Takes a line, without its line end. Once this returns `Ok`, the line will be in its file,
    /// whatever becomes of this process.
    ///
    /// # Errors
    /// The reason why the line was not taken. It has been counted.
    #[inline]
    pub fn write(&self, stream: Stream, line: &[u8]) -> Result<(), Dropped> {
        if self.inner.shared.alive.is_set() {
            self.inner.shared.write(stream, line)
        } else {
            self.write_elsewhere(stream, line)
        }
    }

    /// Waits until every line taken so far is in its file.
    ///
    /// # Errors
    /// If that takes longer than `timeout`. Nothing is lost by it.
    pub fn flush(&self, timeout: Duration) -> Result<(), Unflushed> {
        let shared = &self.inner.shared;
        if !shared.is_owner() {
            return self
                .inner
                .child()
                .map_or(Ok(()), |child| child.flush(timeout));
        }
        let target = shared.ring.header().head.load(Acquire);
        if shared.wait_drained(target, timeout) {
            return Ok(());
        }
        Err(Unflushed {
            bytes: shared.ring.used(),
        })
    }

    /// Takes no more lines, drains those taken, and marks the end as clean.
    ///
    /// # Errors
    /// If draining takes longer than `timeout`. It goes on in the background, and what remains
    /// at the end of the process is recovered by the next start.
    pub fn close(&self, timeout: Duration) -> Result<(), Unflushed> {
        self.inner.close(timeout)
    }

    /// Notes that something is in flight, until the handle is dropped: after a crash, the next
    /// start finds the note in [`EarlierRun::in_flight`]. `None` if the note is longer than 504
    /// bytes or 1,024 notes are kept already.
    #[must_use = "the note is forgotten when the handle is dropped"]
    pub fn in_flight(&self, note: &[u8]) -> Option<InFlight> {
        InFlight::new(&self.inner.shared, note)
    }

    /// A moment's figures.
    #[must_use]
    pub fn stats(&self) -> JournalStats {
        let shared = &self.inner.shared;
        let dropped = &shared.ring.header().dropped;
        JournalStats {
            lines: shared.lines.load(Relaxed),
            bytes: shared.bytes.load(Relaxed),
            queued_bytes: shared.ring.used(),
            ring_bytes: shared.ring.capacity(),
            dropped: Dropped::ALL
                .map(|reason| (reason, dropped[reason as usize].load(Relaxed)))
                .to_vec(),
            rotations: shared.rotations.load(Relaxed),
            failures: shared.failures.load(Relaxed),
            last_failure: shared.last_failure.lock().clone(),
            volatile: shared.is_volatile(),
        }
    }

    /// The journal is closed, or this process is a forked child of its owner.
    #[cold]
    fn write_elsewhere(&self, stream: Stream, line: &[u8]) -> Result<(), Dropped> {
        let shared = &self.inner.shared;
        if shared.is_owner() {
            return Err(shared.drop_one(Dropped::Closed));
        }
        let open = || {
            Self::open(shared.options.clone())
                .ok()
                .map(|(journal, _)| journal)
        };
        match self.inner.child.get_or_init(open) {
            Some(child) => child.write(stream, line),
            None => Err(shared.drop_one(Dropped::Forked)),
        }
    }
}

impl Inner {
    fn child(&self) -> Option<&Journal> {
        self.child.get().and_then(Option::as_ref)
    }

    fn close(&self, timeout: Duration) -> Result<(), Unflushed> {
        let shared = &self.shared;
        if !shared.is_owner() {
            return self.child().map_or(Ok(()), |child| child.close(timeout));
        }
        shared.alive.lower();
        shared.closing.store(true, Release);
        if shared.wait_finished(timeout) {
            return Ok(());
        }
        Err(Unflushed {
            bytes: shared.ring.used(),
        })
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let drainer = self.drainer.take();
        // What is not drained in time is recovered by the next start, so there is nothing to say.
        let closed = self.close(LINGER);
        match drainer {
            Some(drainer) if !self.shared.is_owner() => {
                // The thread is the parent's. Its handle may well name one of ours by now, which
                // letting go of the handle would detach.
                std::mem::forget(drainer);
            }
            Some(drainer) if closed.is_ok() => {
                let _ = drainer.join();
            }
            _ => {}
        }
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
