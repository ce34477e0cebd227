//! What a thread keeps at hand: the entered spans, the line buffers, the plans, the second.

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
};

use tracing_core::{Metadata, span};

use super::{
    clock::StampCache,
    plan::{Plan, PlanCache},
    span::SpanState,
};
use crate::context::CorrelationContext;

/// A span that this thread is inside of.
pub(crate) struct Entered {
    /// Which layer saw it: several may be at work on one thread.
    pub(crate) layer: usize,
    pub(crate) id: u64,
    pub(crate) state: Arc<SpanState>,
}

/// One thread's things.
pub(crate) struct Local {
    pub(crate) line: Cell<Vec<u8>>,
    pub(crate) extra: Cell<Vec<u8>>,
    pub(crate) stamp: StampCache,
    pub(crate) plans: PlanCache,
    pub(crate) entered: RefCell<Vec<Entered>>,
    /// The context for the next span that this thread creates.
    pub(crate) attached: Cell<Option<CorrelationContext>>,
}

thread_local! {
    static LOCAL: Local = const { Local::new() };
}

/// Calls `with` with this thread's things; `None` while the thread is being torn down.
#[inline]
pub(crate) fn local<R>(with: impl FnOnce(&Local) -> R) -> Option<R> {
    LOCAL.try_with(with).ok()
}

impl Local {
    pub(crate) const fn new() -> Self {
        Self {
            line: Cell::new(Vec::new()),
            extra: Cell::new(Vec::new()),
            stamp: StampCache::new(),
            plans: PlanCache::new(),
            entered: RefCell::new(Vec::new()),
            attached: Cell::new(None),
        }
    }

    #[inline]
    pub(crate) fn with_current<R>(
        &self,
        layer: usize,
        read: impl FnOnce(Option<&Arc<SpanState>>) -> R,
    ) -> R {
        let entered = self.entered.borrow();
        let top = entered.iter().rev().find(|entry| entry.layer == layer);
        read(top.map(|entry| &entry.state))
    }

    /// The context for the span that is being created. It stays: several layers may want it.
    pub(crate) fn attached(&self) -> Option<CorrelationContext> {
        let attached = self.attached.take();
        if attached.is_some() {
            self.attached.set(attached.clone());
        }
        attached
    }

    pub(crate) fn enter(&self, layer: usize, id: &span::Id, state: Arc<SpanState>) {
        self.entered.borrow_mut().push(Entered {
            layer,
            id: id.into_u64(),
            state,
        });
    }

    pub(crate) fn exit(&self, layer: usize, id: &span::Id) {
        let mut entered = self.entered.borrow_mut();
        let id = id.into_u64();
        let at = entered
            .iter()
            .rposition(|entry| entry.layer == layer && entry.id == id);
        let left = at.map(|at| entered.remove(at));
        drop(entered);
        drop(left);
    }
}

/// The plan of a callsite, also while the thread is being torn down.
pub(crate) fn plan(metadata: &'static Metadata<'static>) -> &'static Plan {
    local(|local| local.plans.get(metadata)).unwrap_or_else(|| PlanCache::new().get(metadata))
}
