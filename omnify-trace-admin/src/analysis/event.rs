//! A line with its JSON at hand.

use omnify_trace::schema::{EventType, fields};
use serde_json::{Map, Value};

use crate::store::Line;

/// Sections of a line whose members are addressed as `section.name`.
const SECTIONS: [&str; 5] = [
    fields::SERVICE,
    fields::CONTEXT,
    fields::EXTRA,
    fields::EXCEPTION,
    fields::SPAN,
];

/// Members of the line itself.
const TOP_LEVEL: [&str; 6] = [
    fields::TIMESTAMP,
    fields::LEVEL,
    fields::MESSAGE,
    fields::EVENT_TYPE,
    fields::TARGET,
    fields::SOURCE,
];

/// A line and its parsed JSON. A line of plain text has the empty object.
#[derive(Debug, Clone)]
pub struct Event {
    /// As the store has it.
    pub line: Line,
    value: Map<String, Value>,
}

impl Event {
    /// Parses a line.
    #[must_use]
    pub fn parse(line: Line) -> Self {
        let value = if line.is_json {
            serde_json::from_str(&line.raw).unwrap_or_default()
        } else {
            Map::new()
        };
        Self { line, value }
    }

    /// Unix nanoseconds.
    #[must_use]
    pub fn time(&self) -> i64 {
        self.line.timestamp
    }

    /// The JSON object.
    #[must_use]
    pub fn json(&self) -> &Map<String, Value> {
        &self.value
    }

    fn top(&self, name: &str) -> Option<&str> {
        self.value.get(name)?.as_str()
    }

    /// Whether a browser told of it.
    #[must_use]
    pub fn is_frontend(&self) -> bool {
        self.top(fields::SOURCE) == Some("frontend")
    }

    /// The message, or the whole line of plain text.
    #[must_use]
    pub fn message(&self) -> &str {
        if self.line.is_json {
            self.top(fields::MESSAGE).unwrap_or_default()
        } else {
            &self.line.raw
        }
    }

    /// `ERROR`, `INFO`, …; `UNKNOWN` where a line has none.
    #[must_use]
    pub fn level(&self) -> &str {
        self.top(fields::LEVEL).unwrap_or("UNKNOWN")
    }

    /// Whether the level is `ERROR`.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.level() == "ERROR"
    }

    /// The wire name of the event type.
    #[must_use]
    pub fn event_type(&self) -> Option<&str> {
        self.top(fields::EVENT_TYPE)
    }

    /// The event type, if it is one of ours.
    #[must_use]
    pub fn kind(&self) -> Option<EventType> {
        self.event_type().and_then(EventType::from_wire)
    }

    /// The target.
    #[must_use]
    pub fn target(&self) -> &str {
        self.top(fields::TARGET).unwrap_or_default()
    }

    /// A member of a section; a section may also keep it nested by its dots.
    #[must_use]
    pub fn member(&self, section: &str, name: &str) -> Option<&Value> {
        let section = self.value.get(section)?;
        section.get(name).or_else(|| {
            name.contains('.')
                .then(|| {
                    name.split('.')
                        .try_fold(section, |value, part| value.get(part))
                })
                .flatten()
        })
    }

    /// A member of `context`.
    #[must_use]
    pub fn context(&self, name: &str) -> Option<&str> {
        self.member(fields::CONTEXT, name)?
            .as_str()
            .filter(|text| !text.is_empty())
    }

    /// A member of `extra`.
    #[must_use]
    pub fn extra(&self, name: &str) -> Option<&Value> {
        self.member(fields::EXTRA, name)
    }

    /// A text of `extra`.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.extra(name)?.as_str()
    }

    /// A number of `extra`.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        self.extra(name)?.as_f64()
    }

    /// A whole number of `extra`.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.extra(name)?.as_i64()
    }

    /// A text of `exception`.
    #[must_use]
    pub fn exception(&self, name: &str) -> Option<&str> {
        self.member(fields::EXCEPTION, name)?.as_str()
    }

    /// A text of `service`.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&str> {
        self.member(fields::SERVICE, name)?.as_str()
    }

    /// What went wrong, in one line: the exception's message, `extra.error`, or the message.
    #[must_use]
    pub fn error_text(&self) -> &str {
        self.exception("message")
            .or_else(|| self.text(fields::ERROR))
            .unwrap_or_else(|| self.message())
    }

    /// `extra.duration_ms`.
    #[must_use]
    pub fn duration_ms(&self) -> Option<f64> {
        self.number(fields::DURATION_MS)
    }

    /// When what this line ends began: its time less its duration.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a duration of centuries saturates"
    )]
    pub fn began_at(&self) -> i64 {
        self.time()
            .saturating_sub((self.duration_ms().unwrap_or(0.0).max(0.0) * 1e6) as i64)
    }

    /// The value at a path as a [`Query`](crate::store::Query) names it.
    #[must_use]
    pub fn field(&self, path: &str) -> Option<&Value> {
        if let Some((section, name)) = path.split_once('.')
            && SECTIONS.contains(&section)
        {
            return self.member(section, name);
        }
        if TOP_LEVEL.contains(&path) {
            return self.value.get(path);
        }
        let section = if fields::CONTEXT_FIELDS.contains(&path) {
            fields::CONTEXT
        } else {
            fields::EXTRA
        };
        self.member(section, path)
    }
}
