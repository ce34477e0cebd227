//! Datadog's headers: decimal ids, the upper half of the trace id in `x-datadog-tags`.

use super::hex;
use super::remote::{RemoteContext, RestartReason, TraceFlags};

/// Lower 64 bits of the trace id, decimal.
pub const TRACE_ID: &str = "x-datadog-trace-id";
/// The caller's span id, decimal.
pub const PARENT_ID: &str = "x-datadog-parent-id";
/// -1, 0, 1 or 2; above 0 is sampled.
pub const SAMPLING_PRIORITY: &str = "x-datadog-sampling-priority";
/// `_dd.p.tid=<16 hex>` is the upper half of the trace id.
pub const TAGS: &str = "x-datadog-tags";

/// Reads the headers. A parent id of 0 or none names a trace without a span.
///
/// # Errors
/// Why the trace cannot be continued.
pub fn parse(
    trace: &[u8],
    parent: Option<&[u8]>,
    priority: Option<&[u8]>,
    tags: Option<&[u8]>,
) -> Result<RemoteContext, RestartReason> {
    let low = decimal(trace).ok_or(RestartReason::Malformed)?;
    let high = match tags.and_then(upper_half) {
        Some(digits) if digits.len() == 16 => hex::lower(digits).ok_or(RestartReason::Malformed)?,
        Some(_) => return Err(RestartReason::Malformed),
        None => 0,
    };
    let trace_id = (high << 64) | u128::from(low);
    if trace_id == 0 {
        return Err(RestartReason::ZeroId);
    }
    let parent = parent
        .map(|parent| decimal(parent).ok_or(RestartReason::Malformed))
        .transpose()?;
    let sampled = priority.is_some_and(|priority| matches!(super::trim_ows(priority), b"1" | b"2"));
    Ok(RemoteContext {
        trace_id,
        parent_span_id: parent.filter(|&span| span != 0),
        flags: TraceFlags::sampled(sampled),
    })
}

/// The value of `_dd.p.tid` among comma-separated tags.
fn upper_half(tags: &[u8]) -> Option<&[u8]> {
    tags.split(|&byte| byte == b',')
        .find_map(|tag| super::trim_ows(tag).strip_prefix(b"_dd.p.tid="))
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let digits = super::trim_ows(digits);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}
