//! What can go wrong, and why a line can be lost.

use std::path::PathBuf;

use super::header::REASONS;

/// The journal could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The directory could not be made.
    #[error("OT0101: the log directory {path} cannot be made: {source}")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Every slot is held by a running process.
    #[error(
        "OT0102: {path} is in use by {slots} journals already, which is as many as there can be"
    )]
    NoSlot {
        /// The directory.
        path: PathBuf,
        /// How many slots there are.
        slots: u32,
    },
    /// The drainer could not be started.
    #[error("OT0103: the journal's thread cannot be started: {0}")]
    Thread(std::io::Error),
    /// An option makes no sense.
    #[error("OT0104: journal option {option}: {problem}")]
    Option {
        /// The option's name.
        option: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// Memory for the ring could not be had, neither in a file nor plain.
    #[error("OT0105: no memory for a ring of {bytes} bytes: {source}")]
    Memory {
        /// Bytes asked for.
        bytes: usize,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl JournalError {
    /// The stable code, which `docs/errors.md` explains.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Directory { .. } => "OT0101",
            Self::NoSlot { .. } => "OT0102",
            Self::Thread(_) => "OT0103",
            Self::Option { .. } => "OT0104",
            Self::Memory { .. } => "OT0105",
        }
    }
}

/// Why a line was not taken. Each one is counted, and a `log_loss` line tells how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
#[repr(u8)]
pub enum Dropped {
    /// The ring is full, and the policy says to drop (or waiting took too long).
    #[error("the journal is full")]
    Full = 0,
    /// The line is longer than the journal takes.
    #[error("the line is too long for the journal")]
    TooLarge = 1,
    /// The journal is closed.
    #[error("the journal is closed")]
    Closed = 2,
    /// This process was forked off the journal's, and no journal of its own could be opened.
    #[error("the journal belongs to the parent process")]
    Forked = 3,
}

impl Dropped {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::Full, Self::TooLarge, Self::Closed, Self::Forked];

    /// The reason as a `log_loss` line and a metric's label name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::TooLarge => "too_large",
            Self::Closed => "closed",
            Self::Forked => "forked",
        }
    }
}

const _: () = assert!(Dropped::ALL.len() <= REASONS);

/// The time given to [`flush`](super::Journal::flush) or [`close`](super::Journal::close) was over
/// before all lines were in the files. They are still in the ring, and will be drained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("OT0106: {bytes} bytes of log lines were not in the files in time")]
pub struct Unflushed {
    /// Bytes of the ring that still wait.
    pub bytes: u64,
}
