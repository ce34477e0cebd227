//! What the layer keeps of an open span: its own fields, and a ready fragment of the line that
//! holds those of all its ancestors too.
//!
//! The fragment of span creation never changes and is read without a lock. A late `record`
//! anywhere in a tree of spans raises the tree's epoch; from then on events in that tree look at a
//! second fragment, behind a lock, that is rendered anew whenever it is older than the epoch.

mod fragment;
mod ids;
mod own;
mod piece;
mod visitor;

use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::{Mutex, MutexGuard};
use tracing_core::span;

pub(crate) use self::fragment::{Fragment, close_context, context_member};
use self::{fragment::Ready, ids::Ids, own::Own, piece::Piece, visitor::SpanVisitor};
use super::{
    json,
    plan::Plan,
    policy::Recording,
    pool,
    shared::{Alone, Shared},
};
use crate::{
    context::{CorrelationContext, SpanId, TraceId, rng},
    redact::Redactor,
    schema::fields::CONTEXT_FIELDS,
};

pub(crate) const SLOTS: usize = CONTEXT_FIELDS.len();
pub(crate) const TRACE_ID: usize = 1;
pub(crate) const SPAN_ID: usize = 2;
pub(crate) const PARENT_SPAN_ID: usize = 3;

#[derive(Default)]
struct Late {
    epoch: u32,
    fragment: Fragment,
}

/// An open span.
pub(crate) struct SpanState {
    parent: Option<Shared<Self>>,
    /// The root, in every fourth generation: the others reach it in a few steps, without a share in
    /// it that would have to be counted.
    root: Option<Shared<Self>>,
    generation: u32,
    ready: Ready,
    ids: Ids,
    /// Of the whole tree; only the root's is used.
    epoch: AtomicU32,
    own: Mutex<Own>,
    first: Fragment,
    late: Mutex<Late>,
    /// What came from the wire and is no field: flags, `tracestate`, baggage.
    carrier: Option<CorrelationContext>,
    trace_id: u128,
    span_id: u64,
    /// Of the whole tree; only the root's is used, and only by the flight recorder.
    pub(crate) recording: Mutex<Recording>,
}

impl SpanState {
    pub(super) fn empty() -> Self {
        Self {
            parent: None,
            root: None,
            generation: 0,
            ready: Ready::default(),
            ids: Ids::default(),
            epoch: AtomicU32::new(0),
            own: Mutex::default(),
            first: Fragment::default(),
            late: Mutex::default(),
            carrier: None,
            trace_id: 0,
            span_id: 0,
            recording: Mutex::default(),
        }
    }

    pub(crate) fn open(
        attributes: &span::Attributes<'_>,
        plan: &'static Plan,
        redactor: Option<&Redactor>,
        parent: Option<Shared<Self>>,
        attached: Option<CorrelationContext>,
    ) -> Alone<Self> {
        let mut state = pool::take().unwrap_or_else(|| Alone::new(Self::empty()));
        state.fill(attributes, plan, redactor, parent, attached);
        state
    }

    fn fill(
        &mut self,
        attributes: &span::Attributes<'_>,
        plan: &'static Plan,
        redactor: Option<&Redactor>,
        parent: Option<Shared<Self>>,
        attached: Option<CorrelationContext>,
    ) {
        self.ready = Ready {
            service: plan.service.bytes(),
            opening: &plan.span,
        };
        self.generation = parent.as_ref().map_or(0, |parent| parent.generation + 1);
        if self.generation.is_multiple_of(4) {
            self.root = parent.as_ref().map(Self::shared_root);
        }
        self.parent = parent;
        let own = self.own.get_mut();
        attributes.record(&mut SpanVisitor {
            own,
            plan,
            redactor,
        });
        if let Some(context) = &attached {
            own.attach(context);
        }
        self.carrier = attached.or_else(|| self.parent.as_ref()?.carrier.clone());
        self.identify();
        let parent = self.parent.as_deref();
        // A context of another trace was attached: what the parent knows is not about this work.
        let inherits = parent.is_none_or(|parent| parent.trace_id == self.trace_id);
        let (ready, ids) = (self.ready, self.ids);
        let own = self.own.get_mut();
        let first = &mut self.first;
        match parent.filter(|_| inherits) {
            Some(parent) => {
                parent.with_fragment(|parent| first.render(ready, own, ids, Some(parent)));
            }
            None => first.render(ready, own, ids, None),
        }
        if !inherits {
            self.generation = 0;
            self.parent = None;
            self.root = None;
        }
    }

    /// Decides trace id, span id and parent span id, where the fields did not.
    fn identify(&mut self) {
        let parent = self.parent.as_deref();
        let own = self.own.get_mut();
        self.ids = Ids::default();
        self.trace_id = match (own.given::<TraceId>(TRACE_ID), parent) {
            (Some(given), _) => given.map_or_else(|| rng::nonzero_u128().get(), TraceId::to_u128),
            (None, Some(parent)) => parent.trace_id,
            (None, None) => {
                self.ids.trace = rng::nonzero_u128().get();
                self.ids.trace
            }
        };
        self.span_id = match own.given::<SpanId>(SPAN_ID) {
            Some(Some(id)) => id.to_u64(),
            given => {
                if given.is_some() {
                    own.context.forget(SPAN_ID);
                }
                self.ids.span = rng::nonzero_u64().get();
                self.ids.span
            }
        };
        if let Some(parent) = parent.filter(|parent| parent.trace_id == self.trace_id)
            && own.context.get(PARENT_SPAN_ID).is_none()
        {
            self.ids.parent = parent.span_id;
        }
    }

