//! `CorrelationContext`: everything known about who asked for this work.

use std::{fmt, sync::Arc};

use super::{
    AgentName, OrganizationId, RequestId, RunId, SessionId, SpanId, StepId, TraceId, UserId,
    WorkflowId,
};
use crate::schema::fields::CONTEXT_FIELDS;

/// The ids that tie log lines, spans, services and browsers together. Cloning is a reference count.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CorrelationContext {
    inner: Arc<Inner>,
}

/// Builds a [`CorrelationContext`]. Every setter defaults to "not known".
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ContextBuilder {
    inner: Inner,
}

macro_rules! context {
    (copy { $($(#[doc = $cdoc:literal])* $cfield:ident: $ctype:ty,)* } clone { $($(#[doc = $doc:literal])* $field:ident: $type:ty,)* }) => {
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        struct Inner {
            $($cfield: Option<$ctype>,)*
            $($field: Option<$type>,)*
            trace_flags: Option<u8>,
            trace_state: Option<Arc<str>>,
            baggage: Vec<(Arc<str>, Arc<str>)>,
        }

        impl CorrelationContext {
            $($(#[doc = $cdoc])*
            #[must_use]
            pub fn $cfield(&self) -> Option<$ctype> {
                self.inner.$cfield
            })*

            $($(#[doc = $doc])*
            #[must_use]
            pub fn $field(&self) -> Option<&$type> {
                self.inner.$field.as_ref()
            })*
        }

        impl ContextBuilder {
            $($(#[doc = $cdoc])*
            pub fn $cfield(mut self, value: impl Into<Option<$ctype>>) -> Self {
                self.inner.$cfield = value.into();
                self
            })*

            $($(#[doc = $doc])*
            pub fn $field(mut self, value: impl Into<Option<$type>>) -> Self {
                self.inner.$field = value.into();
                self
            })*
        }
    };
}

context! {
    copy {
        /// The trace.
        trace_id: TraceId,
        /// The span that is current where this context was taken: the parent of what comes next.
        span_id: SpanId,
        /// The parent of that span.
        parent_span_id: SpanId,
    }
    clone {
        /// The request, as named by `X-Request-ID`.
        request_id: RequestId,
        /// The browser session.
        session_id: SessionId,
        /// The user on whose behalf work is done.
        user_id: UserId,
        /// The user's organization: the customer.
        organization_id: OrganizationId,
        /// The workflow's definition.
        workflow_id: WorkflowId,
        /// One run of a workflow.
        run_id: RunId,
        /// One step of a run.
        step_id: StepId,
        /// The agent or model that acts.
        agent: AgentName,
    }
}

impl CorrelationContext {
    /// Starts with nothing known.
    pub fn builder() -> ContextBuilder {
        ContextBuilder::default()
    }

    /// Starts with what this context knows.
    pub fn to_builder(&self) -> ContextBuilder {
        ContextBuilder {
            inner: (*self.inner).clone(),
        }
    }

    /// The flags of `traceparent`: bit 0 sampled, bit 1 random trace id. The caller's, where a
    /// trace came in; both, for a trace that began here.
    #[must_use]
    pub fn trace_flags(&self) -> u8 {
        self.inner.trace_flags.unwrap_or(0b11)
    }

    /// The other vendors' `tracestate`, as it came.
    #[must_use]
    pub fn trace_state(&self) -> Option<&str> {
        self.inner.trace_state.as_deref()
    }

    /// The members of W3C Baggage, decoded, in order.
    #[must_use]
    pub fn baggage(&self) -> &[(Arc<str>, Arc<str>)] {
        &self.inner.baggage
    }

    /// A builder with only what is no field: flags, `tracestate`, baggage.
    #[cfg(feature = "runtime")]
    pub(crate) fn carried_only(&self) -> ContextBuilder {
        ContextBuilder {
            inner: Inner {
                trace_flags: self.inner.trace_flags,
                trace_state: self.inner.trace_state.clone(),
                baggage: self.inner.baggage.clone(),
                ..Inner::default()
            },
        }
    }

    /// True if nothing at all is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self.inner == Inner::default()
    }

    /// Calls `each` with the name and wire form of everything known, in the schema's order.
    pub fn for_each(&self, mut each: impl FnMut(&'static str, &str)) {
        self.for_each_slot(|slot, value| each(CONTEXT_FIELDS[slot], value));
    }

    /// The same with each one's place in [`CONTEXT_FIELDS`].
    pub(crate) fn for_each_slot(&self, mut each: impl FnMut(usize, &str)) {
        let inner = &*self.inner;
        let trace_id = inner.trace_id.map(TraceId::to_hex);
        let span_id = inner.span_id.map(SpanId::to_hex);
        let parent_span_id = inner.parent_span_id.map(SpanId::to_hex);
        let values = [
            inner.request_id.as_ref().map(RequestId::as_str),
            text(trace_id.as_ref()),
            text(span_id.as_ref()),
            text(parent_span_id.as_ref()),
            inner.session_id.as_ref().map(SessionId::as_str),
            inner.user_id.as_ref().map(UserId::as_str),
            inner.organization_id.as_ref().map(OrganizationId::as_str),
            inner.workflow_id.as_ref().map(WorkflowId::as_str),
            inner.run_id.as_ref().map(RunId::as_str),
            inner.step_id.as_ref().map(StepId::as_str),
            inner.agent.as_ref().map(AgentName::as_str),
        ];
        for (slot, value) in values.into_iter().enumerate() {
            if let Some(value) = value {
                each(slot, value);
            }
        }
    }
}

/// Digits as text.
fn text<const N: usize>(digits: Option<&[u8; N]>) -> Option<&str> {
    digits.and_then(|digits| std::str::from_utf8(digits).ok())
}

impl ContextBuilder {
    /// The flags of `traceparent`. Defaults to those of a trace that begins here: sampled, random.
    pub fn trace_flags(mut self, flags: u8) -> Self {
        self.inner.trace_flags = Some(flags);
        self
    }

    /// The validated `tracestate` to pass on. Defaults to none.
    pub fn trace_state(mut self, state: impl Into<Option<Arc<str>>>) -> Self {
        self.inner.trace_state = state.into();
        self
    }

    /// Adds a member of W3C Baggage.
    pub fn baggage(mut self, key: impl Into<Arc<str>>, value: impl Into<Arc<str>>) -> Self {
        self.inner.baggage.push((key.into(), value.into()));
        self
    }

    /// The finished context.
    #[must_use]
    pub fn build(self) -> CorrelationContext {
        CorrelationContext {
            inner: Arc::new(self.inner),
        }
    }
}

impl fmt::Debug for CorrelationContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        self.for_each(|name, value| {
            map.entry(&name, &value);
        });
        map.finish()
    }
}
