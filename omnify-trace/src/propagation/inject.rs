//! Writing context to a carrier.

use super::baggage::{BAGGAGE, Baggage};
use super::remote::TraceFlags;
use super::{Injector, b3, request_id, traceparent, tracestate};
use crate::context::{CorrelationContext, SpanId, TraceId};

/// What goes out with one call. `span_id` is the call's own: every outgoing call has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outgoing<'a> {
    /// 0 leaves the trace headers out.
    pub trace_id: u128,
    /// The call's own span; 0 leaves the trace headers out.
    pub span_id: u64,
    /// The trace's flags.
    pub flags: TraceFlags,
    /// The validated `tracestate` that came in.
    pub tracestate: Option<&'a str>,
    /// The request on whose behalf the call is made.
    pub request_id: Option<&'a str>,
    /// Baggage in wire form: only for hosts that may have it.
    pub baggage: Option<&'a str>,
    /// Also write the single `b3` header.
    pub b3: bool,
}

/// Writes `traceparent`, `tracestate`, `x-request-id` and what else `outgoing` has.
///
/// ```
/// use omnify_trace::propagation::{extract, inject_into, Outgoing};
/// let mut headers: Vec<(String, String)> = Vec::new();
/// inject_into(&Outgoing { trace_id: 1, span_id: 2, ..Outgoing::default() }, &mut headers);
/// assert!(extract(&headers).trace.remote().is_some());
/// ```
pub fn inject_into<I: Injector + ?Sized>(outgoing: &Outgoing<'_>, carrier: &mut I) {
    let Outgoing {
        trace_id,
        span_id,
        flags,
        ..
    } = *outgoing;
    if trace_id != 0 && span_id != 0 {
        let header = traceparent::format(trace_id, span_id, flags);
        carrier.set(
            traceparent::TRACEPARENT,
            std::str::from_utf8(&header).unwrap_or_default(),
        );
        if let Some(state) = outgoing.tracestate.filter(|state| !state.is_empty()) {
            carrier.set(tracestate::TRACESTATE, &tracestate::fit(state));
        }
        if outgoing.b3 {
            let header = b3::format(trace_id, span_id, flags);
            carrier.set(b3::B3, std::str::from_utf8(&header).unwrap_or_default());
        }
    }
    if let Some(id) = outgoing.request_id {
        carrier.set(request_id::X_REQUEST_ID, id);
    }
    if let Some(baggage) = outgoing.baggage.filter(|baggage| !baggage.is_empty()) {
        carrier.set(BAGGAGE, baggage);
    }
}

/// Writes a context for a call that belongs to its current span: `traceparent`, `tracestate` and
/// `x-request-id`. Baggage stays here: see [`inject_with_baggage`].
///
/// ```
/// use omnify_trace::context::CorrelationContext;
/// use omnify_trace::propagation::inject;
/// let context = CorrelationContext::builder()
///     .trace_id("0af7651916cd43dd8448eb211c80319c".parse::<omnify_trace::context::TraceId>()?)
///     .span_id("b7ad6b7169203331".parse::<omnify_trace::context::SpanId>()?)
///     .build();
/// let mut headers: Vec<(String, String)> = Vec::new();
/// inject(&context, &mut headers);
/// assert_eq!(headers[0].1, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03");
/// # Ok::<(), omnify_trace::context::InvalidId>(())
/// ```
pub fn inject<I: Injector + ?Sized>(context: &CorrelationContext, carrier: &mut I) {
    inject_into(&outgoing(context), carrier);
}

/// As [`inject`], and the baggage too: for hosts that may have what the caller gave along.
pub fn inject_with_baggage<I: Injector + ?Sized>(context: &CorrelationContext, carrier: &mut I) {
    let mut baggage = Baggage::default();
    for (key, value) in context.baggage() {
        baggage.insert(key, value);
    }
    inject_into(
        &Outgoing {
            baggage: Some(baggage.as_str()),
            ..outgoing(context)
        },
        carrier,
    );
}

fn outgoing(context: &CorrelationContext) -> Outgoing<'_> {
    Outgoing {
        trace_id: context.trace_id().map_or(0, TraceId::to_u128),
        span_id: context.span_id().map_or(0, SpanId::to_u64),
        flags: TraceFlags::from_bits(context.trace_flags()),
        tracestate: context.trace_state(),
        request_id: context.request_id().map(AsRef::as_ref),
        ..Outgoing::default()
    }
}
