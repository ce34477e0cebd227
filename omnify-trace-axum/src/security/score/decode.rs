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

/// A dot or a slash in more bytes than UTF-8 allows, ASCII in the width of Chinese letters, or a
/// quotation mark of print, and how many bytes it took. What else is spelled like that stays as it
/// is: it may be Latin-1.
fn overlong(text: &[u8]) -> Option<(u8, usize)> {
    let (byte, used) = match *text {
        [0xef, 0xbc, low @ 0x81..=0xbf, ..] => return Some((low - 0x60, 3)),
        [0xef, 0xbd, low @ 0x80..=0x9e, ..] => return Some((low - 0x20, 3)),
        [0xe2, 0x80, 0x98 | 0x99 | 0xb2, ..] => return Some((b'\'', 3)),
        [0xe2, 0x80, 0x9c | 0x9d, ..] => return Some((b'"', 3)),
        [0xe2, 0x88, 0x95, ..] => (b'/', 3),
        [0xe2, 0x88, 0x96, ..] => (b'\\', 3),
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

/// What undoing a page's way to spell characters did.
#[derive(Default)]
pub(super) struct Entities {
    pub(super) changed: bool,
    /// Letters, digits or the brackets of a call were spelled by number, which nobody has a reason for.
    pub(super) letters: bool,
}

/// Undoes `&lt;`, `&#60;`, `&#x3c;` and their like, with their semicolons or without.
pub(super) fn entities(text: &[u8], out: &mut Vec<u8>) -> Entities {
    out.clear();
    let mut found = Entities::default();
    let mut i = 0;
    while i < text.len() {
        let entity = (text[i] == b'&').then(|| numbered(&text[i..]).or_else(|| named(&text[i..])));
        let (byte, used) = entity.flatten().unwrap_or((text[i], 1));
        if used > 1 {
            found.changed = true;
            let by_number = text[i + 1] == b'#';
            found.letters |= by_number && (byte.is_ascii_alphabetic() || byte == b'(');
        }
        out.push(byte);
        i += used;
    }
    found
}

fn numbered(text: &[u8]) -> Option<(u8, usize)> {
    let (digits, start, base) = match text {
        [b'&', b'#', b'x' | b'X', rest @ ..] => (rest, 3, 16),
        [b'&', b'#', rest @ ..] => (rest, 2, 10),
        _ => return None,
    };
    let is_digit = |byte: &&u8| char::from(**byte).is_digit(base);
    let length = digits.iter().take(8).take_while(is_digit).count();
    let code = digits[..length].iter().try_fold(0_u32, |code, &byte| {
        let digit = char::from(byte).to_digit(base)?;
        code.checked_mul(base)?.checked_add(digit)
    })?;
    let byte = u8::try_from(code)
        .ok()
        .filter(|byte| (1..0x80).contains(byte))?;
    let closed = usize::from(digits.get(length) == Some(&b';'));
    (length > 0).then_some((byte, start + length + closed))
}

fn named(text: &[u8]) -> Option<(u8, usize)> {
    const NAMES: [(&[u8], u8); 15] = [
        (b"&lt;", b'<'),
        (b"&gt;", b'>'),
        (b"&quot;", b'"'),
        (b"&apos;", b'\''),
        (b"&amp;", b'&'),
        (b"&lpar;", b'('),
        (b"&rpar;", b')'),
        (b"&equals;", b'='),
        (b"&colon;", b':'),
        (b"&sol;", b'/'),
        (b"&grave;", b'`'),
        (b"&lbrace;", b'{'),
        (b"&dollar;", b'$'),
        (b"&period;", b'.'),
        (b"&nbsp;", b' '),
    ];
    NAMES.iter().find_map(|(name, byte)| {
        let spelled = text.get(..name.len())?;
        spelled
            .eq_ignore_ascii_case(name)
            .then_some((*byte, name.len()))
    })
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// What becomes of SQL comments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Comments {
    /// A space, as databases have it.
    Space,
    /// Nothing: what stands before and after is one word.
    Nothing,
    /// They are no comments: only their marks go.
    Text,
    /// As a space; those to the end of a line too, and the line's end itself.
    Lines,
}

impl Comments {
    /// What is left of a mark.
    const fn left(self) -> Option<u8> {
        match self {
            Self::Space | Self::Lines => Some(b' '),
            Self::Nothing | Self::Text => None,
        }
    }
}

/// Lower case, runs of white space as one space, without SQL comments.
pub(super) fn fold(text: &[u8], comments: Comments, out: &mut Vec<u8>) {
    out.clear();
    let mut i = 0;
    while i < text.len() {
        let (byte, used) = match &text[i..] {
            [b'/', b'*', rest @ ..] => opened(rest, comments),
            [b'*', b'/', ..] => (comments.left(), 2),
            [b'\n' | b'\r', ..] if comments == Comments::Lines => (Some(b' '), 1),
            [b'#', rest @ ..] | [b'-', b'-', rest @ ..] if comments == Comments::Lines => {
                let mark = text.len() - i - rest.len();
                match memchr::memchr(b'\n', rest) {
                    Some(end) => (Some(b' '), mark + end + 1),
                    None => (Some(text[i]), 1),
                }
            }
            [b'\t' | 0x0b | 0x0c | 0xa0, ..] => (Some(b' '), 1),
            [0xc0..=0xff, ..] => {
                let (byte, used) = overlong(&text[i..]).unwrap_or((text[i], 1));
                (Some(byte.to_ascii_lowercase()), used)
            }
            [byte, ..] => (Some(byte.to_ascii_lowercase()), 1),
            [] => break,
        };
        if let Some(byte) = byte
            && (byte != b' ' || out.last() != Some(&b' '))
        {
            out.push(byte);
        }
        i += used;
    }
}

/// The beginning of a comment, `rest` behind its mark: what is left of it, and how much it was.
fn opened(rest: &[u8], comments: Comments) -> (Option<u8>, usize) {
    // `/*!50000union*/` is a comment that MySQL runs: its text stays.
    if rest.first() == Some(&b'!') {
        let digits = rest[1..].iter().take_while(|byte| byte.is_ascii_digit());
        return (comments.left(), 3 + digits.count());
    }
    if comments == Comments::Text {
        return (None, 2);
    }
    match memchr::memmem::find(rest, b"*/") {
        Some(end) => (comments.left(), end + 4),
        None => (Some(b'/'), 1),
    }
}