    /// The outermost span of this one's tree.
    #[inline]
    pub(crate) fn root(&self) -> &Self {
        let mut span = self;
        while let Some(outer) = span.outer() {
            span = outer;
        }
        span
    }

    fn shared_root(this: &Shared<Self>) -> Shared<Self> {
        let mut span = this;
        while let Some(outer) = span.outer() {
            span = outer;
        }
        Shared::clone(span)
    }

    /// A step outwards, the longest that this span knows.
    #[inline]
    fn outer(&self) -> Option<&Shared<Self>> {
        self.root.as_ref().or(self.parent.as_ref())
    }

    pub(crate) fn is_root(&self) -> bool {
        self.parent.is_none()
    }

    pub(crate) fn trace_id(&self) -> u128 {
        self.trace_id
    }

    fn tree_epoch(&self) -> u32 {
        self.root().epoch.load(Ordering::Acquire)
    }

    fn raise_epoch(&self) {
        self.root().epoch.fetch_add(1, Ordering::Release);
    }

    /// Calls `read` with the fragment that holds everything recorded so far.
    #[inline]
    pub(crate) fn with_fragment<R>(&self, read: impl FnOnce(&Fragment) -> R) -> R {
        let epoch = self.tree_epoch();
        if epoch == 0 {
            return read(&self.first);
        }
        read(&self.fresh(epoch).fragment)
    }

    /// The late fragment, rendered anew if it is older than `epoch`. Locks go from child to parent.
    #[cold]
    fn fresh(&self, epoch: u32) -> MutexGuard<'_, Late> {
        let mut late = self.late.lock();
        if late.epoch != epoch {
            let own = self.own.lock();
            let parent = self.parent.as_deref().map(|parent| parent.fresh(epoch));
            let parent = parent.as_ref().map(|parent| &parent.fragment);
            late.fragment.render(self.ready, &own, self.ids, parent);
            late.epoch = epoch;
        }
        late
    }

    pub(crate) fn record(
        &self,
        plan: &'static Plan,
        redactor: Option<&Redactor>,
        values: &span::Record<'_>,
    ) {
        // The user's Debug code runs before the lock is taken: it may log in this very span.
        let mut fresh = Own::default();
        values.record(&mut SpanVisitor {
            own: &mut fresh,
            plan,
            redactor,
        });
        self.own.lock().merge(&fresh);
        self.raise_epoch();
    }

    pub(crate) fn follow(&self, other: &Self) {
        let mut own = self.own.lock();
        let earlier = own.follows_from.of(&own.values).to_vec();
        let start = own.values.len();
        own.values.extend_from_slice(&earlier);
        if !earlier.is_empty() {
            own.values.push(b',');
        }
        own.values.push(b'"');
        json::hex(&mut own.values, &other.span_id.to_be_bytes());
        own.values.push(b'"');
        own.follows_from = Piece::since(start, &own.values);
        drop(own);
        self.raise_epoch();
    }

    /// Everything known here, typed.
    pub(crate) fn context(&self) -> CorrelationContext {
        let builder = self
            .carrier
            .as_ref()
            .map_or_else(CorrelationContext::builder, |carrier| {
                carrier.carried_only()
            });
        self.with_fragment(|fragment| {
            let text = |slot| unescape(fragment.context(slot));
            builder
                .request_id(text(0).and_then(|t| t.parse().ok()))
                .trace_id(text(TRACE_ID).and_then(|t| t.parse().ok()))
                .span_id(text(SPAN_ID).and_then(|t| t.parse().ok()))
                .parent_span_id(text(PARENT_SPAN_ID).and_then(|t| t.parse().ok()))
                .session_id(text(4).and_then(|t| t.parse().ok()))
                .user_id(text(5).and_then(|t| t.parse().ok()))
                .organization_id(text(6).and_then(|t| t.parse().ok()))
                .workflow_id(text(7).and_then(|t| t.parse().ok()))
                .run_id(text(8).and_then(|t| t.parse().ok()))
                .step_id(text(9).and_then(|t| t.parse().ok()))
                .agent(text(10).and_then(|t| t.parse().ok()))
                .build()
        })
    }

    /// Makes the memory ready for another span; gives back what it held on to.
    pub(crate) fn reset(&mut self) -> (Option<Shared<Self>>, Option<Shared<Self>>) {
        self.own.get_mut().clear();
        let late = self.late.get_mut();
        if late.epoch != 0 {
            late.epoch = 0;
            late.fragment.clear();
        }
        *self.epoch.get_mut() = 0;
        self.recording.get_mut().clear();
        self.carrier = None;
        (self.parent.take(), self.root.take())
    }

    /// Bytes of buffers kept for reuse.
    pub(crate) fn footprint(&self) -> usize {
        self.first.bytes.capacity()
    }
}

fn unescape(escaped: &[u8]) -> Option<std::borrow::Cow<'_, str>> {
    if escaped.is_empty() {
        return None;
    }
    if !escaped.contains(&b'\\') {
        return std::str::from_utf8(escaped).ok().map(Into::into);
    }
    let quoted = [b"\"", escaped, b"\""].concat();
    serde_json::from_slice::<String>(&quoted)
        .ok()
        .map(Into::into)
}
