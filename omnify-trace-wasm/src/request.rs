//! Requests that the page has open.

use alloc::vec::Vec;

use crate::{ids::Ids, trace::Root};

/// More open requests than this are not followed.
const MOST: usize = 256;

/// A request between start and end.
pub(crate) struct Open {
    /// The trace, and the request's own span in it.
    pub(crate) root: Root,
    pub(crate) parent_span_id: Vec<u8>,
    pub(crate) request_id: Vec<u8>,
}

impl Open {
    pub(crate) fn new(parent: &Root, ids: &mut Ids) -> Self {
        Self {
            root: Root {
                trace_id: parent.trace_id.clone(),
                span_id: ids.short(),
            },
            parent_span_id: parent.span_id.clone(),
            request_id: ids.uuid(),
        }
    }

    /// Appends 55 bytes of W3C `traceparent`, sampled or not, with a random id, then 36 of `X-Request-ID`.
    pub(crate) fn headers(&self, sampled: bool, out: &mut Vec<u8>) {
        for part in [
            b"00-",
            &*self.root.trace_id,
            b"-",
            &self.root.span_id,
            if sampled { b"-03" } else { b"-02" },
            &self.request_id,
        ] {
            out.extend_from_slice(part);
        }
    }
}

/// The open requests by slot.
#[derive(Default)]
pub(crate) struct Requests {
    slots: Vec<Option<Open>>,
}

impl Requests {
    /// Keeps a request; answers its slot, or `None` when too many are open.
    pub(crate) fn open(&mut self, request: Open) -> Option<u32> {
        let free = self.slots.iter().position(Option::is_none);
        let slot = match free {
            Some(slot) => slot,
            None if self.slots.len() < MOST => {
                self.slots.push(None);
                self.slots.len() - 1
            }
            None => return None,
        };
        *self.slots.get_mut(slot)? = Some(request);
        Some(slot as u32)
    }

    /// The request in a slot.
    pub(crate) fn get(&self, slot: u32) -> Option<&Open> {
        self.slots.get(slot as usize)?.as_ref()
    }

    /// Gives the request back and frees its slot.
    pub(crate) fn close(&mut self, slot: u32) -> Option<Open> {
        self.slots.get_mut(slot as usize)?.take()
    }
}
