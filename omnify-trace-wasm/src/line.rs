//! One entry as one line of schema v1.

use alloc::vec::Vec;

use omnify_trace::schema::fields;

use crate::{json, redact::Redactor, time, trace::Root};

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

/// A line's contents.
pub(crate) struct Draft<'a> {
    pub(crate) level: Level,
    /// Empty for a plain log line.
    pub(crate) event_type: &'a str,
    pub(crate) message: &'a str,
    pub(crate) root: &'a Root,
    pub(crate) parent_span_id: &'a str,
    pub(crate) request_id: &'a str,
    /// The inside of `extra`, written by this crate: `"a":1,"b":"c"`.
    pub(crate) own: &'a [u8],
    /// A JSON object of the application's, to be redacted; or empty.
    pub(crate) extra: &'a str,
    /// A JSON object, to be redacted; or empty.
    pub(crate) exception: &'a str,
}

/// What all lines of a page share.
pub(crate) struct Common<'a> {
    pub(crate) target: &'a str,
    pub(crate) session_id: &'a str,
    pub(crate) user_id: &'a str,
    pub(crate) organization_id: &'a str,
    pub(crate) workflow: [&'a str; 3],
    pub(crate) redactor: &'a Redactor,
}

/// Writes the line, without a line break.
pub(crate) fn write(draft: &Draft<'_>, common: &Common<'_>, now: f64) -> Vec<u8> {
    let size = draft.message.len() + draft.own.len() + draft.extra.len() + draft.exception.len();
    let mut out = Vec::with_capacity(size + 420);
    out.push(b'{');
    json::key(&mut out, fields::TIMESTAMP);
    out.push(b'"');
    time::rfc3339(&mut out, now);
    out.push(b'"');
    json::field(&mut out, fields::LEVEL, draft.level.as_str());
    json::key(&mut out, fields::MESSAGE);
    let mut message = Vec::with_capacity(draft.message.len() + 16);
    json::string(&mut message, json::cut(draft.message, MESSAGE_LIMIT));
    common.redactor.json(&mut out, &message);
    json::known(&mut out, fields::EVENT_TYPE, draft.event_type);
    json::field(&mut out, fields::TARGET, common.target);
    json::field(&mut out, fields::SOURCE, "frontend");
    context(&mut out, draft, common);
    extra(&mut out, draft, common.redactor);
    if !draft.exception.is_empty() {
        json::key(&mut out, fields::EXCEPTION);
        bounded(&mut out, draft.exception, common.redactor);
    }
    out.push(b'}');
    out
}

fn context(out: &mut Vec<u8>, draft: &Draft<'_>, common: &Common<'_>) {
    json::key(out, fields::CONTEXT);
    out.push(b'{');
    let [workflow_id, run_id, step_id] = common.workflow;
    for (name, value) in [
        (fields::REQUEST_ID, draft.request_id),
        (fields::TRACE_ID, &draft.root.trace_id),
        (fields::SPAN_ID, &draft.root.span_id),
        (fields::PARENT_SPAN_ID, draft.parent_span_id),
        (fields::SESSION_ID, common.session_id),
        (fields::USER_ID, common.user_id),
        (fields::ORGANIZATION_ID, common.organization_id),
        (fields::WORKFLOW_ID, workflow_id),
        (fields::RUN_ID, run_id),
        (fields::STEP_ID, step_id),
    ] {
        json::known(out, name, value);
    }
    out.push(b'}');
}

fn extra(out: &mut Vec<u8>, draft: &Draft<'_>, redactor: &Redactor) {
    let given = draft.extra.len() > 2;
    if !given && draft.own.is_empty() {
        return;
    }
    json::key(out, fields::EXTRA);
    if draft.own.is_empty() {
        bounded(out, draft.extra, redactor);
        return;
    }
    out.push(b'{');
    out.extend_from_slice(draft.own);
    if given {
        // The application's fields come under a name of their own: keys never repeat.
        json::key(out, "fields");
        bounded(out, draft.extra, redactor);
    }
    out.push(b'}');
}

fn bounded(out: &mut Vec<u8>, text: &str, redactor: &Redactor) {
    if text.len() <= JSON_LIMIT {
        redactor.json(out, text.as_bytes());
    } else {
        out.push(b'{');
        json::number(out, "truncated_bytes", text.len() as f64);
        out.push(b'}');
    }
}
