//! The shapes that a body can have.

use serde_json::Value;

/// The entries of a body, each as it came or with the reason why it could not be read.
pub(super) struct Batch {
    pub(super) sent_at: Option<String>,
    pub(super) entries: Vec<Result<Value, String>>,
}

/// Reads one entry, an array, NDJSON, or an envelope.
///
/// # Errors
/// What is wrong with the body as a whole.
pub(super) fn read(body: &[u8], is_ndjson: bool) -> Result<Batch, String> {
    if !is_ndjson {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => return shape(value),
            // Beacons send NDJSON as text/plain: more than one line is worth another look.
            Err(error) if !trim(body).contains(&b'\n') => {
                return Err(format!("the body is not JSON: {error}"));
            }
            Err(_) => {}
        }
    }
    let mut batch = Batch {
        sent_at: None,
        entries: Vec::new(),
    };
    let lines = body.split(|&byte| byte == b'\n').map(trim);
    for line in lines.filter(|line| !line.is_empty()) {
        let entry =
            serde_json::from_slice::<Value>(line).map_err(|error| format!("not JSON: {error}"));
        match entry {
            Ok(Value::Object(object)) if batch.entries.is_empty() && is_envelope_line(&object) => {
                batch.sent_at = object
                    .get("sent_at")
                    .and_then(Value::as_str)
                    .map(str::to_owned);
            }
            entry => batch.entries.push(entry),
        }
    }
    if !is_ndjson && batch.entries.iter().all(Result::is_err) {
        return Err("the body is neither JSON nor lines of JSON".into());
    }
    Ok(batch)
}

/// `{"sent_at": …}` alone, as the first line.
fn is_envelope_line(object: &serde_json::Map<String, Value>) -> bool {
    object.len() == 1 && object.contains_key("sent_at")
}

fn shape(value: Value) -> Result<Batch, String> {
    match value {
        Value::Array(entries) => Ok(Batch {
            sent_at: None,
            entries: entries.into_iter().map(Ok).collect(),
        }),
        Value::Object(mut object) => {
            let sent_at = object
                .get("sent_at")
                .and_then(Value::as_str)
                .map(str::to_owned);
            match object.remove("entries") {
                Some(Value::Array(entries)) => Ok(Batch {
                    sent_at,
                    entries: entries.into_iter().map(Ok).collect(),
                }),
                Some(_) => Err("\"entries\" is not an array".into()),
                None => Ok(Batch {
                    sent_at,
                    entries: vec![Ok(Value::Object(object))],
                }),
            }
        }
        _ => Err("the body is neither an object nor an array".into()),
    }
}

fn trim(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(body: &str, is_ndjson: bool) -> Result<(usize, usize), String> {
        let batch = read(body.as_bytes(), is_ndjson)?;
        let good = batch.entries.iter().filter(|entry| entry.is_ok()).count();
        Ok((good, batch.entries.len() - good))
    }

    #[test]
    fn every_shape_of_a_body() {
        assert_eq!(count(r#"{"message":"a"}"#, false), Ok((1, 0)));
        assert_eq!(
            count(r#"[{"message":"a"},{"message":"b"}]"#, false),
            Ok((2, 0))
        );
        assert_eq!(
            count(r#"{"sent_at":"x","entries":[{}]}"#, false),
            Ok((1, 0))
        );
        assert_eq!(
            count("{\"message\":\"a\"}\n\n{\"message\":\"b\"}\n", true),
            Ok((2, 0))
        );
        assert_eq!(count("{\"message\":\"a\"}\nbroken\n{}", true), Ok((2, 1)));
        assert_eq!(
            count("{\"message\":\"a\"}\r\n{\"message\":\"b\"}", false),
            Ok((2, 0)),
            "text/plain"
        );
        assert_eq!(
            count("{\"sent_at\":\"x\"}\n{\"message\":\"b\"}", true),
            Ok((1, 0))
        );
        assert_eq!(count("[]", false), Ok((0, 0)));
        for wrong in ["", "nonsense", "7", "\"text\"", r#"{"entries":3}"#, "a\nb"] {
            assert!(count(wrong, false).is_err(), "{wrong}");
        }
    }
}
