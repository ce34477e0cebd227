//! Escaping: what JSON asks for and, so that no viewer or shell can be fooled into seeing a second
//! line (CWE-117), DEL, the C1 controls, and the Unicode line and paragraph separators.

use super::Out;
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
pub(crate) fn escape(out: &mut impl Out, text: &str) {
    if !escape_at_once(out, text) {
        escape_otherwise(out, text);
    }
}

/// Appends `text` if it is as most are: short, and nothing in it needs an escape. As one or two
/// blocks, without a call.
#[inline(always)]
pub(super) fn escape_at_once(out: &mut impl Out, text: &str) -> bool {
    let bytes = text.as_bytes();
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let plain = bytes.len() <= 32 && are_plain(first, last);
        if plain {
            out.put_cut(first, bytes.len() - 16);
            out.put_cut(last, 16);
        }
        plain
    } else if bytes.len() < 8 {
        let word = at_most_seven(bytes);
        if let Some(word) = word {
            out.put_cut(&word.to_le_bytes(), bytes.len());
        }
        word.is_some()
    } else {
        let words = at_most_fifteen(bytes);
        if let Some((first, rest)) = words {
            let word = u128::from(first) | u128::from(rest) << 64;
            out.put_cut(&word.to_le_bytes(), bytes.len());
        }
        words.is_some()
    }
}

/// Appends `text` as it may be, escaped, without quotes.
#[inline(never)]
pub(super) fn escape_otherwise(out: &mut impl Out, text: &str) {
    let bytes = text.as_bytes();
    let plain = |block| are_plain(block, block);
    if let (Some(start), Some(end)) = (bytes.first_chunk::<32>(), bytes.last_chunk()) {
        if let [first, second] = start.as_chunks().0
            && bytes.len() <= 48
        {
            // Most ids are UUIDs.
            if are_plain(first, second) & plain(end) {
                out.put_cut(start, bytes.len() - 16);
                return out.put_cut(end, 16);
            }
        } else if bytes.as_chunks().0.iter().all(plain) && plain(end) {
            return out.put(bytes);
        }
    }
    escape_slowly(out, bytes);
}

/// Appends `text`, escaped, and the quote after it.
#[inline(always)]
pub(crate) fn escape_to_end(out: &mut impl Out, text: &str) {
    let bytes = text.as_bytes();
    let length = bytes.len();
    if length < 8 {
        if let Some(word) = at_most_seven(bytes) {
            let word = word | u64::from(b'"') << (length * 8);
            return out.put_cut(&word.to_le_bytes(), length + 1);
        }
    } else if length < 16
        && let Some((first, rest)) = at_most_fifteen(bytes)
    {
        let rest = rest | u64::from(b'"') << ((length - 8) * 8);
        let word = u128::from(first) | u128::from(rest) << 64;
        return out.put_cut(&word.to_le_bytes(), length + 1);
    }
    escape_long_to_end(out, text);
}

#[inline(never)]
fn escape_long_to_end(out: &mut impl Out, text: &str) {
    escape(out, text);
    out.put(b"\"");
}

/// Bytes that need no escape as one word, the first one lowest, zeros behind the last one. `None` if
/// one needs a closer look.
#[inline(always)]
fn at_most_seven(bytes: &[u8]) -> Option<u64> {
    let length = bytes.len();
    let word =
        if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            let first = u64::from(u32::from_le_bytes(*first));
            first | u64::from(u32::from_le_bytes(*last)) << ((length - 4) * 8)
        } else if let (Some(first), Some(last)) = (bytes.first(), bytes.last()) {
            let middle = u64::from(bytes[length / 2]) << (length / 2 * 8);
            u64::from(*first) | middle | u64::from(*last) << ((length - 1) * 8)
        } else {
            return Some(0);
        };
    (!suspect(word | 0x2020_2020_2020_2020 << (length * 8))).then_some(word)
}

/// The same for eight to fifteen bytes, as two words.
#[inline(always)]
fn at_most_fifteen(bytes: &[u8]) -> Option<(u64, u64)> {
    let (first, last) = (bytes.first_chunk()?, bytes.last_chunk()?);
    let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    // Shifted twice: by eight bytes at once would not be defined.
    let rest = last >> 8 >> ((15 - bytes.len()) * 8);
    (!(suspect(first) | suspect(last))).then_some((first, rest))
}

/// Whether no byte of two blocks needs a closer look. Written so that the compiler makes a few
/// vector instructions of it; comparisons would be jumps.
#[inline(always)]
fn are_plain(first: &[u8; 16], second: &[u8; 16]) -> bool {
    /// The high bit says whether a byte is what [`suspect`] looks for.
    #[inline(always)]
    fn look(byte: u8) -> u8 {
        let quote = (byte ^ b'"').wrapping_sub(1);
        let backslash = (byte ^ b'\\').wrapping_sub(1);
        byte | byte.wrapping_sub(0x20) | quote | backslash | byte.wrapping_add(1)
    }
    let mut found = false;
    for (&one, &other) in first.iter().zip(second) {
        found |= (look(one) | look(other)).cast_signed() < 0;
    }
    !found
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
fn escape_slowly(out: &mut impl Out, bytes: &[u8]) {
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
        out.put(&bytes[start..at]);
        escape_one(out, code);
        at += length;
        start = at;
    }
    out.put(&bytes[start..]);
}

fn escape_one(out: &mut impl Out, code: u16) {
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
        out.put(&[b'\\', short]);
        return;
    }
    let mut unicode = *b"\\u0000";
    hex_into(&code.to_be_bytes(), &mut unicode[2..]);
    out.put(&unicode);
}
