//! Whether a line answers a query: for live tails, where there is no index to ask.

use serde_json::Value;

use super::Event;
use crate::store::{Comparison, Filter, Query};

/// Whether the line lies in the query's range and every filter holds.
#[must_use]
pub fn matches(query: &Query, event: &Event) -> bool {
    query.from.is_none_or(|from| event.time() >= from)
        && query.to.is_none_or(|to| event.time() < to)
        && query.filters.iter().all(|filter| holds(filter, event))
}

fn holds(filter: &Filter, event: &Event) -> bool {
    match filter {
        Filter::OneOf { field, values } => {
            text_of(event, field).is_some_and(|text| values.iter().any(|value| *value == text))
        }
        Filter::Contains { field, text } => {
            text_of(event, field).is_some_and(|value| contains(&value, text))
        }
        Filter::Compare { field, op, value } => event
            .field(field)
            .and_then(Value::as_f64)
            .is_some_and(|number| compares(number, *op, *value)),
        Filter::Text(text) => {
            if event.line.is_json {
                event
                    .json()
                    .values()
                    .any(|value| any_text_contains(value, text))
            } else {
                contains(&event.line.raw, text)
            }
        }
        Filter::Exists(field) => event.field(field).is_some_and(|value| !value.is_null()),
        Filter::Not(inner) => !holds(inner, event),
        Filter::Any(inner) => inner.iter().any(|filter| holds(filter, event)),
    }
}

fn text_of(event: &Event, field: &str) -> Option<String> {
    if !event.line.is_json {
        return match field {
            "message" => Some(event.line.raw.to_string()),
            "level" => Some("UNKNOWN".to_owned()),
            "event_type" => Some("malformed_line".to_owned()),
            _ => None,
        };
    }
    match event.field(field)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn compares(left: f64, op: Comparison, right: f64) -> bool {
    match op {
        Comparison::Less => left < right,
        Comparison::LessOrEqual => left <= right,
        Comparison::Greater => left > right,
        Comparison::GreaterOrEqual => left >= right,
        #[expect(clippy::float_cmp, reason = "equality was asked for")]
        Comparison::Equal => left == right,
    }
}

fn contains(haystack: &str, needle: &str) -> bool {
    haystack.to_lowercase().contains(&needle.to_lowercase())
}

fn any_text_contains(value: &Value, needle: &str) -> bool {
    match value {
        Value::String(text) => contains(text, needle),
        Value::Array(values) => values.iter().any(|value| any_text_contains(value, needle)),
        Value::Object(members) => members
            .values()
            .any(|value| any_text_contains(value, needle)),
        _ => false,
    }
}
