//! What the journal knows about itself.

use super::error::Dropped;

/// A moment's figures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalStats {
    /// Lines drained into files since the journal was opened.
    pub lines: u64,
    /// Bytes of them, line ends included.
    pub bytes: u64,
    /// Bytes of the ring that wait to be drained.
    pub queued_bytes: u64,
    /// Bytes that the ring holds.
    pub ring_bytes: u64,
    /// Lines lost, by reason, those of earlier runs that were not told yet included.
    pub dropped: Vec<(Dropped, u64)>,
    /// Files set aside.
    pub rotations: u64,
    /// Failed attempts to write a batch; the lines wait in the ring for the next attempt.
    pub failures: u64,
    /// What the last failure said.
    pub last_failure: Option<String>,
    /// Whether the ring lies in plain memory and would not survive a crash.
    pub volatile: bool,
}

impl JournalStats {
    /// Lines lost, for whatever reason.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.dropped.iter().map(|(_, count)| count).sum()
    }
}
