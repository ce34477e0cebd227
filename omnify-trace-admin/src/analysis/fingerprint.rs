//! Which errors are the same error: type, place, and the message without what varies.

use std::{fmt::Write as _, sync::LazyLock};

use regex::Regex;
use sha2::{Digest, Sha256};

use super::Event;

/// What varies in a message, the more special first.
static VARIABLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        // Our own codes tell errors apart.
        r"(?P<code>\bOT0\d{3}\b)",
        r"|(?P<uuid>[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})",
        r"|(?P<time>\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?)",
        r"|(?P<email>[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,})",
        r"|(?P<address>\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d+)?\b)",
        r#"|(?P<quoted>"[^"]*"|'[^' ]*'|`[^`]*`)"#,
        r"|(?P<hex>\b0x[0-9a-fA-F]+\b|\b[0-9a-fA-F]{8,}\b)",
        r"|(?P<id>\b[A-Za-z]+[_-][0-9][A-Za-z0-9_-]*\b)",
        r"|(?P<number>\d+(?:\.\d+)?)",
    ))
    .ok()
});

/// The kind of an error that names none.
pub(super) const NO_KIND: &str = "error";

/// The identity of an error group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// 16 hexadecimal digits.
    pub id: String,
    /// The exception's type, or the event type, or `error`.
    pub kind: String,
    /// The message with placeholders.
    pub template: String,
}

/// A message with placeholders for what varies: ids, numbers, times, addresses, quoted values.
#[must_use]
pub fn template(message: &str) -> String {
    const LONGEST: usize = 300;
    let first_line = message.lines().next().unwrap_or_default();
    let first_line = first_line
        .char_indices()
        .nth(LONGEST)
        .map_or(first_line, |(end, _)| &first_line[..end]);
    let Some(variable) = VARIABLE.as_ref() else {
        return first_line.to_owned();
    };
    variable
        .replace_all(first_line, |found: &regex::Captures<'_>| {
            let whole = found.get(0).map_or("", |whole| whole.as_str());
            // A word such as "defaced" is no number, and a long number is just a number.
            let is_word =
                found.name("hex").is_some() && !whole.bytes().any(|byte| byte.is_ascii_digit());
            if is_word || found.name("code").is_some() {
                return whole.to_owned();
            }
            let digits = whole.bytes().all(|byte| byte.is_ascii_digit());
            [
                ("uuid", "<id>"),
                ("time", "<time>"),
                ("email", "<email>"),
                ("address", "<address>"),
                ("quoted", "<value>"),
                ("hex", "<hex>"),
                ("id", "<id>"),
            ]
            .into_iter()
            .find(|(name, _)| !digits && found.name(name).is_some())
            .map_or("<n>", |(_, placeholder)| placeholder)
            .to_owned()
        })
        .into_owned()
}

/// The identity of the error that a line tells of.
#[must_use]
pub fn fingerprint(event: &Event) -> Fingerprint {
    let kind = event.exception("type").or_else(|| event.event_type());
    let place = event.text("location").unwrap_or_else(|| event.target());
    fingerprint_of(kind.unwrap_or(NO_KIND), event.error_text(), place)
}

/// The identity of an error of this kind, text and place.
pub(super) fn fingerprint_of(kind: &str, text: &str, place: &str) -> Fingerprint {
    let template = template(text);
    let digest = Sha256::new()
        .chain_update(kind.as_bytes())
        .chain_update([0])
        .chain_update(template.as_bytes())
        .chain_update([0])
        .chain_update(place.as_bytes())
        .finalize();
    let id = digest
        .iter()
        .take(8)
        .fold(String::with_capacity(16), |mut id, byte| {
            // Writing to a string cannot fail.
            let _ = write!(id, "{byte:02x}");
            id
        });
    Fingerprint {
        id,
        kind: kind.to_owned(),
        template,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_varies_becomes_a_placeholder() {
        for (message, expected) in [
            ("timeout after 5000 ms", "timeout after <n> ms"),
            ("user usr_81a not found", "user <id> not found"),
            (
                "no such order 018f3b1c-7d3e-7c7a-a111-2b3c4d5e6f70",
                "no such order <id>",
            ),
            ("connect 10.0.0.7:5432 refused", "connect <address> refused"),
            ("bad value \"x y\" for `k`", "bad value <value> for <value>"),
            ("mail to ada@example.org bounced", "mail to <email> bounced"),
            ("can't open, isn't there", "can't open, isn't there"),
            ("at 2026-11-21T09:10:11.5Z it failed", "at <time> it failed"),
            ("object deadbeef01 gone", "object <hex> gone"),
            ("defaced facade accede", "defaced facade accede"),
            ("effaced 1234567890", "effaced <n>"),
            (
                "OT0304: Loki did not answer in 5 s",
                "OT0304: Loki did not answer in <n> s",
            ),
            ("first\nsecond 7", "first"),
        ] {
            assert_eq!(template(message), expected);
        }
    }
}
