//! One captured line.

use serde_json::Value;

/// A captured line of schema v1, with assertions that can be chained.
#[derive(Debug, Clone, PartialEq)]
pub struct Event(pub(super) Value);

impl Event {
    /// The whole line.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.0
    }

    /// A member by its path, such as `["extra", "duration_ms"]`; null where there is none.
    #[must_use]
    pub fn get(&self, path: &[&str]) -> &Value {
        path.iter().fold(&self.0, |value, name| &value[*name])
    }

    /// The wire name of its type; empty for plain log lines.
    #[must_use]
    pub fn event_type(&self) -> &str {
        self.text(&["event_type"])
    }

    /// What it says to a person.
    #[must_use]
    pub fn message(&self) -> &str {
        self.text(&["message"])
    }

    /// Asserts a member of `context`.
    #[track_caller]
    pub fn context(&self, name: &str, expected: impl Into<Value>) -> &Self {
        self.assert(&["context", name], &expected.into())
    }

    /// Asserts a member of `extra`.
    #[track_caller]
    pub fn extra(&self, name: &str, expected: impl Into<Value>) -> &Self {
        self.assert(&["extra", name], &expected.into())
    }

    /// Asserts a field of the spans around it.
    #[track_caller]
    pub fn span_field(&self, name: &str, expected: impl Into<Value>) -> &Self {
        self.assert(&["span", "fields", name], &expected.into())
    }

    /// Asserts a part of the exception's message or of one of its sources'.
    #[track_caller]
    pub fn caused_by(&self, part: &str) -> &Self {
        let chain = self.get(&["exception", "chain"]).as_array();
        let mut texts = chain
            .into_iter()
            .flatten()
            .chain([self.get(&["exception", "message"])]);
        let found = texts.any(|text| text.as_str().is_some_and(|text| text.contains(part)));
        assert!(found, "no error with {part:?} in {:#}", self.0);
        self
    }

    pub(super) fn text(&self, path: &[&str]) -> &str {
        self.get(path).as_str().unwrap_or_default()
    }

    #[track_caller]
    fn assert(&self, path: &[&str], expected: &Value) -> &Self {
        let found = self.get(path);
        assert!(
            found == expected,
            "{} is {found}, not {expected}, in {:#}",
            path.join("."),
            self.0
        );
        self
    }
}
