//! One entry's rules, and the line that becomes of it.

use std::net::IpAddr;

use jiff::Timestamp;
use omnify_trace::context::{
    AgentName, OrganizationId, RequestId, RunId, SessionId, SpanId, StepId, TraceId, UserId,
    WorkflowId,
};
use omnify_trace::schema::{EventType, Stream, fields};
use serde_json::{Map, Value};

use super::time::{self, Arrival};

/// Bytes of a message that are kept.
const MAX_MESSAGE: usize = 8 * 1024;
/// The names that only the server writes into `extra`.
const STAMPS: [&str; 5] = [
    "received_at",
    "client_timestamp",
    "clock_skew_ms",
    "client_address",
    "identity",
];

/// What the server knows about the sender.
pub(super) struct Stamp<'a> {
    pub(super) arrival: Arrival,
    pub(super) address: Option<IpAddr>,
    /// User and organization, when a token proved them.
    pub(super) identity: Option<(&'a str, Option<&'a str>)>,
    /// The `service` object of the server's own lines, as JSON.
    pub(super) service: Option<&'a [u8]>,
}

/// Checks an entry and writes its line, without a line break.
///
/// # Errors
/// The rule that the entry breaks.
pub(super) fn line(entry: Value, stamp: &Stamp<'_>) -> Result<Vec<u8>, String> {
    let Value::Object(mut entry) = entry else {
        return Err("an entry must be an object".into());
    };
    let level = level(entry.remove(fields::LEVEL))?;
    let message = message(entry.remove(fields::MESSAGE))?;
    let event_type = event_type(entry.remove(fields::EVENT_TYPE))?;
    let target = target(entry.remove(fields::TARGET));
    let said = match entry.remove(fields::TIMESTAMP) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(_) => return Err("timestamp must be a string, RFC 3339".into()),
    };
    let claimed = object(entry.remove(fields::CONTEXT), fields::CONTEXT)?;
    let exception = object(entry.remove(fields::EXCEPTION), fields::EXCEPTION)?;
    let mut extra = object(entry.remove(fields::EXTRA), fields::EXTRA)?;
    entry.remove(fields::SOURCE);
    entry.remove("service");
    // What the schema does not know is kept where an event's own fields are.
    for (name, value) in entry {
        extra.entry(name).or_insert(value);
    }
    let at = times(&mut extra, said.as_deref(), stamp);
    let context = context(claimed, &mut extra, stamp);

    let mut out = Vec::with_capacity(512);
    out.push(b'{');
    member(
        &mut out,
        fields::TIMESTAMP,
        &Value::String(time::rfc3339(at)),
    );
    member(&mut out, fields::LEVEL, &level.into());
    member(&mut out, fields::MESSAGE, &message.into());
    if let Some(event_type) = event_type {
        member(&mut out, fields::EVENT_TYPE, &event_type.into());
    }
    member(&mut out, fields::TARGET, &target.into());
    if let Some(service) = stamp.service.filter(|service| !service.is_empty()) {
        out.extend_from_slice(b",\"service\":");
        out.extend_from_slice(service);
    }
    member(&mut out, fields::SOURCE, &"frontend".into());
    member(&mut out, fields::CONTEXT, &Value::Object(context));
    member(&mut out, fields::EXTRA, &Value::Object(extra));
    if !exception.is_empty() {
        member(&mut out, fields::EXCEPTION, &Value::Object(exception));
    }
    out.push(b'}');
    Ok(out)
}

fn member(out: &mut Vec<u8>, name: &str, value: &Value) {
    if out.len() > 1 {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    // A Value always is JSON, and a Vec takes every byte.
    let _ = serde_json::to_writer(out, value);
}

/// Known names in any case; what is worse than ERROR is ERROR.
fn level(value: Option<Value>) -> Result<&'static str, String> {
    let Some(value) = value else {
        return Ok("INFO");
    };
    let Value::String(name) = value else {
        return Err("level must be a string".into());
    };
    match name.to_ascii_uppercase().as_str() {
        "TRACE" => Ok("TRACE"),
        "DEBUG" => Ok("DEBUG"),
        "INFO" | "LOG" => Ok("INFO"),
        "WARN" | "WARNING" => Ok("WARN"),
        "ERROR" | "FATAL" | "CRITICAL" => Ok("ERROR"),
        _ => Err("level must be TRACE, DEBUG, INFO, WARN or ERROR".into()),
    }
}

fn message(value: Option<Value>) -> Result<String, String> {
    match value {
        Some(Value::String(mut message)) => {
            let mut end = message.len().min(MAX_MESSAGE);
            while !message.is_char_boundary(end) {
                end -= 1;
            }
            message.truncate(end);
            Ok(message)
        }
        Some(_) => Err("message must be a string".into()),
        None => Err("message is missing".into()),
    }
}

