//! `traceparent` of W3C Trace Context level 2.

use super::hex;
use super::remote::{RemoteContext, RestartReason, TraceFlags};

/// The header's name.
pub const TRACEPARENT: &str = "traceparent";
/// Characters of a version 00 header.
pub const LENGTH: usize = 55;

/// Reads one header value. Optional white space around it is allowed, as HTTP does.
///
/// Versions 01 to fe are read by their first four fields; `ff` never.
///
/// # Errors
/// Why the trace has to be restarted (Trace Context §4.3).
pub fn parse(value: &[u8]) -> Result<RemoteContext, RestartReason> {
    let value = super::trim_ows(value);
    if value.len() < LENGTH || value[2] != b'-' || value[35] != b'-' || value[52] != b'-' {
        return Err(RestartReason::Malformed);
    }
    let version = hex::lower(&value[..2]).ok_or(RestartReason::Malformed)?;
    match version {
        0xff => return Err(RestartReason::ForbiddenVersion),
        0 if value.len() != LENGTH => return Err(RestartReason::Malformed),
        _ if value.len() > LENGTH && value[LENGTH] != b'-' => return Err(RestartReason::Malformed),
        _ => {}
    }
    let trace_id = hex::lower(&value[3..35]).ok_or(RestartReason::Malformed)?;
    let span_id = hex::lower(&value[36..52]).ok_or(RestartReason::Malformed)?;
    let flags = hex::lower(&value[53..55]).ok_or(RestartReason::Malformed)?;
    if trace_id == 0 || span_id == 0 {
        return Err(RestartReason::ZeroId);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "16 and 2 hexadecimal digits"
    )]
    Ok(RemoteContext {
        trace_id,
        parent_span_id: Some(span_id as u64),
        flags: TraceFlags::from_bits(flags as u8),
    })
}

/// Writes a version 00 header value.
#[must_use]
pub fn format(trace_id: u128, span_id: u64, flags: TraceFlags) -> [u8; LENGTH] {
    let mut out = *b"00-00000000000000000000000000000000-0000000000000000-00";
    hex::write(trace_id, &mut out[3..35]);
    hex::write(u128::from(span_id), &mut out[36..52]);
    hex::write(u128::from(flags.bits()), &mut out[53..55]);
    out
}
