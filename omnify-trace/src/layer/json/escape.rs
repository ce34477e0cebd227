//! Escaping: what JSON asks for and, so that no viewer or shell can be fooled into seeing a second
//! line (CWE-117), DEL, the C1 controls, and the Unicode line and paragraph separators.

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
    } else if bytes.len() <= 32 {
        escape_medium(out, bytes);
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

/// Most messages are not much longer: as two overlapping blocks.
#[inline]
fn escape_medium(out: &mut Vec<u8>, bytes: &[u8]) {
    let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) else {
        return escape_slowly(out, bytes);
    };
    if !(is_plain_block(first) & is_plain_block(last)) {
        return escape_slowly(out, bytes);
    }
    let end = out.len() + bytes.len();
    out.extend_from_slice(first);
    out.truncate(end - 16);
    out.extend_from_slice(last);
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

/// Whether no byte needs a closer look: sixteen bytes at a time, the last sixteen overlapping.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    bytes.as_chunks().0.iter().all(is_plain_block) && bytes.last_chunk().is_some_and(is_plain_block)
}

/// Written so that the compiler makes a few vector instructions of it.
#[inline(always)]
fn is_plain_block(block: &[u8; 16]) -> bool {
    let mut found = false;
    for &byte in block {
        // As signed bytes, what is not ASCII is below the space too.
        found |= (byte.cast_signed() < 0x20) | (byte == 0x7f) | (byte == b'"') | (byte == b'\\');
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
