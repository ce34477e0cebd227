//! A request's headers, looked through once.

use std::cell::Cell;

use http::{HeaderMap, HeaderValue, header};
use omnify_trace::propagation::Extractor;

/// Headers that a look for the caller's context notes in passing: each asked for by name would
/// cost as much as walking past ten of them.
pub(super) struct Head<'h> {
    headers: &'h HeaderMap,
    pub(super) user_agent: Cell<Option<&'h HeaderValue>>,
    pub(super) content_length: Cell<Option<&'h HeaderValue>>,
    pub(super) authorization: Cell<Option<&'h HeaderValue>>,
}

impl<'h> Head<'h> {
    pub(super) const fn of(headers: &'h HeaderMap) -> Self {
        Self {
            headers,
            user_agent: Cell::new(None),
            content_length: Cell::new(None),
            authorization: Cell::new(None),
        }
    }
}

impl Extractor for Head<'_> {
    fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a str, &'a [u8])) {
        for (name, value) in self.headers {
            let note = match *name {
                header::USER_AGENT => &self.user_agent,
                header::CONTENT_LENGTH => &self.content_length,
                header::AUTHORIZATION => &self.authorization,
                _ => {
                    visit(name.as_str(), value.as_bytes());
                    continue;
                }
            };
            // As `HeaderMap::get` has it, the first counts.
            if note.get().is_none() {
                note.set(Some(value));
            }
        }
    }
}
