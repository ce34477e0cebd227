//! Memory of closed spans, kept for the next ones of the same thread.

use std::cell::RefCell;

use super::{shared::Alone, span::SpanState};

const KEPT: usize = 64;
/// A span that grew past this gives its memory back.
const LARGEST: usize = 16 * 1024;

thread_local! {
    static POOL: RefCell<Vec<Alone<SpanState>>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn take() -> Option<Alone<SpanState>> {
    POOL.try_with(|pool| pool.try_borrow_mut().ok()?.pop())
        .ok()
        .flatten()
}

/// Takes a closed span's memory back.
pub(crate) fn give(mut state: Alone<SpanState>) {
    let held = state.reset();
    if state.footprint() <= LARGEST {
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
