//! Writing JSON: escaping, numbers, keys. Appends to a byte buffer; allocates only when that must grow.

mod block;
mod escape;
mod number;
mod out;
#[cfg(test)]
mod tests;

use std::fmt;

pub(crate) use self::{
    block::Block,
    escape::{escape, escape_to_end},
    number::{eight, float, integer, signed, unsigned},
    out::Out,
};
use crate::context::hex_into;

/// Appends `"text"`.
#[inline]
pub(crate) fn string(out: &mut impl Out, text: &str) {
    out.put(b"\"");
    escape_to_end(out, text);
}

/// Appends `"key":`.
#[inline]
pub(crate) fn key(out: &mut impl Out, name: &str) {
    string(out, name);
    out.put(b":");
}

/// Appends `true` or `false`.
#[inline]
pub(crate) fn boolean(out: &mut impl Out, value: bool) {
    out.put_cut(
        if value { b"true\0" } else { b"false" },
        5 - usize::from(value),
    );
}

/// Deeper nesting would make the whole line unreadable for parsers that limit it, mostly at 128.
const DEEPEST: usize = 64;

/// Appends text that claims to be JSON: as JSON, on one line, without repeated keys, if it is;
/// else as a string.
pub(crate) fn raw(out: &mut impl Out, text: &str) {
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
                    _ => out.put(c.encode_utf8(&mut [0; 4]).as_bytes()),
                }
            }
        }
        _ => string(out, text),
    }
}

/// Appends lowercase hexadecimal digits, without quotes.
pub(crate) fn hex(out: &mut impl Out, bytes: &[u8]) {
    for byte in bytes {
        let mut pair = [0; 2];
        hex_into(&[*byte], &mut pair);
        out.put(&pair);
    }
}

/// Appends the `Debug` form, escaped, without quotes.
#[inline]
pub(crate) fn debug(out: &mut impl Out, value: &dyn fmt::Debug) {
    write(out, format_args!("{value:?}"));
}

/// Appends formatted text, escaped, without quotes.
#[inline]
pub(crate) fn write(out: &mut impl Out, arguments: fmt::Arguments<'_>) {
    // A `Debug` that reports an error keeps what it wrote so far: a cut value beats a lost line.
    let _ = fmt::Write::write_fmt(&mut Escaping(out), arguments);
}

/// Escapes what is formatted into it.
struct Escaping<'a, O>(&'a mut O);

impl<O: Out> fmt::Write for Escaping<'_, O> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if escape::escape_at_once(self.0, text) {
            return Ok(());
        }
        self.write_otherwise(text)
    }
}

impl<O: Out> Escaping<'_, O> {
    #[inline(never)]
    fn write_otherwise(&mut self, text: &str) -> fmt::Result {
        escape::escape_otherwise(self.0, text);
        Ok(())
    }
}