/// A browser may tell of its own things and of what the application has named, never of ours.
fn event_type(value: Option<Value>) -> Result<Option<String>, String> {
    let name = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(name)) => name,
        Some(_) => return Err("event_type must be a string".into()),
    };
    let is_name = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'.' | b'-')
    };
    if name.is_empty() || name.len() > 64 || !name.bytes().all(is_name) {
        return Err("event_type must be 1 to 64 of a-z 0-9 _ . -".into());
    }
    match EventType::from_wire(&name) {
        Some(known) if known.stream() != Stream::Frontend && !is_of_run(known) => {
            Err(format!("event_type {name} belongs to the server"))
        }
        _ => Ok(Some(name)),
    }
}

/// A page tells of its part of a workflow's run. Where the server has a part too, the server's decides.
const fn is_of_run(event: EventType) -> bool {
    matches!(
        event,
        EventType::WorkflowStart
            | EventType::WorkflowStep
            | EventType::WorkflowStepError
            | EventType::WorkflowComplete
            | EventType::WorkflowError
    )
}

fn target(value: Option<Value>) -> String {
    let clean = |name: &String| {
        !name.is_empty() && name.len() <= 128 && !name.chars().any(char::is_control)
    };
    match value {
        Some(Value::String(name)) if clean(&name) => name,
        _ => "browser".to_owned(),
    }
}

fn object(value: Option<Value>, name: &str) -> Result<Map<String, Value>, String> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(object)) => Ok(object),
        Some(_) => Err(format!("{name} must be an object")),
    }
}

/// Stamps the times into `extra` and gives the line's.
fn times(extra: &mut Map<String, Value>, said: Option<&str>, stamp: &Stamp<'_>) -> Timestamp {
    for name in STAMPS {
        extra.remove(name);
    }
    let arrival = &stamp.arrival;
    let (at, corrected) = arrival.correct(said.and_then(|text| text.parse().ok()));
    extra.insert("received_at".into(), time::rfc3339(arrival.at).into());
    if let Some(said) = said.filter(|_| corrected) {
        extra.insert(
            "client_timestamp".into(),
            said.chars().take(64).collect::<String>().into(),
        );
    }
    if !arrival.skew.is_zero() {
        extra.insert(
            "clock_skew_ms".into(),
            (arrival.skew.as_millis() as i64).into(),
        );
    }
    if let Some(address) = stamp.address {
        extra.insert("client_address".into(), address.to_string().into());
    }
    at
}

/// The ids that follow their rules, in the schema's order; a proven identity wins over a claimed one.
fn context(
    mut claimed: Map<String, Value>,
    extra: &mut Map<String, Value>,
    stamp: &Stamp<'_>,
) -> Map<String, Value> {
    if let Some((user, organization)) = stamp.identity {
        claimed.insert(fields::USER_ID.into(), user.into());
        claimed.remove(fields::ORGANIZATION_ID);
        if let Some(organization) = organization {
            claimed.insert(fields::ORGANIZATION_ID.into(), organization.into());
        }
        extra.insert("identity".into(), "verified".into());
    }
    let mut context = Map::new();
    for name in fields::CONTEXT_FIELDS {
        if let Some(Value::String(text)) = claimed.remove(name)
            && is_valid(name, &text)
        {
            context.insert(name.to_owned(), text.into());
        }
    }
    let claims =
        context.contains_key(fields::USER_ID) || context.contains_key(fields::ORGANIZATION_ID);
    if stamp.identity.is_none() && claims {
        extra.insert("identity".into(), "claimed".into());
    }
    context
}

fn is_valid(name: &str, text: &str) -> bool {
    match name {
        fields::TRACE_ID => text.parse::<TraceId>().is_ok(),
        fields::SPAN_ID | fields::PARENT_SPAN_ID => text.parse::<SpanId>().is_ok(),
        fields::REQUEST_ID => text.parse::<RequestId>().is_ok(),
        fields::SESSION_ID => text.parse::<SessionId>().is_ok(),
        fields::USER_ID => text.parse::<UserId>().is_ok(),
        fields::ORGANIZATION_ID => text.parse::<OrganizationId>().is_ok(),
        fields::WORKFLOW_ID => text.parse::<WorkflowId>().is_ok(),
        fields::RUN_ID => text.parse::<RunId>().is_ok(),
        fields::STEP_ID => text.parse::<StepId>().is_ok(),
        _ => text.parse::<AgentName>().is_ok(),
    }
}
