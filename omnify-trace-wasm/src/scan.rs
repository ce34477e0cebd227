//! Looking through text byte by byte. `str`'s own searchers word their panics with all of `core::fmt`
//! and the tables of Unicode, which together are as large as this whole logger.

/// The parts of a text between separators. The separator is ASCII, so parts are whole characters.
pub(crate) struct Split<'a> {
    rest: Option<&'a str>,
    separator: u8,
}

/// Splits a text at an ASCII separator.
pub(crate) fn split(text: &str, separator: u8) -> Split<'_> {
    Split {
        rest: Some(text),
        separator,
    }
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        let end = rest.bytes().position(|byte| byte == self.separator);
        self.rest = end.and_then(|end| rest.get(end + 1..));
        rest.get(..end.unwrap_or(rest.len()))
    }
}

/// The parts of a text between NULs; the last one is the rest, whatever is in it.
pub(crate) fn parts<const N: usize>(text: &str) -> [&str; N] {
    let mut parts = [""; N];
    let mut split = split(text, 0);
    if let Some((last, others)) = parts.split_last_mut() {
        for part in others {
            *part = split.next().unwrap_or("");
        }
        *last = split.rest.unwrap_or("");
    }
    parts
}

/// Where `part` first occurs.
pub(crate) fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    (0..text.len()).find(|&at| starts_with(text, at, part))
}

/// Whether `part` stands at `at`.
pub(crate) fn starts_with(text: &[u8], at: usize, part: &[u8]) -> bool {
    text.get(at..at + part.len()) == Some(part)
}

/// A whole number in decimal digits, up to the first other byte.
pub(crate) fn integer(text: &[u8]) -> Option<u64> {
    number(text, 10)
}

/// A whole number in hexadecimal digits, up to the first other byte.
pub(crate) fn hex(text: &[u8]) -> Option<u64> {
    number(text, 16)
}

fn number(text: &[u8], base: u8) -> Option<u64> {
    let mut value = None;
    for &byte in text {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => break,
        };
        if digit >= base {
            break;
        }
        value = Some(
            value
                .unwrap_or(0_u64)
                .wrapping_mul(u64::from(base))
                .wrapping_add(u64::from(digit)),
        );
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_split_as_by_the_standard_library() {
        for text in ["", "a", "a b", " a  é ", "🦀 x", " "] {
            let ours: Vec<&str> = split(text, b' ').collect();
            let theirs: Vec<&str> = text.split(' ').collect();
            assert_eq!(ours, theirs, "{text:?}");
        }
    }

    #[test]
    fn parts_are_found_as_by_the_standard_library() {
        for (text, part) in [
            ("https://a", "://"),
            ("a", "://"),
            ("", "x"),
            ("xxab", "xab"),
            ("://", "://"),
        ] {
            assert_eq!(find(text.as_bytes(), part.as_bytes()), text.find(part));
        }
    }

    #[test]
    fn the_last_part_is_the_rest() {
        assert_eq!(parts("a\0\0b\0c"), ["a", "", "b\0c"]);
        assert_eq!(parts("a"), ["a", ""]);
    }

    #[test]
    fn numbers_end_at_the_first_other_byte() {
        assert_eq!(integer(b"1700000000123.5"), Some(1_700_000_000_123));
        assert_eq!(integer(b"x"), None);
        assert_eq!(integer(b"12ab"), Some(12));
        assert_eq!(hex(b"ff8z"), Some(0xff8));
    }
}
