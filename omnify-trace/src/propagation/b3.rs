//! B3, Zipkin's headers: the single `b3` header (which wins) and the `X-B3-*` set.

use super::hex;
use super::remote::{RemoteContext, RestartReason, TraceFlags};

/// The single header.
pub const B3: &str = "b3";
/// Trace id, 16 or 32 digits.
pub const TRACE_ID: &str = "x-b3-traceid";
/// Span id, 16 digits.
pub const SPAN_ID: &str = "x-b3-spanid";
/// Read and not passed on: the receiver's parent is the span named by [`SPAN_ID`].
pub const PARENT_SPAN_ID: &str = "x-b3-parentspanid";
/// `1` or `0`; `true` and `false` are accepted.
pub const SAMPLED: &str = "x-b3-sampled";
/// `1` is debug, which implies sampled.
pub const FLAGS: &str = "x-b3-flags";

/// Reads the single header: `{trace}-{span}[-{0|1|d}[-{parent}]]`, or a sampling decision alone,
/// which names no trace: `Ok(None)`.
///
/// # Errors
/// Why the trace cannot be continued.
pub fn parse_single(value: &[u8]) -> Result<Option<RemoteContext>, RestartReason> {
    let value = super::trim_ows(value);
    if matches!(value, b"0" | b"1" | b"d") {
        return Ok(None);
    }
    let mut parts = value.split(|&byte| byte == b'-');
    let trace = parts.next().unwrap_or_default();
    let span = parts.next().ok_or(RestartReason::Malformed)?;
    let sampled = match parts.next() {
        None | Some(b"0") => TraceFlags::NONE,
        Some(b"1" | b"d") => TraceFlags::SAMPLED,
        Some(_) => return Err(RestartReason::Malformed),
    };
    if parts
        .next()
        .is_some_and(|parent| parent.len() != 16 || hex::any_case(parent).is_none())
        || parts.next().is_some()
    {
        return Err(RestartReason::Malformed);
    }
    ids(trace, span, sampled).map(Some)
}

/// Reads the header set.
///
/// # Errors
/// Why the trace cannot be continued.
pub fn parse_multi(
    trace: &[u8],
    span: &[u8],
    sampled: Option<&[u8]>,
    flags: Option<&[u8]>,
) -> Result<RemoteContext, RestartReason> {
    let debug = flags.is_some_and(|flags| super::trim_ows(flags) == b"1");
    let sampled = sampled.is_some_and(|sampled| matches!(super::trim_ows(sampled), b"1" | b"true"));
    ids(
        super::trim_ows(trace),
        super::trim_ows(span),
        TraceFlags::sampled(debug || sampled),
    )
}

fn ids(trace: &[u8], span: &[u8], flags: TraceFlags) -> Result<RemoteContext, RestartReason> {
    if !matches!(trace.len(), 16 | 32) || span.len() != 16 {
        return Err(RestartReason::Malformed);
    }
    let trace_id = hex::any_case(trace).ok_or(RestartReason::Malformed)?;
    let span_id = hex::any_case(span).ok_or(RestartReason::Malformed)?;
    if trace_id == 0 || span_id == 0 {
        return Err(RestartReason::ZeroId);
    }
    #[expect(clippy::cast_possible_truncation, reason = "16 hexadecimal digits")]
    Ok(RemoteContext {
        trace_id,
        parent_span_id: Some(span_id as u64),
        flags,
    })
}

/// Writes the single header: the form that B3 wants services to send.
#[must_use]
pub fn format(trace_id: u128, span_id: u64, flags: TraceFlags) -> [u8; 51] {
    let mut out = [b'-'; 51];
    hex::write(trace_id, &mut out[..32]);
    hex::write(u128::from(span_id), &mut out[33..49]);
    out[50] = b'0' + u8::from(flags.is_sampled());
    out
}
