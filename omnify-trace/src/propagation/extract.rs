//! One pass over a carrier, then the decision which trace to continue.

use std::borrow::Cow;

use super::baggage::{BAGGAGE, Baggage};
use super::remote::{Format, RemoteContext, RestartReason};
use super::{Extractor, b3, datadog, request_id, traceparent, tracestate, xray};

/// What a caller sent, judged. Borrows from the carrier.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extraction<'a> {
    /// Whether there is a trace to continue.
    pub trace: Trace,
    /// The format that the trace, or the reason not to have it, came from.
    pub format: Option<Format>,
    /// A second format that names another trace.
    pub conflict: Option<Conflict>,
    /// Validated `tracestate`, joined; only together with a continued W3C trace.
    pub tracestate: Option<Cow<'a, str>>,
    /// `X-Request-ID`, else `X-Correlation-ID`.
    pub request_id: RequestId<'a>,
    /// `X-Session-ID`, else the member `session.id` of the baggage, if harmless.
    pub session_id: Option<Cow<'a, str>>,
    /// Baggage within its limits; empty when there is none.
    pub baggage: Baggage<'a>,
}

/// Whether there is a trace to continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trace {
    /// No header asked for it: begin a new trace.
    #[default]
    Absent,
    /// The caller's trace goes on here.
    Continued(RemoteContext),
    /// A header asked for it and broke the rules: begin a new trace, forget `tracestate`.
    Restarted(RestartReason),
}

impl Trace {
    /// The caller's place in its trace, if it goes on here.
    #[must_use]
    pub const fn remote(&self) -> Option<&RemoteContext> {
        match self {
            Self::Continued(remote) => Some(remote),
            Self::Absent | Self::Restarted(_) => None,
        }
    }
}

/// A second format named another trace: recorded as `trace.conflict`, never mixed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict {
    /// The format that lost.
    pub format: Format,
    /// The trace that it named.
    pub trace_id: u128,
}

/// The caller's name for its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RequestId<'a> {
    /// No header: mint one.
    #[default]
    Absent,
    /// Harmless: keep it.
    Valid(&'a str),
    /// Too long, empty or with other characters: mint one.
    Rejected,
}

impl<'a> RequestId<'a> {
    /// The id, if it can be kept.
    #[must_use]
    pub const fn valid(self) -> Option<&'a str> {
        match self {
            Self::Valid(id) => Some(id),
            Self::Absent | Self::Rejected => None,
        }
    }
}

/// Reads everything that is known from a carrier, in one pass over its entries.
#[must_use]
pub fn extract<'a, E: Extractor + ?Sized>(carrier: &'a E) -> Extraction<'a> {
    let mut found = Found::default();
    carrier.visit(&mut |name, value| found.see(name, value));
    found.judge()
}

/// The raw values of the known headers.
#[derive(Default)]
struct Found<'a> {
    traceparent: Option<&'a [u8]>,
    traceparents: usize,
    tracestate: Vec<&'a [u8]>,
    baggage: Vec<&'a [u8]>,
    request_id: Option<&'a [u8]>,
    session_id: Option<&'a [u8]>,
    correlation_id: Option<&'a [u8]>,
    foreign: Foreign<'a>,
}

/// The headers of other formats.
#[derive(Default)]
struct Foreign<'a> {
    any: bool,
    b3: Option<&'a [u8]>,
    b3_trace: Option<&'a [u8]>,
    b3_span: Option<&'a [u8]>,
    b3_sampled: Option<&'a [u8]>,
    b3_flags: Option<&'a [u8]>,
    datadog_trace: Option<&'a [u8]>,
    datadog_parent: Option<&'a [u8]>,
    datadog_priority: Option<&'a [u8]>,
    datadog_tags: Option<&'a [u8]>,
    xray: Option<&'a [u8]>,
}

impl<'a> Found<'a> {
    fn see(&mut self, name: &'a str, value: &'a [u8]) {
        // The length rules out nearly every header of an ordinary request.
        match name.len() {
            11 if name.eq_ignore_ascii_case(traceparent::TRACEPARENT) => {
                self.traceparents += 1;
                self.traceparent = Some(value);
            }
            10 if name.eq_ignore_ascii_case(tracestate::TRACESTATE) => self.tracestate.push(value),
            7 if name.eq_ignore_ascii_case(BAGGAGE) => self.baggage.push(value),
            12 if name.eq_ignore_ascii_case(request_id::X_REQUEST_ID) => {
                first(&mut self.request_id, value);
            }
            12 if name.eq_ignore_ascii_case(request_id::X_SESSION_ID) => {
                first(&mut self.session_id, value);
            }
            16 if name.eq_ignore_ascii_case(request_id::X_CORRELATION_ID) => {
                first(&mut self.correlation_id, value);
            }
            2 | 10..=27 => self.foreign.see(name, value),
            _ => {}
        }
    }

