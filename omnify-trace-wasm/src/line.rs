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

/// Begins a line: everything before what it has in common with others. `event` may be empty.
pub(crate) fn begin(
    redactor: &Redactor,
    level: Level,
    message: &str,
    event: &str,
    now: f64,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 640);
    out.push(b'{');
    json::key(&mut out, fields::TIMESTAMP);
    out.push(b'"');
    time::rfc3339(&mut out, now);
    out.push(b'"');
    json::id(&mut out, fields::LEVEL, level.as_str().as_bytes());
    json::key(&mut out, fields::MESSAGE);
    let mut text = Vec::with_capacity(message.len() + 16);
    json::string(&mut text, json::cut(message, MESSAGE_LIMIT).as_bytes());
    redactor.json(&mut out, &text);
    json::field(&mut out, fields::EVENT_TYPE, event.as_bytes());
    out
}

/// Ends a line after what it has in common with others. `extra` and `exception` are JSON objects or empty.
pub(crate) fn end(redactor: &Redactor, out: &mut Vec<u8>, extra: &str, exception: &str) {
    for (name, text) in [(fields::EXTRA, extra), (fields::EXCEPTION, exception)] {
        if text.len() <= 2 {
            continue;
        }
        json::key(out, name);
        if text.len() <= JSON_LIMIT {
            redactor.json(out, text.as_bytes());
        } else {
            out.extend_from_slice(b"{\"truncated_bytes\":");
            json::integer(out, text.len() as u64);
            out.push(b'}');
        }
    }
    out.push(b'}');
}
