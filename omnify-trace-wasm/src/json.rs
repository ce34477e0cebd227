//! JSON written byte by byte: no formatter, no parser.

use alloc::vec::Vec;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends a string with its quotes; control characters are escaped, so a line stays one line.
pub(crate) fn string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    escaped(out, text);
    out.push(b'"');
}

/// Appends a string's inside; what needs no escape in whole runs.
pub(crate) fn escaped(out: &mut Vec<u8>, text: &[u8]) {
    let mut plain = 0;
    for (at, &byte) in text.iter().enumerate() {
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0..0x20 | 0x7f => 0,
            _ => continue,
        };
        out.extend_from_slice(text.get(plain..at).unwrap_or(&[]));
        plain = at + 1;
        if short == 0 {
            out.extend_from_slice(b"\\u00");
            hex_byte(out, byte);
        } else {
            out.extend_from_slice(&[b'\\', short]);
        }
    }
    out.extend_from_slice(text.get(plain..).unwrap_or(&[]));
}

/// Appends two lowercase hexadecimal digits.
pub(crate) fn hex_byte(out: &mut Vec<u8>, byte: u8) {
    out.push(HEX[usize::from(byte >> 4)]);
    out.push(HEX[usize::from(byte & 15)]);
}

/// Appends a whole number.
pub(crate) fn integer(out: &mut Vec<u8>, mut value: u64) {
    let start = out.len();
    loop {
        out.push(b'0' + (value % 10) as u8);
        value /= 10;
        if value == 0 {
            break;
        }
    }
    if let Some(digits) = out.get_mut(start..) {
        digits.reverse();
    }
}

/// Appends `"name":` after a comma, if something stands before it.
pub(crate) fn key(out: &mut Vec<u8>, name: &str) {
    if !matches!(out.last(), Some(b'{' | b'[' | b',') | None) {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Appends `"name":"value"` unless the value is empty.
pub(crate) fn field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    if !value.is_empty() {
        key(out, name);
        string(out, value);
    }
}

/// Appends `"name":"value"` unless the value is empty. The value is one of ours: nothing in it needs an escape.
pub(crate) fn id(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    if !value.is_empty() {
        key(out, name);
        out.push(b'"');
        out.extend_from_slice(value);
        out.push(b'"');
    }
}

/// The longest beginning of at most `limit` bytes that ends between characters.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let mut end = limit;
    while end > 0 && !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_a_user_types_can_break_a_line() {
        assert_eq!(
            written(|out| string(out, "a\"b\\c\nd\re\u{1}\u{7f}é".as_bytes())),
            r#""a\"b\\c\nd\re\u0001\u007fé""#
        );
    }

    #[test]
    fn whole_numbers() {
        assert_eq!(written(|out| integer(out, 0)), "0");
        assert_eq!(
            written(|out| integer(out, 1_700_000_000_123)),
            "1700000000123"
        );
    }

    #[test]
    fn fields_without_a_value_are_left_out() {
        let text = written(|out| {
            out.push(b'{');
            field(out, "a", b"");
            field(out, "b", b"1");
            field(out, "c", b"2");
        });
        assert_eq!(text, r#"{"b":"1","c":"2""#);
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
        assert_eq!(cut("", 0), "");
    }
}