    fn judge(self) -> Extraction<'a> {
        let mut extraction = Extraction {
            request_id: judge_request_id(self.request_id.or(self.correlation_id)),
            session_id: self
                .session_id
                .and_then(request_id::valid)
                .map(Cow::Borrowed),
            ..Extraction::default()
        };
        if !self.baggage.is_empty() {
            extraction.baggage = Baggage::parse(&self.baggage);
            if extraction.session_id.is_none() {
                extraction.session_id = session_of(&extraction.baggage);
            }
        }
        let own = self.traceparent.map(|value| match self.traceparents {
            1 => traceparent::parse(value),
            _ => Err(RestartReason::Duplicate),
        });
        extraction.consider(Format::W3c, own);
        if extraction.trace.remote().is_some() && !self.tracestate.is_empty() {
            extraction.tracestate = tracestate::parse(&self.tracestate);
        }
        if self.foreign.any {
            extraction.consider(Format::B3, self.foreign.b3());
            extraction.consider(Format::Datadog, self.foreign.datadog());
            extraction.consider(Format::XRay, self.foreign.xray.map(xray::parse));
        }
        extraction
    }
}

impl<'a> Foreign<'a> {
    fn see(&mut self, name: &str, value: &'a [u8]) {
        let slot = match name.len() {
            2 => (&mut self.b3, b3::B3),
            10 => (&mut self.b3_flags, b3::FLAGS),
            11 => (&mut self.b3_span, b3::SPAN_ID),
            12 if name.as_bytes()[5].eq_ignore_ascii_case(&b't') => {
                (&mut self.b3_trace, b3::TRACE_ID)
            }
            12 => (&mut self.b3_sampled, b3::SAMPLED),
            14 => (&mut self.datadog_tags, datadog::TAGS),
            15 => (&mut self.xray, xray::AMZN_TRACE_ID),
            18 => (&mut self.datadog_trace, datadog::TRACE_ID),
            19 => (&mut self.datadog_parent, datadog::PARENT_ID),
            27 => (&mut self.datadog_priority, datadog::SAMPLING_PRIORITY),
            _ => return,
        };
        if name.eq_ignore_ascii_case(slot.1) {
            self.any = true;
            first(slot.0, value);
        }
    }

    /// The single header wins over the set. A lone sampling decision names no trace.
    fn b3(&self) -> Option<Result<RemoteContext, RestartReason>> {
        if let Some(single) = self.b3 {
            return b3::parse_single(single).transpose();
        }
        match (self.b3_trace, self.b3_span) {
            (None, None) => None,
            (Some(trace), Some(span)) => {
                Some(b3::parse_multi(trace, span, self.b3_sampled, self.b3_flags))
            }
            _ => Some(Err(RestartReason::Malformed)),
        }
    }

    fn datadog(&self) -> Option<Result<RemoteContext, RestartReason>> {
        let trace = self.datadog_trace?;
        Some(datadog::parse(
            trace,
            self.datadog_parent,
            self.datadog_priority,
            self.datadog_tags,
        ))
    }
}

impl Extraction<'_> {
    /// Formats come in the order of precedence: the first that names a trace has it.
    fn consider(&mut self, format: Format, outcome: Option<Result<RemoteContext, RestartReason>>) {
        match (outcome, &self.trace) {
            (None, _) | (Some(Err(_)), Trace::Continued(_) | Trace::Restarted(_)) => {}
            (Some(Err(reason)), Trace::Absent) => {
                self.trace = Trace::Restarted(reason);
                self.format = Some(format);
            }
            (Some(Ok(remote)), Trace::Continued(first)) => {
                if first.trace_id != remote.trace_id && self.conflict.is_none() {
                    self.conflict = Some(Conflict {
                        format,
                        trace_id: remote.trace_id,
                    });
                }
            }
            // A broken traceparent restarts the trace even beside a sound header of another
            // format: two systems that disagree about the trace must not be joined by guesswork.
            (Some(Ok(remote)), Trace::Restarted(_)) => {
                self.conflict.get_or_insert(Conflict {
                    format,
                    trace_id: remote.trace_id,
                });
            }
            (Some(Ok(remote)), Trace::Absent) => {
                self.trace = Trace::Continued(remote);
                self.format = Some(format);
            }
        }
    }
}

fn judge_request_id(value: Option<&[u8]>) -> RequestId<'_> {
    match value {
        None => RequestId::Absent,
        Some(value) => request_id::valid(value).map_or(RequestId::Rejected, RequestId::Valid),
    }
}

fn session_of<'a>(baggage: &Baggage<'_>) -> Option<Cow<'a, str>> {
    let id = baggage.get(request_id::SESSION_MEMBER)?;
    request_id::valid(id.as_bytes()).map(|id| Cow::Owned(id.to_owned()))
}

fn first<'a>(slot: &mut Option<&'a [u8]>, value: &'a [u8]) {
    slot.get_or_insert(value);
}
