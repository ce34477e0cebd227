//! What a thread keeps at hand: the entered spans, the line buffers, the plans, the second.

use std::cell::{Cell, RefCell};

use tracing_core::{Metadata, span};

use super::{
    clock::StampCache,
    line::Line,
    plan::{Plan, PlanCache, ServicePart},
    shared::Shared,
    span::SpanState,
};
use crate::context::CorrelationContext;

/// A span that this thread is inside of.
pub(crate) struct Entered {
    /// Which layer saw it: several may be at work on one thread.
    pub(crate) layer: usize,
    pub(crate) id: u64,
    pub(crate) state: Shared<SpanState>,
    /// Whether this thread created it.
    born_here: bool,
}

/// One thread's things.
pub(crate) struct Local {
    /// The next line, where it is written the quick way.
    pub(super) quick_line: Cell<Option<Box<Line>>>,
    pub(crate) line: Cell<Vec<u8>>,
    pub(crate) extra: Cell<Vec<u8>>,
    pub(crate) stamp: StampCache,
    pub(crate) plans: PlanCache,
    pub(crate) entered: RefCell<Vec<Entered>>,
    /// Of the spans that this thread created, the one that it created or left last: most probably
    /// the next that it enters.
    ///
    /// Keeping it is sound although the registry uses ids again (after some thousand turns even
    /// with the same generation): it gives an id of this thread's to another span only by creating
    /// that one on this thread, which then is at hand instead. So no span of another thread may be
    /// kept here.
    at_hand: Cell<Option<Entered>>,
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
            quick_line: Cell::new(None),
            line: Cell::new(Vec::new()),
            extra: Cell::new(Vec::new()),
            stamp: StampCache::new(),
            plans: PlanCache::new(),
            entered: RefCell::new(Vec::new()),
            at_hand: Cell::new(None),
            attached: Cell::new(None),
        }
    }

    #[inline]
    pub(crate) fn with_current<R>(
        &self,
        layer: usize,
        read: impl FnOnce(Option<&Shared<SpanState>>) -> R,
    ) -> R {
        let entered = self.entered.borrow();
        let top = entered.iter().rev().find(|entry| entry.layer == layer);
        read(top.map(|entry| &entry.state))
    }

    /// A handle of the innermost span that this thread is inside of.
    #[inline]
    pub(crate) fn current(&self, layer: usize) -> Option<Shared<SpanState>> {
        self.with_current(layer, |state| Some(Shared::clone(state?)))
    }

    /// The context for the span that is being created. It stays: several layers may want it.
    pub(crate) fn attached(&self) -> Option<CorrelationContext> {
        let attached = self.attached.take();
        if attached.is_some() {
            self.attached.set(attached.clone());
        }
        attached
    }

    /// Keeps a span that was just created at hand.
    pub(crate) fn created(&self, layer: usize, id: &span::Id, state: Shared<SpanState>) {
        self.at_hand.set(Some(Entered {
            layer,
            id: id.into_u64(),
            state,
            born_here: true,
        }));
    }

    /// Enters the span if it is at hand.
    pub(crate) fn enter_at_hand(&self, layer: usize, id: &span::Id) -> bool {
        let Some(entry) = self.at_hand.take() else {
            return false;
        };
        if entry.layer == layer && entry.id == id.into_u64() {
            self.entered.borrow_mut().push(entry);
            return true;
        }
        self.at_hand.set(Some(entry));
        false
    }

    pub(crate) fn enter(&self, layer: usize, id: &span::Id, state: Shared<SpanState>) {
        self.entered.borrow_mut().push(Entered {
            layer,
            id: id.into_u64(),
            state,
            born_here: false,
        });
    }

    pub(crate) fn exit(&self, layer: usize, id: &span::Id) {
        let mut entered = self.entered.borrow_mut();
        let id = id.into_u64();
        let is = |entry: &Entered| entry.layer == layer && entry.id == id;
        let left = if entered.last().is_some_and(is) {
            entered.pop()
        } else {
            let at = entered.iter().rposition(is);
            at.map(|at| entered.remove(at))
        };
        drop(entered);
        if let Some(left) = left.filter(|left| left.born_here) {
            self.at_hand.set(Some(left));
        }
    }

    /// Forgets a span that is being closed, if it is at hand.
    pub(crate) fn closed(&self, layer: usize, id: &span::Id) -> Option<Shared<SpanState>> {
        let entry = self.at_hand.take()?;
        if entry.layer == layer && entry.id == id.into_u64() {
            return Some(entry.state);
        }
        self.at_hand.set(Some(entry));
        None
    }
}

/// The plan of a callsite, also while the thread is being torn down.
pub(crate) fn plan(metadata: &'static Metadata<'static>, service: ServicePart) -> &'static Plan {
    local(|local| local.plans.get(metadata, service))
        .unwrap_or_else(|| PlanCache::new().get(metadata, service))
}
