//! How a line leaves the API: the original JSON with its id and file.

use std::borrow::Cow;

use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::{Map, Value, value::RawValue};
use utoipa::ToSchema;

use crate::{store::Line, time::rfc3339};

/// A line as the API gives it: the original object plus `id` and `file`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineJson(pub Line);

impl LineJson {
    /// The JSON text. The original's own members are copied as they are, not parsed.
    #[must_use]
    pub fn to_json(&self) -> String {
        let line = &self.0;
        if !line.is_json {
            return malformed(line);
        }
        let body = line.raw.trim();
        let members = body
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .map(str::trim);
        match members {
            Some(members) if !has_own(members) => {
                let comma = if members.is_empty() { "" } else { "," };
                format!(
                    "{{\"id\":{},\"file\":{}{comma}{members}}}",
                    quoted(&line.id),
                    quoted(&line.file)
                )
            }
            _ => with_own_kept(line),
        }
    }
}

/// Whether the text might have members called `id` or `file` at the top: a quick look that may
/// say yes in vain.
fn has_own(members: &str) -> bool {
    members.contains("\"id\"")
        || members.contains("\"file\"")
        || members.contains('\\') && members.contains("\\u")
}

/// Foreign JSON with an `id` or `file` of its own keeps them under `original`.
fn with_own_kept(line: &Line) -> String {
    let mut value: Map<String, Value> = serde_json::from_str(&line.raw).unwrap_or_default();
    let mut original = Map::new();
    let mut out = Map::new();
    for (name, own) in [("id", &*line.id), ("file", &*line.file)] {
        if let Some(theirs) = value.remove(name) {
            original.insert(name.to_owned(), theirs);
        }
        out.insert(name.to_owned(), own.into());
    }
    out.append(&mut value);
    if !original.is_empty() {
        out.insert("original".to_owned(), original.into());
    }
    Value::Object(out).to_string()
}

fn malformed(line: &Line) -> String {
    serde_json::json!({
        "id": line.id,
        "file": &*line.file,
        "timestamp": rfc3339(line.timestamp),
        "level": "UNKNOWN",
        "event_type": "malformed_line",
        "message": &*line.raw,
    })
    .to_string()
}

fn quoted(text: &str) -> Cow<'static, str> {
    serde_json::to_string(text).map_or(Cow::Borrowed("\"\""), Cow::Owned)
}

impl Serialize for LineJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_json())
            .map_err(S::Error::custom)?
            .serialize(serializer)
    }
}

/// What the OpenAPI document says of a line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Line)]
pub struct LineSchema {
    /// Opaque, stable, URL-safe.
    id: String,
    /// Name of the log file.
    file: String,
    /// RFC 3339 UTC, nanoseconds.
    timestamp: Option<String>,
    /// `TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR`, or `UNKNOWN` for a line of plain text.
    level: Option<String>,
    /// For people.
    message: Option<String>,
    /// A name of the schema, or the application's own.
    event_type: Option<String>,
    /// Module or component.
    target: Option<String>,
    /// `frontend` for a browser's line.
    source: Option<String>,
    /// `{name, version, environment, instance}`.
    service: Option<Map<String, Value>>,
    /// The correlation ids that are known.
    context: Option<Map<String, Value>>,
    /// `{name, fields}`.
    span: Option<Map<String, Value>>,
    /// The event's own fields.
    extra: Option<Map<String, Value>>,
    /// `{type, message, chain, stacktrace, span_trace, category}`.
    exception: Option<Map<String, Value>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(raw: &str, is_json: bool) -> Value {
        let line = Line {
            id: "a-1".into(),
            timestamp: 0,
            raw: raw.into(),
            is_json,
            file: "backend.log".into(),
        };
        serde_json::from_str(&LineJson(line).to_json()).unwrap()
    }

    #[test]
    fn the_original_members_are_kept_and_ids_added() {
        assert_eq!(
            json("{}", true),
            serde_json::json!({"id": "a-1", "file": "backend.log"})
        );
        let line = json(
            r#" {"message":"x","extra":{"n":12345678901234567890}} "#,
            true,
        );
        assert_eq!(
            line["extra"]["n"],
            serde_json::json!(12_345_678_901_234_567_890_u64)
        );
        assert_eq!(line["id"], "a-1");
    }

    #[test]
    fn a_foreign_id_does_not_hide_ours_nor_get_lost() {
        for raw in [r#"{"id":7,"m":1}"#, r#"{"\u0069d":7,"m":1}"#] {
            let line = json(raw, true);
            assert_eq!(
                (&line["id"], &line["original"]["id"]),
                (&"a-1".into(), &7.into()),
                "{raw}"
            );
        }
    }

    #[test]
    fn plain_text_becomes_a_malformed_line() {
        let line = json("oh \"no\"", false);
        assert_eq!(
            (&line["event_type"], &line["message"]),
            (&"malformed_line".into(), &"oh \"no\"".into())
        );
    }
}
