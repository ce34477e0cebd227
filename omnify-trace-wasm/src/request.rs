//! Requests that the page has open.

use alloc::{string::String, vec::Vec};

use crate::{ids::Ids, trace::Root};

/// More open requests than this are not followed.
const MOST: usize = 256;

/// A request between start and end.
pub(crate) struct Open {
    pub(crate) method: String,
    /// Path on the page's own origin, else origin and path.
    pub(crate) path: String,
    /// The trace, and the request's own span in it.
    pub(crate) root: Root,
    pub(crate) parent_span_id: String,
    pub(crate) request_id: String,
    pub(crate) started: f64,
}

impl Open {
    pub(crate) fn new(method: &str, path: String, parent: &Root, ids: &mut Ids, now: f64) -> Self {
        Self {
            method: method.into(),
            path,
            root: Root {
                trace_id: parent.trace_id.clone(),
                span_id: ids.short(),
            },
            parent_span_id: parent.span_id.clone(),
            request_id: ids.uuid(),
            started: now,
        }
    }

    /// W3C Trace Context: sampled or not, and a random id.
    pub(crate) fn traceparent(&self, sampled: bool) -> String {
        let mut out = String::with_capacity(55);
        out.push_str("00-");
        out.push_str(&self.root.trace_id);
        out.push('-');
        out.push_str(&self.root.span_id);
        out.push_str(if sampled { "-03" } else { "-02" });
        out
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

    /// Gives the request back and frees its slot.
    pub(crate) fn close(&mut self, slot: u32) -> Option<Open> {
        self.slots.get_mut(slot as usize)?.take()
    }
}
