//! The ids that a span has where its fields give none.

use super::{PARENT_SPAN_ID, SPAN_ID, TRACE_ID};

/// The ids that a span has where its fields give none.
#[derive(Clone, Copy, Default)]
pub(super) struct Ids {
    /// Empty (zero) if the parent's text has it.
    pub(super) trace: u128,
    pub(super) span: u64,
    /// Zero for none.
    pub(super) parent: u64,
}

impl Ids {
    /// A bit for each of the three that there is, at its place in the context.
    #[inline]
    pub(super) fn made(self) -> u16 {
        u16::from(self.trace != 0) << TRACE_ID
            | u16::from(self.span != 0) << SPAN_ID
            | u16::from(self.parent != 0) << PARENT_SPAN_ID
    }

    /// One of the three: its upper half, if it has two, and its lower one.
    #[inline]
    pub(super) fn halves(self, slot: usize) -> (Option<u64>, u64) {
        match slot {
            TRACE_ID => (Some((self.trace >> 64) as u64), self.trace as u64),
            PARENT_SPAN_ID => (None, self.parent),
            _ => (None, self.span),
        }
    }
}
