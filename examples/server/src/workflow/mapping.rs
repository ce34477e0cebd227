//! Templates in a step's input and output: `{{input.company}}`, `{{steps.research.output.summary}}`,
//! `{{result.id}}`. A string that is one template alone keeps the value's type; a template inside
//! longer text becomes text. A path that leads nowhere is null, or nothing inside text.

use serde_json::{Map, Value};

/// What templates can read.
pub(crate) struct Scope<'a> {
    /// The run's input.
    pub(crate) input: &'a Value,
    /// Outputs by step id.
    pub(crate) steps: &'a Map<String, Value>,
    /// The agent's answer, in an output mapping.
    pub(crate) result: Option<&'a Value>,
}

impl Scope<'_> {
    fn read(&self, path: &str) -> Value {
        let mut parts = path.trim().split('.');
        let start = match parts.next() {
            Some("input") => Some(self.input),
            Some("result") => self.result,
            Some("steps") => {
                let step = parts.next().and_then(|id| self.steps.get(id));
                match parts.next() {
                    Some("output") => step,
                    _ => None,
                }
            }
            _ => None,
        };
        parts
            .try_fold(start, |value, part| match value {
                Some(Value::Array(items)) => Some(
                    part.parse::<usize>()
                        .ok()
                        .and_then(|index| items.get(index)),
                ),
                Some(value) => Some(value.get(part)),
                None => None,
            })
            .flatten()
            .cloned()
            .unwrap_or(Value::Null)
    }
}

/// Fills every template in `value`.
pub(crate) fn fill(value: &Value, scope: &Scope<'_>) -> Value {
    match value {
        Value::String(text) => fill_text(text, scope),
        Value::Array(items) => items.iter().map(|item| fill(item, scope)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), fill(value, scope)))
            .collect(),
        other => other.clone(),
    }
}

fn fill_text(text: &str, scope: &Scope<'_>) -> Value {
    let parts = split(text);
    if let [Part::Template(path)] = parts.as_slice() {
        return scope.read(path);
    }
    let mut filled = String::with_capacity(text.len());
    for part in parts {
        match part {
            Part::Text(text) => filled.push_str(text),
            Part::Template(path) => match scope.read(path) {
                Value::String(text) => filled.push_str(&text),
                Value::Null => {}
                other => filled.push_str(&other.to_string()),
            },
        }
    }
    Value::String(filled)
}

/// Whether a `when` condition lets the step run.
pub(crate) fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty() && text != "false",
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

/// The ids of all steps whose output `value` reads.
pub(crate) fn steps_used(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => split(text)
            .into_iter()
            .filter_map(|part| match part {
                Part::Template(path) => path.trim().strip_prefix("steps."),
                Part::Text(_) => None,
            })
            .filter_map(|rest| rest.split('.').next())
            .map(str::to_owned)
            .collect(),
        Value::Array(items) => items.iter().flat_map(steps_used).collect(),
        Value::Object(fields) => fields.values().flat_map(steps_used).collect(),
        _ => Vec::new(),
    }
}

enum Part<'a> {
    Text(&'a str),
    Template(&'a str),
}

/// Cuts text at `{{` and `}}`; an opening without an end is text.
fn split(mut text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    while let Some(open) = text.find("{{") {
        let Some(length) = text[open..].find("}}") else {
            break;
        };
        if open > 0 {
            parts.push(Part::Text(&text[..open]));
        }
        parts.push(Part::Template(&text[open + 2..open + length]));
        text = &text[open + length + 2..];
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    parts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filled(template: &Value) -> Value {
        let input = json!({"company": "Acme", "seats": 3, "tags": ["a", "b"]});
        let steps = json!({"look": {"id": "c1", "score": 0.5}});
        let steps = steps.as_object().expect("an object");
        fill(
            template,
            &Scope {
                input: &input,
                steps,
                result: Some(&json!({"ok": true})),
            },
        )
    }

    #[test]
    fn a_template_alone_keeps_its_type() {
        assert_eq!(filled(&json!("{{input.seats}}")), json!(3));
        assert_eq!(
            filled(&json!("{{ steps.look.output }}")),
            json!({"id": "c1", "score": 0.5})
        );
        assert_eq!(filled(&json!("{{result.ok}}")), json!(true));
        assert_eq!(filled(&json!("{{input.tags.1}}")), json!("b"));
    }

    #[test]
    fn a_template_in_text_becomes_text() {
        assert_eq!(
            filled(&json!({"t": "{{input.company}} has {{input.seats}} seats{{input.nothing}}"})),
            json!({"t": "Acme has 3 seats"})
        );
    }

    #[test]
    fn what_is_not_there_is_null_and_an_open_brace_is_text() {
        assert_eq!(filled(&json!("{{steps.gone.output.x}}")), Value::Null);
        assert_eq!(filled(&json!("{{elsewhere}}")), Value::Null);
        assert_eq!(filled(&json!("a {{ b")), json!("a {{ b"));
    }

    #[test]
    fn steps_used_are_found_everywhere() {
        let value = json!({"a": ["{{steps.x.output}}"], "b": "{{steps.y.output.z}} {{input.q}}"});
        assert_eq!(steps_used(&value), ["x", "y"]);
    }
}
