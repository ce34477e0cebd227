//! Undoing what attackers do to hide a fragment.

/// What besides `%XX` has a meaning.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// Nothing: a path, or what a first decoding left.
    Plain,
    /// `+` is a space.
    Form,
    /// That, and `&` stands between parameters.
    Query,
}

/// Percent-decodes `text` into `out`; also `%uXXXX` of ASCII. Whether anything changed.
pub(super) fn percent(text: &[u8], syntax: Syntax, out: &mut Vec<u8>) -> bool {
    out.clear();
    let mut changed = false;
    let mut i = 0;
    while i < text.len() {
        let (byte, used) = match text[i] {
            b'%' => one(&text[i..]),
            b'+' if syntax != Syntax::Plain => (b' ', 1),
            b'&' if syntax == Syntax::Query => (super::confirm::SEPARATOR, 1),
            byte => (byte, 1),
        };
        changed |= used > 1 || byte != text[i];
        out.push(byte);
        i += used;
    }
    changed
}

/// The byte at the front and how many bytes spelled it.
fn one(text: &[u8]) -> (u8, usize) {
    if let [_, high, low, ..] = text
        && let (Some(high), Some(low)) = (digit(*high), digit(*low))
    {
        return (high << 4 | low, 3);
    }
    if let [_, b'u' | b'U', digits @ ..] = text
        && let Some(code) = four(digits)
        && let Some(byte) = look_alike(code)
    {
        return (byte, 6);
    }
    (b'%', 1)
}

fn four(text: &[u8]) -> Option<u16> {
    let digits = text.get(..4)?.iter();
    digits
        .copied()
        .try_fold(0, |code, byte| Some(code << 4 | u16::from(digit(byte)?)))
}

/// ASCII, and the characters that some servers take for a dot or a slash.
fn look_alike(code: u16) -> Option<u8> {
    match code {
        0x2024 | 0xff0e => Some(b'.'),
        0x2044 | 0x2215 | 0xff0f | 0xefc8 | 0xf025 => Some(b'/'),
        0x2216 | 0xff3c => Some(b'\\'),
        code => u8::try_from(code).ok(),
    }
}

/// A dot or a slash in more bytes than UTF-8 allows, or in the width of Chinese letters, and how
/// many bytes it took. What else is spelled like that stays as it is: it may be Latin-1.
fn overlong(text: &[u8]) -> Option<(u8, usize)> {
    let (byte, used) = match *text {
        [0xef, 0xbc, 0x8e, ..] => (b'.', 3),
        [0xef, 0xbc, 0x8f, ..] | [0xe2, 0x88, 0x95, ..] => (b'/', 3),
        [0xef, 0xbc, 0xbc, ..] | [0xe2, 0x88, 0x96, ..] => (b'\\', 3),
        [0xc0 | 0xc1, low @ (b'.' | b'/' | b'\\'), ..] => (low, 2),
        [lead @ (0xc0 | 0xc1), low, ..] => ((lead & 1) << 6 | (low & 0x3f), 2),
        [0xe0, high @ 0x80..=0x81, low, ..] => ((high & 1) << 6 | (low & 0x3f), 3),
        [0xf0, 0x80, high @ 0x80..=0x81, low, ..] => ((high & 1) << 6 | (low & 0x3f), 4),
        [0xf8, 0x80, 0x80, high @ 0x80..=0x81, low, ..] => ((high & 1) << 6 | (low & 0x3f), 5),
        [0xfc, 0x80, 0x80, 0x80, high @ 0x80..=0x81, low, ..] => {
            ((high & 1) << 6 | (low & 0x3f), 6)
        }
        _ => return None,
    };
    matches!(byte, b'.' | b'/' | b'\\').then_some((byte, used))
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Lower case, runs of white space and SQL comments as one space: what databases and browsers see.
pub(super) fn fold(text: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut i = 0;
    while i < text.len() {
        let (byte, used) = match &text[i..] {
            [b'/', b'*', rest @ ..] => {
                // `/*!50000union*/` is a comment that MySQL runs: its text stays.
                let runs = rest.first() == Some(&b'!');
                let digits = rest
                    .iter()
                    .skip(1)
                    .take_while(|byte| byte.is_ascii_digit())
                    .count();
                match rest.windows(2).position(|end| end == b"*/") {
                    Some(end) if !runs => (b' ', end + 4),
                    _ if runs => (b' ', 3 + digits),
                    _ => (b'/', 1),
                }
            }
            [b'*', b'/', ..] => (b' ', 2),
            [b'\t' | 0x0b | 0x0c | 0xa0, ..] => (b' ', 1),
            [0xc0..=0xff, ..] => overlong(&text[i..]).unwrap_or((text[i], 1)),
            [byte, ..] => (byte.to_ascii_lowercase(), 1),
            [] => break,
        };
        if byte != b' ' || out.last() != Some(&b' ') {
            out.push(byte);
        }
        i += used;
    }
}
