//! Writing JSON: escaping, numbers, keys. Appends to a byte buffer; allocates only when that must grow.
//!
//! Escaped are what JSON asks for and, so that no viewer or shell can be fooled into seeing a
//! second line (CWE-117): DEL, the C1 controls, and the Unicode line and paragraph separators.

use std::fmt;

use crate::context::hex_into;

/// Which bytes a string may hold unescaped; the others need a closer look.
const PLAIN: [bool; 256] = {
    let mut table = [true; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = byte >= 0x20 && byte != 0x7f && byte != 0x22 && byte != 0x5c;
        byte += 1;
    }
    // First bytes of U+0080..U+00BF and U+2000..U+2FFF.
    table[0xc2] = false;
    table[0xe2] = false;
    table
};

/// Appends `text`, escaped, without quotes.
#[inline]
pub(crate) fn escape(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    if bytes.len() <= 16 {
        escape_short(out, bytes);
    } else if is_plain(bytes) {
        out.extend_from_slice(bytes);
    } else {
        escape_slowly(out, bytes);
    }
}

/// Most values are short: looked at and copied as one or two overlapping words, without a call.
#[inline]
fn escape_short(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        if suspect(u64::from_le_bytes(*first)) | suspect(u64::from_le_bytes(*last)) {
            return escape_slowly(out, bytes);
        }
        out.extend_from_slice(first);
        out.truncate(start + bytes.len() - 8);
        out.extend_from_slice(last);
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let (low, high) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        if suspect(u64::from(low) << 32 | u64::from(high)) {
            return escape_slowly(out, bytes);
        }
        out.extend_from_slice(first);
        out.truncate(start + bytes.len() - 4);
        out.extend_from_slice(last);
    } else if let (Some(first), Some(last)) = (bytes.first(), bytes.last()) {
        // One to three bytes.
        let middle = bytes[bytes.len() / 2];
        let word = [*first, middle, *last, b' ', b' ', b' ', b' ', b' '];
        if suspect(u64::from_le_bytes(word)) {
            return escape_slowly(out, bytes);
        }
        out.extend_from_slice(&[*first, middle, *last]);
        out.truncate(start + bytes.len());
    }
}

/// Appends `text`, escaped, and the quote after it.
#[inline(always)]
pub(crate) fn escape_to_end(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let length = bytes.len();
    let word = if let (Some(first), Some(last)) =
        (bytes.first_chunk::<4>(), bytes.last_chunk::<4>())
        && length < 8
    {
        let first = u64::from(u32::from_le_bytes(*first));
        first | u64::from(u32::from_le_bytes(*last)) << ((length - 4) * 8)
    } else if let (Some(first), Some(last)) = (bytes.first(), bytes.last())
        && length < 4
    {
        let middle = u64::from(bytes[length / 2]) << (length / 2 * 8);
        u64::from(*first) | middle | u64::from(*last) << ((length - 1) * 8)
    } else {
        return escape_long_to_end(out, text);
    };
    // One to seven bytes: looked at and written with their quote as one word.
    if suspect(word | 0x2020_2020_2020_2020 << (length * 8)) {
        return escape_long_to_end(out, text);
    }
    let start = out.len();
    out.extend_from_slice(&(word | u64::from(b'"') << (length * 8)).to_le_bytes());
    out.truncate(start + length + 1);
}

#[inline(never)]
fn escape_long_to_end(out: &mut Vec<u8>, text: &str) {
    escape(out, text);
    out.push(b'"');
}

/// Appends `"text"`.
#[inline]
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escape_to_end(out, text);
}

/// Appends `"key":`.
#[inline]
pub(crate) fn key(out: &mut Vec<u8>, name: &str) {
    string(out, name);
    out.push(b':');
}

/// Whether no byte needs a closer look: sixteen bytes at a time, the last sixteen overlapping.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    let plain = |chunk: &[u8; 16]| {
        // Written so that the compiler makes a few vector instructions of it.
        let mut found = false;
        for &byte in chunk {
            // As signed bytes, what is not ASCII is below the space too.
            found |=
                (byte.cast_signed() < 0x20) | (byte == 0x7f) | (byte == b'"') | (byte == b'\\');
        }
        !found
    };
    bytes.as_chunks::<16>().0.iter().all(plain) && bytes.last_chunk::<16>().is_some_and(plain)
}

/// Whether any of eight bytes is a control, a quote, a backslash, DEL or not ASCII. May say so of a
/// byte that follows one such byte, never overlooks one.
#[inline]
const fn suspect(word: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    let below_space = word.wrapping_sub(0x20 * ONES);
    let quote = (word ^ (b'"' as u64 * ONES)).wrapping_sub(ONES);
    let backslash = (word ^ (b'\\' as u64 * ONES)).wrapping_sub(ONES);
    // Adding one lifts DEL, and only DEL of the ASCII bytes, to the high bit.
    let delete = word.wrapping_add(ONES);
    (below_space | quote | backslash | delete | word) & HIGH != 0
}

