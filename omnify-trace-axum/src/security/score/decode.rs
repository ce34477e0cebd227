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
    if let [_, b'u' | b'U', b'0', b'0', high, low, ..] = text
        && let (Some(high), Some(low)) = (digit(*high), digit(*low))
    {
        return (high << 4 | low, 6);
    }
    (b'%', 1)
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
            [byte, ..] => (byte.to_ascii_lowercase(), 1),
            [] => break,
        };
        if byte != b' ' || out.last() != Some(&b' ') {
            out.push(byte);
        }
        i += used;
    }
}
