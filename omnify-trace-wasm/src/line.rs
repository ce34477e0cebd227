//! One entry as one line of schema v1.

use alloc::vec::Vec;

use omnify_trace::schema::fields;

use crate::{json, redact::Redactor, time};

/// The longest message, in bytes.
const MESSAGE_LIMIT: usize = 8 * 1024;
/// The longest `extra` or `exception` an application may hand in, in bytes.
const JSON_LIMIT: usize = 24 * 1024;

/// How serious.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    /// 0 is trace, 4 and above is error.
    pub(crate) fn new(value: u8) -> Self {
        match value {
            0 => Self::Trace,
            1 => Self::Debug,
            2 => Self::Info,
            3 => Self::Warn,
            _ => Self::Error,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// A line's contents. `extra` and `exception` are JSON objects, to be redacted, or empty.
pub(crate) struct Draft<'a> {
    pub(crate) level: Level,
    /// Empty for a plain log line.
    pub(crate) event_type: &'a str,
    pub(crate) message: &'a str,
    pub(crate) target: &'a str,
    /// Names and values; those without a value are left out.
    pub(crate) context: [(&'static str, &'a str); 10],
    pub(crate) extra: &'a str,
    pub(crate) exception: &'a str,
}

/// Writes the line, without a line break.
pub(crate) fn write(draft: &Draft<'_>, redactor: &Redactor, now: f64) -> Vec<u8> {
    let size = draft.message.len() + draft.extra.len() + draft.exception.len();
    let mut out = Vec::with_capacity(size + 480);
    out.push(b'{');
    json::key(&mut out, fields::TIMESTAMP);
    out.push(b'"');
    time::rfc3339(&mut out, now);
    out.push(b'"');
    json::field(&mut out, fields::LEVEL, draft.level.as_str());
    json::key(&mut out, fields::MESSAGE);
    let mut message = Vec::with_capacity(draft.message.len() + 16);
    json::string(&mut message, json::cut(draft.message, MESSAGE_LIMIT));
    redactor.json(&mut out, &message);
    for (name, value) in [
        (fields::EVENT_TYPE, draft.event_type),
        (fields::TARGET, draft.target),
        (fields::SOURCE, "frontend"),
    ] {
        json::field(&mut out, name, value);
    }
    json::key(&mut out, fields::CONTEXT);
    out.push(b'{');
    for (name, value) in draft.context {
        json::field(&mut out, name, value);
    }
    out.push(b'}');
    for (name, text) in [
        (fields::EXTRA, draft.extra),
        (fields::EXCEPTION, draft.exception),
    ] {
        if text.len() > 2 {
            json::key(&mut out, name);
            if text.len() <= JSON_LIMIT {
                redactor.json(&mut out, text.as_bytes());
            } else {
                out.extend_from_slice(b"{\"truncated_bytes\":");
                json::integer(&mut out, text.len() as u64);
                out.push(b'}');
            }
        }
    }
    out.push(b'}');
    out
}
