//! Taking secrets out of what was just written.

use super::json;
use crate::redact::{REDACTED, Redactor};

/// Replaces the JSON value that starts at `start` if its name or its text says so.
#[cold]
pub(crate) fn value(
    redactor: &Redactor,
    out: &mut Vec<u8>,
    start: usize,
    name: &str,
    secret: bool,
) {
    if secret || redactor.is_secret_name(name) {
        out.truncate(start);
        json::string(out, REDACTED);
    } else if out.get(start) == Some(&b'"') && redactor.looks_into_texts() {
        // Between the quotes; what is taken out holds nothing that needs an escape.
        out.pop();
        text(redactor, out, start + 1);
        out.push(b'"');
    }
}

/// Cleans the escaped text that starts at `start`.
#[cold]
pub(crate) fn text(redactor: &Redactor, out: &mut Vec<u8>, start: usize) {
    let quoted = [b"\"", out.get(start..).unwrap_or_default(), b"\""].concat();
    // Unescaped first: a secret may hold a character that was escaped.
    let Ok(plain) = serde_json::from_slice::<String>(&quoted) else {
        return;
    };
    if let std::borrow::Cow::Owned(clean) = redactor.clean(&plain) {
        out.truncate(start);
        json::escape(out, &clean);
    }
}
