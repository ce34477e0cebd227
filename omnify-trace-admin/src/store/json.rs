//! Walks one line of JSON without building it: the leaves, where they stand, and nothing else.
//!
//! What is between the leaves (braces, keys, blanks) is the line's *skeleton*. Lines of one
//! kind share it, so the engine stores it once.

use std::{borrow::Cow, ops::Range};

/// What kind of value a leaf is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// A string; its range is what is between the quotes.
    Text {
        /// Whether a backslash is in it.
        escaped: bool,
    },
    /// A number.
    Number,
    /// `true`, `false` or `null`.
    Word,
    /// An array, whole.
    Array,
}

/// The line is not one JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotJson;

/// Deeper nesting than this is taken for plain text, as the API could not show it as JSON.
const MAX_DEPTH: usize = 100;

/// Calls `leaf` with each leaf's dotted path, kind and place, in the line's order. `plain` is
/// false for a path with escapes in a key.
pub(crate) fn walk(
    line: &str,
    mut leaf: impl FnMut(&str, bool, Token, Range<usize>),
) -> Result<(), NotJson> {
    let mut cursor = Cursor {
        bytes: line.as_bytes(),
        at: 0,
    };
    let mut path = String::with_capacity(64);
    cursor.blank();
    cursor.object(line, &mut path, true, 0, &mut leaf)?;
    cursor.blank();
    if cursor.at == line.len() {
        Ok(())
    } else {
        Err(NotJson)
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn blank(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Result<(), NotJson> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(NotJson)
        }
    }

    fn object(
        &mut self,
        line: &str,
        path: &mut String,
        plain: bool,
        depth: usize,
        leaf: &mut impl FnMut(&str, bool, Token, Range<usize>),
    ) -> Result<(), NotJson> {
        if depth > MAX_DEPTH {
            return Err(NotJson);
        }
        self.expect(b'{')?;
        self.blank();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        let parent = path.len();
        loop {
            let (key, escaped) = self.string()?;
            path.truncate(parent);
            if depth > 0 {
                path.push('.');
            }
            match unescape(&line[key]) {
                Some(key) => path.push_str(&key),
                None => return Err(NotJson),
            }
            self.blank();
            self.expect(b':')?;
            self.blank();
            if self.peek() == Some(b'{') {
                self.object(line, path, plain && !escaped, depth + 1, leaf)?;
            } else {
                let (token, range) = self.value(line, depth)?;
                leaf(path, plain && !escaped, token, range);
            }
            self.blank();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(NotJson),
            }
            self.blank();
        }
        path.truncate(parent);
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, line: &str, depth: usize) -> Result<(Token, Range<usize>), NotJson> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => {
                let (range, escaped) = self.string()?;
                if escaped && unescape(&line[range.clone()]).is_none() {
                    return Err(NotJson);
                }
                Ok((Token::Text { escaped }, range))
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Ok((Token::Number, start..self.at))
            }
            Some(b'[') => {
                self.array(line, depth + 1)?;
                Ok((Token::Array, start..self.at))
            }
            _ => {
                let rest = &self.bytes[start..];
                let word = ["true", "false", "null"]
                    .into_iter()
                    .find(|word| rest.starts_with(word.as_bytes()))
                    .ok_or(NotJson)?;
                self.at += word.len();
                Ok((Token::Word, start..self.at))
            }
        }
    }

    fn array(&mut self, line: &str, depth: usize) -> Result<(), NotJson> {
        if depth > MAX_DEPTH {
            return Err(NotJson);
        }
        self.expect(b'[')?;
        self.blank();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blank();
            if self.peek() == Some(b'{') {
                self.object(
                    line,
                    &mut String::new(),
                    true,
                    depth + 1,
                    &mut |_, _, _, _| {},
                )?;
            } else {
                self.value(line, depth)?;
            }
            self.blank();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(NotJson),
            }
        }
        self.at += 1;
        Ok(())
    }

    /// What is between the quotes, and whether a backslash is in it.
    fn string(&mut self) -> Result<(Range<usize>, bool), NotJson> {
        self.expect(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(0..0x20) | None => return Err(NotJson),
                Some(_) => self.at += 1,
            }
        }
        let range = start..self.at;
        self.at += 1;
        Ok((range, escaped))
    }

    fn number(&mut self) -> Result<(), NotJson> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(NotJson),
        }
        let mut whole = true;
        if self.peek() == Some(b'.') {
            whole = false;
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            whole = false;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        // What no double can hold, no JSON reader downstream could show either.
        let short = self.at - start < 300 && whole;
        if short || number(&self.bytes[start..self.at]).is_some_and(f64::is_finite) {
            Ok(())
        } else {
            Err(NotJson)
        }
    }

    fn digits(&mut self) -> Result<(), NotJson> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at > start {
            Ok(())
        } else {
            Err(NotJson)
        }
    }
}

