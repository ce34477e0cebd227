//! The ids that a span has where its fields give none.

use super::{PARENT_SPAN_ID, SPAN_ID, TRACE_ID};
use crate::context::hex_u64;

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
    /// The digits of one of the three, or nothing.
    pub(super) fn digits(self, slot: usize) -> Digits {
        let mut digits = Digits {
            bytes: [0; 32],
            length: 0,
        };
        let id = match slot {
            TRACE_ID => {
                digits.bytes[16..].copy_from_slice(&hex_u64(self.trace as u64));
                (self.trace >> 64) as u64
            }
            SPAN_ID => self.span,
            PARENT_SPAN_ID => self.parent,
            _ => return digits,
        };
        digits.bytes[..16].copy_from_slice(&hex_u64(id));
        if slot == TRACE_ID && self.trace != 0 {
            digits.length = 32;
        } else if slot != TRACE_ID && id != 0 {
            digits.length = 16;
        }
        digits
    }
}

pub(super) struct Digits {
    bytes: [u8; 32],
    length: usize,
}

impl Digits {
    pub(super) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}