#[cold]
fn escape_slowly(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut start = 0;
    let mut at = 0;
    while at < bytes.len() {
        if PLAIN[usize::from(bytes[at])] {
            at += 1;
            continue;
        }
        let rest = &bytes[at..];
        let (length, code) = match *rest {
            [0xc2, second @ 0x80..=0x9f, ..] => (2, u16::from(second)),
            [0xe2, 0x80, third @ (0xa8 | 0xa9), ..] => (3, 0x2000 + u16::from(third - 0x80)),
            [0xc2 | 0xe2, ..] => {
                at += 1;
                continue;
            }
            [byte, ..] => (1, u16::from(byte)),
            [] => break,
        };
        out.extend_from_slice(&bytes[start..at]);
        escape_one(out, code);
        at += length;
        start = at;
    }
    out.extend_from_slice(&bytes[start..]);
}

fn escape_one(out: &mut Vec<u8>, code: u16) {
    let short = match code {
        0x22 => b'"',
        0x5c => b'\\',
        0x0a => b'n',
        0x0d => b'r',
        0x09 => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => 0,
    };
    if short != 0 {
        out.extend_from_slice(&[b'\\', short]);
        return;
    }
    let mut unicode = *b"\\u0000";
    hex_into(&code.to_be_bytes(), &mut unicode[2..]);
    out.extend_from_slice(&unicode);
}

/// Appends an integer.
#[inline]
pub(crate) fn integer(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends an integer that is often small: a status, a count.
#[inline]
pub(crate) fn unsigned(out: &mut Vec<u8>, value: u64) {
    if value < 100_000_000 {
        let digits = eight(value as u32);
        // The last one stays, also if it is a zero.
        let zeros = ((digits & 0x000f_0f0f_0f0f_0f0f).trailing_zeros() / 8).min(7);
        let start = out.len();
        out.extend_from_slice(&(digits >> (zeros * 8)).to_le_bytes());
        out.truncate(start + 8 - zeros as usize);
    } else {
        integer(out, value);
    }
}

/// Appends an integer that is often small and seldom negative.
#[inline]
pub(crate) fn signed(out: &mut Vec<u8>, value: i64) {
    match u64::try_from(value) {
        Ok(value) => unsigned(out, value),
        Err(_) => integer(out, value),
    }
}

/// Eight digits of a number below a hundred million: halves, halves of them, and those's halves,
/// each side by side in one word. The first digit is the lowest byte.
#[inline]
pub(crate) fn eight(value: u32) -> u64 {
    let (high, low) = (u64::from(value / 10_000), u64::from(value % 10_000));
    let fours = high | low << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | (fours - hundreds * 100) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    let ones = tens | (twos - tens * 10) << 8;
    ones + 0x3030_3030_3030_3030
}

/// Appends a number of thousandths below a hundred million, without zeros that say nothing.
#[inline]
fn thousandths(out: &mut Vec<u8>, value: u32) {
    const WHOLE: u64 = 0x0000_00ff_ffff_ffff;
    let digits = eight(value);
    let leading = ((digits & 0x0000_000f_0f0f_0f0f).trailing_zeros() / 8).min(4);
    // Of the three decimals the first one stays.
    let trailing = ((digits & 0x0f0f_0000_0000_0000).leading_zeros() / 8).min(2);
    let whole = u128::from(digits & WHOLE);
    let text = whole | u128::from(b'.') << 40 | u128::from(digits >> 40) << 48;
    let start = out.len();
    out.extend_from_slice(&(text >> (leading * 8)).to_le_bytes());
    out.truncate(start + 9 - (leading + trailing) as usize);
}

/// Appends a float; what JSON cannot say becomes a string, as the schema defines.
#[inline]
pub(crate) fn float(out: &mut Vec<u8>, value: f64) {
    // Most are durations or amounts with few decimals. Of numbers with at most fifteen digits no
    // two are the same float, so the division proves the digits.
    let scaled = (value * 1000.0 + 0.5) as u32;
    if scaled < 100_000_000 && (f64::from(scaled) / 1000.0).to_bits() == value.to_bits() {
        thousandths(out, scaled);
    } else if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else if value.is_nan() {
        out.extend_from_slice(b"\"NaN\"");
    } else if value > 0.0 {
        out.extend_from_slice(b"\"Infinity\"");
    } else {
        out.extend_from_slice(b"\"-Infinity\"");
    }
}

/// Appends `true` or `false`.
#[inline]
pub(crate) fn boolean(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// Deeper nesting would make the whole line unreadable for parsers that limit it, mostly at 128.
const DEEPEST: usize = 64;

/// Appends text that claims to be JSON: as JSON, on one line, without repeated keys, if it is;
/// else as a string.
pub(crate) fn raw(out: &mut Vec<u8>, text: &str) {
    use serde_json::Value;
    fn depth(value: &Value) -> usize {
        match value {
            Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
            Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
            _ => 0,
        }
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) if depth(&value) <= DEEPEST => {
            // What JSON lets through but one line must not: only strings can hold it.
            for c in value.to_string().chars() {
                match c {
                    '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => {
                        escape(out, c.encode_utf8(&mut [0; 4]));
                    }
                    _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                }
            }
        }
        _ => string(out, text),
    }
}