/// The number that this text is.
pub(crate) fn number(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// What a JSON string says, given what is between its quotes. `None` if an escape is wrong.
pub(crate) fn unescape(inner: &str) -> Option<Cow<'_, str>> {
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = *rest.as_bytes().get(at + 1)?;
        let mut used = at + 2;
        match escape {
            b'"' => out.push('"'),
            b'\\' => out.push('\\'),
            b'/' => out.push('/'),
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            b'u' => {
                let (unit, pair) = (hex4(rest, used)?, hex4(rest, used + 6));
                used += 4;
                if let 0xd800..=0xdbff = unit {
                    let low = pair.filter(|_| rest.get(used..used + 2) == Some("\\u"))?;
                    if !(0xdc00..=0xdfff).contains(&low) {
                        return None;
                    }
                    used += 6;
                    let joined = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                    out.push(char::from_u32(joined)?);
                } else {
                    out.push(char::from_u32(unit)?);
                }
            }
            _ => return None,
        }
        rest = rest.get(used..)?;
    }
    out.push_str(rest);
    Some(Cow::Owned(out))
}

fn hex4(text: &str, at: usize) -> Option<u32> {
    let digits = text.as_bytes().get(at..at + 4)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Escapes as `serde_json` and our own layer do: the shortest form, lowercase `\u00xx`.
pub(crate) fn escape(out: &mut Vec<u8>, text: &[u8]) {
    let mut from = 0;
    for (at, &byte) in text.iter().enumerate() {
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            0x08 => b'b',
            0x0c => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0..0x20 => b'u',
            _ => continue,
        };
        out.extend_from_slice(&text[from..at]);
        out.extend_from_slice(&[b'\\', short]);
        if short == b'u' {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
            out.extend_from_slice(&[b'0', b'0', high, low]);
        }
        from = at + 1;
    }
    out.extend_from_slice(&text[from..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaves(line: &str) -> Result<Vec<(String, String)>, NotJson> {
        let mut found = Vec::new();
        walk(line, |path, _, _, range| {
            found.push((path.to_owned(), line[range].to_owned()));
        })?;
        Ok(found)
    }

    #[test]
    fn leaves_have_paths_and_places() {
        let line = r#" { "a" : "x\"y", "b":{"c":-1.5e3,"d.e":true,"f":{}},"g":[1,{"h":"]"}] } "#;
        let expected = [
            ("a", r#"x\"y"#),
            ("b.c", "-1.5e3"),
            ("b.d.e", "true"),
            ("g", r#"[1,{"h":"]"}]"#),
        ];
        let expected = expected.map(|(path, text)| (path.to_owned(), text.to_owned()));
        assert_eq!(leaves(line), Ok(expected.to_vec()));
    }

    #[test]
    fn agrees_with_serde_json_on_what_is_an_object() {
        let deep = format!("{}1{}", "{\"a\":".repeat(300), "}".repeat(300));
        for line in [
            "{}",
            "{} ",
            "",
            "1",
            "[]",
            "{",
            "{}}",
            r#"{"a":01}"#,
            r#"{"a":1.}"#,
            r#"{"a":.5}"#,
            r#"{"a":1e999}"#,
            r#"{"a":-}"#,
            r#"{"a":-0}"#,
            r#"{"a":1,}"#,
            r#"{"a" 1}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\ud83d\ude00"}"#,
            r#"{"a":"\x"}"#,
            "{\"a\":\"\t\"}",
            r#"{"a":nul}"#,
            r#"{"a":[1,]}"#,
            r#"{"a":[{"b":"\ud800"}]}"#,
            r#"{a:1}"#,
            r#"{"a":"\u00e9"}"#,
            r#"{"a":tru}"#,
            r#"{"a":truee}"#,
            &deep,
        ] {
            let theirs = serde_json::from_str::<serde_json::Value>(line)
                .is_ok_and(|value| value.is_object());
            assert_eq!(leaves(line).is_ok(), theirs, "{line}");
        }
    }

    proptest! {
        #[test]
        fn escaping_and_unescaping_agree_with_serde_json(text in any::<String>()) {
            let theirs = serde_json::to_string(&text).unwrap();
            let mut ours = Vec::new();
            escape(&mut ours, text.as_bytes());
            let ours = String::from_utf8(ours).unwrap();
            prop_assert_eq!(&theirs[1..theirs.len() - 1], &ours);
            prop_assert_eq!(unescape(&ours), Some(Cow::Borrowed(text.as_str())));
        }

        #[test]
        fn never_panics_on_anything(text in r#"[\{\}\[\]":,\\u0-9a-f\. -]{0,60}"#) {
            let theirs = serde_json::from_str::<serde_json::Value>(&text)
                .is_ok_and(|value| value.is_object());
            prop_assert_eq!(leaves(&text).is_ok(), theirs);
        }
    }
}
