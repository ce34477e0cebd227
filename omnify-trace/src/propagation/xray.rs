//! `X-Amzn-Trace-Id`, set by AWS load balancers, API Gateway and Lambda.

use super::hex;
use super::remote::{RemoteContext, RestartReason, TraceFlags};

/// The header's name.
pub const AMZN_TRACE_ID: &str = "x-amzn-trace-id";

/// Reads `Root=1-<8 hex>-<24 hex>[;Parent=<16 hex>][;Sampled=0|1|?]`; other fields, such as the
/// `Self` that a load balancer prepends, are passed over.
///
/// # Errors
/// Why the trace cannot be continued.
pub fn parse(value: &[u8]) -> Result<RemoteContext, RestartReason> {
    let (mut trace_id, mut parent_span_id, mut flags) = (None, None, TraceFlags::NONE);
    for field in value.split(|&byte| byte == b';') {
        let field = super::trim_ows(field);
        if let Some(root) = field.strip_prefix(b"Root=") {
            trace_id = Some(root_id(root).ok_or(RestartReason::Malformed)?);
        } else if let Some(parent) = field.strip_prefix(b"Parent=") {
            let span = Some(parent)
                .filter(|parent| parent.len() == 16)
                .and_then(hex::any_case);
            #[expect(clippy::cast_possible_truncation, reason = "16 hexadecimal digits")]
            let span = span.ok_or(RestartReason::Malformed)? as u64;
            parent_span_id = Some(span).filter(|&span| span != 0);
        } else if field == b"Sampled=1" {
            flags = TraceFlags::SAMPLED;
        }
    }
    match trace_id {
        None => Err(RestartReason::Malformed),
        Some(0) => Err(RestartReason::ZeroId),
        Some(trace_id) => Ok(RemoteContext {
            trace_id,
            parent_span_id,
            flags,
        }),
    }
}

/// `1-<8 hex>-<24 hex>` is the W3C id with hyphens.
fn root_id(root: &[u8]) -> Option<u128> {
    if root.len() != 35 || !root.starts_with(b"1-") || root[10] != b'-' {
        return None;
    }
    Some((hex::any_case(&root[2..10])? << 96) | hex::any_case(&root[11..])?)
}

/// Writes the header: only for callers who have asked for it.
#[must_use]
pub fn format(trace_id: u128, span_id: u64, flags: TraceFlags) -> String {
    let (mut trace, mut span) = ([0; 32], [0; 16]);
    hex::write(trace_id, &mut trace);
    hex::write(u128::from(span_id), &mut span);
    let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
    let sampled = u8::from(flags.is_sampled());
    format!(
        "Root=1-{}-{};Parent={};Sampled={sampled}",
        text(&trace[..8]),
        text(&trace[8..]),
        text(&span)
    )
}
