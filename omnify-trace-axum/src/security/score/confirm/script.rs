//! Pages and templates: tags, handlers, script and expressions.

use super::{SEPARATOR, after, given, head_of, rest_of, word_start};

/// `<tag` that a browser would open: what follows is white space, a slash or the end of the tag.
pub(in super::super) fn tag(text: &[u8], _: usize, end: usize, points: u16) -> u16 {
    given(
        text.get(end)
            .is_none_or(|&byte| !byte.is_ascii_alphanumeric() && byte != b'-'),
        points,
    )
}

/// `<u>`: a tag that only shapes text. One by itself may be asked about; with attributes, or closed
/// again, it is markup.
pub(in super::super) fn plain_tag(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let name = &text[start + 1..end];
    let is_closing = |part: &[u8]| part.starts_with(b"</") && part.ends_with(name);
    let closed = text.windows(name.len() + 2).any(is_closing);
    let alone = text.get(end) == Some(&b'>') && !closed;
    given(!alone, tag(text, start, end, points))
}

/// `al\u0065rt`: a letter of a name by its number.
pub(in super::super) fn escaped_letter(text: &[u8], _: usize, end: usize, points: u16) -> u16 {
    let digit = |at: usize| text.get(at).and_then(|&byte| char::from(byte).to_digit(16));
    let is_letter = match (digit(end), digit(end + 1)) {
        (Some(high), Some(low)) => {
            char::from_u32(high << 4 | low).is_some_and(|letter| letter.is_ascii_alphabetic())
        }
        _ => false,
    };
    given(is_letter, points)
}

/// `onerror =` after a space, a slash or a quote, inside something that opened a tag or broke out of a value.
pub(in super::super) fn handler(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let follows = text[end..]
        .iter()
        .take_while(|byte| byte.is_ascii_lowercase())
        .count();
    let separated = start > 0
        && matches!(
            text[start - 1],
            b' ' | b'/' | b'"' | b'\'' | b'\n' | b'\r' | b'`' | b';'
        );
    let assigned = after(text, end + follows) == Some(b'=');
    if assigned && runs_script(&text[end + follows..]) {
        return word_start(text, start, end, points);
    }
    let inside = head_of(text, start)
        .iter()
        .any(|byte| matches!(byte, b'<' | b'"' | b'\''));
    given(separated && assigned && inside, points)
}

/// `<x onanything=`: browsers learn new ones, and no tag in prose has any.
pub(in super::super) fn attribute(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let letters = text[end..]
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic());
    let name = letters.count();
    let assigned = text.get(end + name) == Some(&b'=');
    let head = head_of(text, start);
    given(name >= 3 && assigned && in_tag(head), points)
}

/// Whether a tag is open at the end of `head`: a `>` between quotes closes none.
fn in_tag(head: &[u8]) -> bool {
    let (mut open, mut quote) = (false, None);
    for (at, &byte) in head.iter().enumerate() {
        match byte {
            b'<' => {
                let next = head.get(at + 1);
                open = next.is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'/');
                quote = None;
            }
            b'>' if quote.is_none() => open = false,
            b'"' | b'\'' if open => match quote {
                None => quote = Some(byte),
                Some(opened) if opened == byte => quote = None,
                Some(_) => {}
            },
            _ => {}
        }
    }
    open
}

/// `= alert(`, `="eval(`: what is given to the handler runs.
fn runs_script(text: &[u8]) -> bool {
    let is_quote = |byte: &&u8| matches!(**byte, b' ' | b'=' | b'"' | b'\'' | b'`');
    let quotes = text.iter().take_while(is_quote).count();
    let rest = &text[quotes..];
    let calls = [
        &b"alert"[..],
        b"confirm",
        b"prompt",
        b"eval",
        b"fetch(",
        b"import(",
        b"settimeout",
        b"document.",
        b"window.",
        b"location",
        b"javascript:",
        b"print(",
    ];
    calls.iter().any(|call| rest.starts_with(call))
}

/// A call that is the whole of a value: `alert(1)` and nothing else.
pub(in super::super) fn whole_call(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let begins = start > 0 && text[start - 1] == b'=';
    let rest = rest_of(text, end, 80);
    let closed = matches!(rest, [.., b')' | b'`'] | [.., b')', b';']);
    let argument = rest
        .first()
        .is_some_and(|byte| byte.is_ascii_digit() || b"'\"`/)d".contains(byte));
    given(begins && closed && argument, points)
}

/// A call after a quote, an angle bracket, a semicolon or a script address: `alert(1)` in prose is none.
pub(in super::super) fn script_call(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let head = head_of(text, start);
    let opened = head
        .iter()
        .any(|byte| matches!(byte, b'<' | b'"' | b'\'' | b';' | b'{' | b'`' | b'$'))
        // The colon of `javascript:`, not that of the address around it.
        || head.windows(2).any(|pair| pair[0] == b':' && pair[1] != b'/')
        || head.ends_with(b":");
    given(
        opened && after(text, end).is_some(),
        word_start(text, start, end, points),
    )
}

/// An address of script: no sentence about the language, which has a space there.
pub(in super::super) fn script_address(text: &[u8], _: usize, end: usize, points: u16) -> u16 {
    given(
        text.get(end)
            .is_some_and(|&byte| byte != b' ' && byte != SEPARATOR),
        points,
    )
}

/// `{{7*7}}`, `${7*7}`, `#{…}`: an expression, not a placeholder's name.
pub(in super::super) fn template(text: &[u8], _: usize, end: usize, points: u16) -> u16 {
    let rest = rest_of(text, end, 80);
    let Some(close) = rest.iter().position(|&byte| byte == b'}' || byte == b'%') else {
        return 0;
    };
    given(
        rest[..close].iter().any(|byte| b"*(_['\"+".contains(byte)),
        points,
    )
}
