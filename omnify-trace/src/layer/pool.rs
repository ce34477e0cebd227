//! Memory of closed spans, kept for the next ones of the same thread.

use std::{cell::RefCell, sync::Arc};

use super::span::SpanState;

const KEPT: usize = 64;
/// A span that grew past this gives its memory back.
const LARGEST: usize = 16 * 1024;

thread_local! {
    static POOL: RefCell<Vec<Arc<SpanState>>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn take() -> Option<Arc<SpanState>> {
    POOL.try_with(|pool| pool.try_borrow_mut().ok()?.pop())
        .ok()
        .flatten()
}

/// Takes the memory back if nobody else looks at it, and that of ancestors it was the last to hold.
pub(crate) fn give(mut state: Arc<SpanState>) {
    let Some(span) = Arc::get_mut(&mut state) else {
        return;
    };
    let held = span.reset();
    if span.footprint() <= LARGEST {
        let _ = POOL.try_with(|pool| {
            if let Ok(mut pool) = pool.try_borrow_mut()
                && pool.len() < KEPT
            {
                pool.push(state);
            }
        });
    }
    drop(held);
}
