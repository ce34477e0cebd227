//! Writing context to a carrier.

use super::baggage::BAGGAGE;
use super::remote::TraceFlags;
use super::{Injector, b3, request_id, traceparent, tracestate};

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