/// Appends lowercase hexadecimal digits, without quotes.
pub(crate) fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len() * 2);
    for byte in bytes {
        let mut pair = [0; 2];
        hex_into(&[*byte], &mut pair);
        out.extend_from_slice(&pair);
    }
}

/// A short text that is copied as a block of fixed size and then cut: no call, no loop.
#[derive(Clone)]
pub(crate) struct Block {
    bytes: [u8; BLOCK],
    length: usize,
    long: Box<[u8]>,
}

const BLOCK: usize = 32;

impl Block {
    pub(crate) fn new(text: Vec<u8>) -> Self {
        let mut bytes = [0; BLOCK];
        match bytes.get_mut(..text.len()) {
            Some(start) => start.copy_from_slice(&text),
            None => {
                return Self {
                    bytes,
                    length: BLOCK + 1,
                    long: text.into(),
                };
            }
        }
        Self {
            bytes,
            length: text.len(),
            long: Box::default(),
        }
    }

    #[inline]
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        if self.length <= BLOCK {
            let start = out.len();
            out.extend_from_slice(&self.bytes);
            out.truncate(start + self.length);
        } else {
            out.extend_from_slice(&self.long);
        }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.long)
    }
}

/// Appends the `Debug` form, escaped, without quotes.
#[inline]
pub(crate) fn debug(out: &mut Vec<u8>, value: &dyn fmt::Debug) {
    write(out, format_args!("{value:?}"));
}

/// Appends formatted text, escaped, without quotes.
#[inline]
pub(crate) fn write(out: &mut Vec<u8>, arguments: fmt::Arguments<'_>) {
    // A `Debug` that reports an error keeps what it wrote so far: a cut value beats a lost line.
    let _ = fmt::Write::write_fmt(&mut Escaping(out), arguments);
}

/// Escapes what is formatted into it.
pub(crate) struct Escaping<'a>(pub(crate) &'a mut Vec<u8>);

impl fmt::Write for Escaping<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(self.0, text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_comes_back_equal_from_one_line(text in ".*|[\\x00-\\u{2040}]*") {
            let mut out = Vec::new();
            string(&mut out, &text);
            let parsed: String = serde_json::from_slice(&out).unwrap();
            prop_assert_eq!(&parsed, &text);
            let line = String::from_utf8(out).unwrap();
            let breaks = |c: char| c.is_control() || ('\u{2028}'..='\u{2029}').contains(&c);
            prop_assert!(!line.contains(breaks), "{}", line);
        }

        #[test]
        fn short_texts_are_copied_whole(text in "[ -~]{0,20}|.{0,8}|[ -~]{0,40}\\PC[ -~]{0,20}", number: u16) {
            let mut out = b"x".to_vec();
            escape(&mut out, &text);
            let quoted = [b"\"", &out[1..], b"\""].concat();
            prop_assert_eq!(serde_json::from_slice::<String>(&quoted).unwrap(), text.clone());
            out.clear();
            unsigned(&mut out, number.into());
            prop_assert_eq!(out, number.to_string().into_bytes());
            let eight_digits = u32::from(number) * 1525 + 7;
            let expected = format!("{eight_digits:08}").into_bytes();
            prop_assert_eq!(eight(eight_digits).to_le_bytes().to_vec(), expected);
            let mut out = Vec::new();
            unsigned(&mut out, eight_digits.into());
            prop_assert_eq!(out, eight_digits.to_string().into_bytes());
            let mut out = b"\"".to_vec();
            escape_to_end(&mut out, &text);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text.clone());
            let long = text.repeat(3);
            let block = Block::new(long.clone().into_bytes());
            let mut out = b"y".to_vec();
            block.write(&mut out);
            prop_assert_eq!(&out[1..], block.as_slice());
            prop_assert_eq!(&out[1..], long.as_bytes());
        }

        #[test]
        fn any_float_comes_back_equal(bits: u64, number: u32, scale in 0..9_i32, kind in 0..4) {
            let bits = match kind {
                0 => bits,
                1 => (f64::from(number) / 10_f64.powi(scale)).to_bits(),
                2 => (f64::from(number) / 1000.0).to_bits() + bits % 3,
                _ => (-f64::from(number % 5) / 2.0).to_bits(),
            };
            let value = f64::from_bits(bits);
            let mut out = Vec::new();
            float(&mut out, value);
            // serde_json proves that it is JSON; its float parser is not exact, the standard one is.
            let parsed: serde_json::Value = serde_json::from_slice(&out).unwrap();
            prop_assert_eq!(parsed.is_number(), value.is_finite());
            if value.is_finite() {
                let text = String::from_utf8(out).unwrap();
                prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits);
            }
        }
    }
}
