//! Looking around a fragment before its points count: what makes the difference between an attack
//! and a sentence about one.

mod script;
mod sql;
mod system;

pub(super) use script::*;
pub(super) use sql::*;
pub(super) use system::*;

/// Gets the text, the fragment's bounds and its points; gives the points that count.
pub(super) type Confirm = fn(&[u8], usize, usize, u16) -> u16;

fn given(yes: bool, points: u16) -> u16 {
    if yes { points } else { 0 }
}

/// What stands between the parameters of a query once it is decoded.
pub(super) const SEPARATOR: u8 = 0x1e;

/// The rest of the parameter that begins at `end`, at most `most` bytes of it.
fn rest_of(text: &[u8], end: usize, most: usize) -> &[u8] {
    let rest = &text[end..text.len().min(end + most)];
    let length = rest
        .iter()
        .position(|&byte| byte == SEPARATOR)
        .unwrap_or(rest.len());
    &rest[..length]
}

/// The part of the parameter that stands before `start`.
fn head_of(text: &[u8], start: usize) -> &[u8] {
    let begin = text[..start]
        .iter()
        .rposition(|&byte| byte == SEPARATOR)
        .map_or(0, |at| at + 1);
    &text[begin..start]
}

fn before(text: &[u8], start: usize) -> Option<u8> {
    text[..start]
        .iter()
        .rev()
        .copied()
        .find(|&byte| byte != b' ')
}

fn after(text: &[u8], end: usize) -> Option<u8> {
    text[end..].iter().copied().find(|&byte| byte != b' ')
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Always.
pub(super) fn always(_: &[u8], _: usize, _: usize, points: u16) -> u16 {
    points
}

/// Not the tail of a longer word.
pub(super) fn word_start(text: &[u8], start: usize, _: usize, points: u16) -> u16 {
    given(start == 0 || !is_word(text[start - 1]), points)
}

/// The beginning of a text or value: a function's body further on is somebody's code.
pub(super) fn at_start(text: &[u8], start: usize, _: usize, points: u16) -> u16 {
    given(
        matches!(before(text, start), None | Some(b'=' | SEPARATOR)),
        points,
    )
}

/// The whole of a parameter's value.
pub(super) fn whole_value(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let begins = start > 0 && text[start - 1] == b'=';
    let ends = text.get(end).is_none_or(|&byte| byte == SEPARATOR);
    given(begins && ends, points)
}

/// Inside a parameter's value, at its start: `url=http://169…`, not a mention of it.
pub(super) fn value_start(text: &[u8], start: usize, _: usize, points: u16) -> u16 {
    given(
        start > 0 && matches!(text[start - 1], b'=' | b'/' | b'@' | b'"' | b'\'' | b','),
        points,
    )
}

fn contains(text: &[u8], what: &[u8]) -> bool {
    memchr::memmem::find(text, what).is_some()
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, what)
}

fn trim(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|&&byte| byte == b' ').count();
    &text[spaces..]
}
