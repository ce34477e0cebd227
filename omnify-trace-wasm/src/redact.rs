//! Secrets never enter the queue: by the name of a key, and by the look of a value.

use alloc::vec::Vec;

use omnify_trace::schema::fields::SECRET_NAMES;

const REPLACEMENT: &[u8] = b"[redacted]";
/// The rules: the built-in ones and the page's own keys.
#[derive(Default)]
pub(crate) struct Redactor {
    keys: Vec<Vec<u8>>,
}

impl Redactor {
    /// Adds a key whose values are secret too.
    pub(crate) fn add_key(&mut self, key: &str) {
        self.keys.push(plain(key.as_bytes()).collect());
    }

    /// Appends JSON text, secrets replaced. Text that is not JSON is still copied byte by byte.
    pub(crate) fn json(&self, out: &mut Vec<u8>, text: &[u8]) {
        let mut rest = text;
        while let Some((&byte, after)) = rest.split_first() {
            if byte != b'"' {
                out.push(byte);
                rest = after;
                continue;
            }
            let length = string_length(after);
            let inside = after.get(..length).unwrap_or(after);
            rest = after.get(length + 1..).unwrap_or(&[]);
            let is_key = matches!(rest.first(), Some(b':'));
            out.push(b'"');
            if is_key {
                out.extend_from_slice(inside);
            } else {
                self.value(out, inside);
            }
            out.push(b'"');
            if is_key && self.secret(inside) {
                out.extend_from_slice(b":\"");
                out.extend_from_slice(REPLACEMENT);
                out.push(b'"');
                rest = rest.get(1..).map_or(&[], after_value);
            }
        }
    }

    /// Appends the inside of a string, what looks like a secret replaced.
    fn value(&self, out: &mut Vec<u8>, text: &[u8]) {
        let mut at = 0;
        let mut in_word = false;
        while let Some(&byte) = text.get(at) {
            let rest = text.get(at..).unwrap_or(&[]);
            let starts_word = !in_word;
            in_word = byte.is_ascii_alphanumeric();
            let secret = match byte {
                b'e' if starts_word => jwt(rest),
                b'B' | b'b' if starts_word => {
                    let (kept, secret) = bearer(rest);
                    out.extend_from_slice(rest.get(..kept).unwrap_or(&[]));
                    at += kept;
                    secret
                }
                b'0'..=b'9' if starts_word => card(rest),
                b'=' => {
                    out.push(b'=');
                    at += 1;
                    self.query_value(text, at)
                }
                _ => 0,
            };
            if secret > 0 {
                out.extend_from_slice(REPLACEMENT);
                at += secret;
            } else if let (false, Some(&byte)) = (byte == b'=', text.get(at)) {
                out.push(byte);
                at += 1;
            }
        }
    }

    /// The length of the value after `name=` at `at`, if the name is that of a secret.
    fn query_value(&self, text: &[u8], at: usize) -> usize {
        let before = text.get(..at - 1).unwrap_or(&[]);
        let start = before
            .iter()
            .rposition(|&byte| {
                !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
            })
            .map_or(0, |position| position + 1);
        if !self.secret(before.get(start..).unwrap_or(&[])) {
            return 0;
        }
        let rest = text.get(at..).unwrap_or(&[]);
        rest.iter()
            .position(|&byte| matches!(byte, b'&' | b' ' | b'#' | b'\\' | b';' | b','))
            .unwrap_or(rest.len())
    }

    fn secret(&self, key: &[u8]) -> bool {
        // The last two letters first: for nearly every name that is the end of it.
        let mut ends = plain(key).rev().map(bit);
        let may_be =
            ends.next().unwrap_or(0) & LAST != 0 && ends.next().unwrap_or(0) & LAST_BUT_ONE != 0;
        if !may_be && self.keys.is_empty() {
            return false;
        }
        let mut buffer = [0; 64];
        let mut length = 0;
        // The end is what counts, however long the name.
        let tail = key.get(key.len().saturating_sub(64)..).unwrap_or(key);
        for (slot, byte) in buffer.iter_mut().zip(plain(tail)) {
            *slot = byte;
            length += 1;
        }
        let name = buffer.get(..length).unwrap_or(&[]);
        SECRET_NAMES
            .iter()
            .any(|end| name.ends_with(end.as_bytes()))
            || self.keys.iter().any(|key| key.as_slice() == name)
    }
}

/// The last letters of secret names, and those before them, as bits.
const LAST: u32 = letters(1);
const LAST_BUT_ONE: u32 = letters(2);

const fn letters(from_end: usize) -> u32 {
    let mut bits = 0;
    let mut at = 0;
    while at < SECRET_NAMES.len() {
        let name = SECRET_NAMES[at].as_bytes();
        bits |= bit(name[name.len() - from_end]);
        at += 1;
    }
    bits
}

/// A letter as a bit of its own.
const fn bit(letter: u8) -> u32 {
    1 << (letter & 31)
}

/// Lower case, separators left out.
fn plain(key: &[u8]) -> impl DoubleEndedIterator<Item = u8> + '_ {
    key.iter()
        .filter(|byte| !matches!(byte, b'-' | b'_' | b'.' | b' '))
        .map(u8::to_ascii_lowercase)
}

/// Bytes up to the closing quote.
fn string_length(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

/// What follows the JSON value that `text` begins with.
fn after_value(text: &[u8]) -> &[u8] {
    let mut depth = 0_u32;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => at += string_length(text.get(at + 1..).unwrap_or(&[])) + 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' | b',' if depth == 0 => break,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    text.get(at..).unwrap_or(&[])
}

fn token_length(text: &[u8]) -> usize {
    text.iter()
        .position(|&byte| {
            !(byte.is_ascii_alphanumeric()
                || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'/' | b'=' | b'~'))
        })
        .unwrap_or(text.len())
}

/// `eyJ….….…`: a JSON Web Token.
fn jwt(text: &[u8]) -> usize {
    if !text.starts_with(b"eyJ") {
        return 0;
    }
    let length = token_length(text);
    let dots = text
        .iter()
        .take(length)
        .filter(|&&byte| byte == b'.')
        .count();
    if dots >= 2 { length } else { 0 }
}

/// `Bearer …` or `Basic …`: bytes to keep, bytes to replace.
fn bearer(text: &[u8]) -> (usize, usize) {
    for scheme in [b"bearer ".as_slice(), b"basic "] {
        let head = text.get(..scheme.len()).unwrap_or(&[]);
        if head.eq_ignore_ascii_case(scheme) {
            let length = token_length(text.get(scheme.len()..).unwrap_or(&[]));
            if length >= 8 {
                return (scheme.len(), length);
            }
        }
    }
    (0, 0)
}

/// 13 to 19 digits, perhaps in groups, that pass the check of payment cards (Luhn).
fn card(text: &[u8]) -> usize {
    let mut count = 0;
    let mut end = 0;
    // Every second digit counts double, from the right; which these are is known at the end.
    let (mut odd_count, mut even_count) = (0, 0);
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                let digit = u32::from(byte - b'0');
                let double = digit * 2 - if digit > 4 { 9 } else { 0 };
                let first = count % 2 == 0;
                odd_count += if first { digit } else { double };
                even_count += if first { double } else { digit };
                count += 1;
                end = at + 1;
            }
            b' ' | b'-' if end == at => {}
            _ => break,
        }
    }
    let sum: u32 = if count % 2 == 0 {
        even_count
    } else {
        odd_count
    };
    if (13..=19).contains(&count) && sum.is_multiple_of(10) {
        end
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(text: &str) -> String {
        let mut redactor = Redactor::default();
        redactor.add_key("Account-Number");
        let mut out = Vec::new();
        redactor.json(&mut out, text.as_bytes());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_of_secret_keys_are_replaced_whatever_they_are() {
        for (text, wanted) in [
            (
                r#"{"password":"x","a":1}"#,
                r#"{"password":"[redacted]","a":1}"#,
            ),
            (
                r#"{"API_KEY":{"b":["}"]},"a":1}"#,
                r#"{"API_KEY":"[redacted]","a":1}"#,
            ),
            (
                r#"{"x":{"refreshToken":12}}"#,
                r#"{"x":{"refreshToken":"[redacted]"}}"#,
            ),
            (r#"{"cvc":"1\"2"}"#, r#"{"cvc":"[redacted]"}"#),
            (
                r#"{"account_number":"1"}"#,
                r#"{"account_number":"[redacted]"}"#,
            ),
            (
                r#"{"input_tokens":12,"password_length":8}"#,
                r#"{"input_tokens":12,"password_length":8}"#,
            ),
        ] {
            assert_eq!(redacted(text), wanted);
        }
    }

    #[test]
    fn every_secret_name_is_known_however_it_is_written() {
        for name in SECRET_NAMES {
            for key in [
                name.to_owned(),
                name.to_uppercase(),
                format!("my_{name}"),
                format!("{}-{}_", &name[..1], &name[1..]),
            ] {
                let text = format!(r#"{{"{key}":"hidden","open":1}}"#);
                assert_eq!(
                    redacted(&text),
                    format!(r#"{{"{key}":"[redacted]","open":1}}"#)
                );
            }
        }
    }

    #[test]
    fn values_that_look_like_secrets_are_replaced() {
        for (text, wanted) in [
            (
                r#""sent Bearer abcdefgh123 twice""#,
                r#""sent Bearer [redacted] twice""#,
            ),
            (r#""a eyJhbGciOi.eyJzdWIi.c2ln b""#, r#""a [redacted] b""#),
            (r#""card 4111 1111 1111 1111.""#, r#""card [redacted].""#),
            (r#""order 1234567890123""#, r#""order 1234567890123""#),
            (
                r#""/reset?token=abc&x=1""#,
                r#""/reset?token=[redacted]&x=1""#,
            ),
            (
                r#""a==b, e=1, bearer of news""#,
                r#""a==b, e=1, bearer of news""#,
            ),
        ] {
            assert_eq!(redacted(text), wanted);
        }
    }

    #[test]
    fn text_that_is_not_json_does_no_harm() {
        for text in [
            "",
            "\"",
            "{\"password\":",
            "\"a\\",
            "{\"password\":\"x",
            "]]}}",
        ] {
            redacted(text);
        }
    }
}
