//! The quick way: an event with a message, perhaps an event type, and plain fields, each once, is
//! written from left to right into one buffer. Whether a callsite is such, its plan knows; most are.

use std::{error::Error, fmt, ops::Range};

use tracing_core::field::{Field, Visit};

use super::{
    current::Local,
    exception::{self, Exception},
    json::{self, Block},
    plan::{Class, Plan, Quick},
};
use crate::schema::{EventType, Stream, fields};

/// How far the line has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The text of the message or of the event type comes next, or has just been written.
    Head,
    /// Target, service, context and span are written.
    Told,
    /// `extra` is open.
    Extra,
}

/// Takes one event's fields in and writes its line.
pub(super) struct QuickVisitor<'a> {
    local: &'a Local,
    /// The layer's number.
    layer: usize,
    plan: &'static Plan,
    quick: &'static Quick,
    line: &'a mut Vec<u8>,
    stage: Stage,
    exception: Option<Box<Exception>>,
    /// The least index that the next field may have.
    next: usize,
    /// Where the message lies in the line.
    pub(super) message_at: Range<usize>,
    /// Where the line belongs.
    pub(super) stream: Stream,
    /// If not, the line is to be thrown away: fields came in another order than their callsite has
    /// them, or twice. No macro of `tracing` does that, but a set of values made by hand can.
    pub(super) in_order: bool,
}

impl<'a> QuickVisitor<'a> {
    /// `line` holds the time stamp.
    #[inline]
    pub(super) fn new(
        local: &'a Local,
        layer: usize,
        plan: &'static Plan,
        quick: &'static Quick,
        line: &'a mut Vec<u8>,
    ) -> Self {
        quick.opening.write(line);
        let start = line.len();
        Self {
            local,
            layer,
            plan,
            quick,
            line,
            stage: Stage::Head,
            message_at: start..start,
            stream: Stream::Backend,
            exception: None,
            next: 0,
            in_order: true,
        }
    }

    /// No more fields come: ends the line.
    #[inline]
    pub(super) fn end(&mut self) {
        if self.stage == Stage::Head {
            self.tell();
        }
        if self.stage == Stage::Extra {
            self.line.push(b'}');
        }
        if let Some(exception) = self.exception.take() {
            exception.write(self.line);
        }
        self.line.extend_from_slice(b"}\n");
    }

    #[inline(always)]
    fn check_order(&mut self, field: &Field) {
        self.in_order &= field.index() >= self.next;
        self.next = field.index() + 1;
    }

    /// The message and the event type come first and are text, whatever their value is.
    #[inline]
    fn is_head(&self, field: &Field) -> bool {
        field.index() < self.quick.heads
    }

    /// `write` appends the text of the message or of the event type, escaped, without quotes;
    /// `known` is that text if it is at hand.
    #[inline]
    fn head(&mut self, field: &Field, known: Option<&str>, write: impl FnOnce(&mut Vec<u8>)) {
        self.check_order(field);
        if field.index() == 0 {
            write(self.line);
            self.message_at.end = self.line.len();
        } else {
            self.line.extend_from_slice(b"\",\"event_type\":\"");
            let start = self.line.len();
            write(self.line);
            let written = || std::str::from_utf8(self.line.get(start..)?).ok();
            let name = known.or_else(written);
            let event_type = name.and_then(EventType::from_wire);
            self.stream = event_type.map_or(Stream::Backend, EventType::stream);
        }
    }

    /// Everything between the head and the fields.
    #[inline]
    fn tell(&mut self) {
        self.stage = Stage::Told;
        self.line.extend_from_slice(&self.quick.tail);
        let line = &mut *self.line;
        self.local.with_current(self.layer, |state| {
            if let Some(state) = state {
                state.with_fragment(|fragment| line.extend_from_slice(fragment.bytes()));
            }
        });
    }

    /// The field's key, with what must come before it; `text` with the opening quote.
    #[inline(always)]
    fn key(&mut self, field: &Field, text: bool) {
        self.check_order(field);
        let Some(known) = self.plan.fields.get(field.index()) else {
            return;
        };
        let key = if text { &known.text_key } else { &known.key };
        if self.stage == Stage::Extra {
            key.write(self.line);
        } else {
            self.first_key(key);
        }
    }

    #[inline(never)]
    fn first_key(&mut self, key: &Block) {
        if self.stage == Stage::Head {
            self.tell();
        }
        self.stage = Stage::Extra;
        self.line.extend_from_slice(b",\"extra\":");
        let start = self.line.len();
        key.write(self.line);
        // What is a comma before the other keys is the brace before this one.
        if let Some(comma) = self.line.get_mut(start) {
            *comma = b'{';
        }
    }

    /// A value that is JSON as it is written.
    #[inline]
    fn value(&mut self, field: &Field, write: impl FnOnce(&mut Vec<u8>)) {
        if self.is_head(field) {
            self.head(field, None, write);
        } else {
            self.key(field, false);
            write(self.line);
        }
    }

    /// A value that is text; `write` leaves the quotes out.
    #[inline]
    fn text(&mut self, field: &Field, write: impl FnOnce(&mut Vec<u8>)) {
        if self.is_head(field) {
            self.head(field, None, write);
        } else {
            self.key(field, true);
            write(self.line);
            self.line.push(b'"');
        }
    }

    #[inline]
    fn is_json(&self, field: &Field) -> bool {
        let known = self.plan.fields.get(field.index());
        known.is_some_and(|known| known.class == Class::Json)
    }
}

impl Visit for QuickVisitor<'_> {
    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        if self.is_head(field) {
            self.head(field, Some(value), |out| json::escape(out, value));
        } else if self.is_json(field) {
            self.value(field, |out| json::raw(out, value));
        } else {
            self.key(field, true);
            json::escape_to_end(self.line, value);
        }
    }

    #[inline]
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.value(field, |out| json::unsigned(out, value));
    }

    #[inline]
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.value(field, |out| json::signed(out, value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.value(field, |out| json::integer(out, value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.value(field, |out| json::integer(out, value));
    }

    #[inline]
    fn record_f64(&mut self, field: &Field, value: f64) {
        if self.is_head(field) {
            self.head(field, None, |out| json::write(out, format_args!("{value}")));
        } else {
            self.value(field, |out| json::float(out, value));
        }
    }

    #[inline]
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.value(field, |out| json::boolean(out, value));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        if self.is_json(field) {
            let mut hex = Vec::new();
            json::hex(&mut hex, value);
            self.value(field, |out| json::raw(out, &String::from_utf8_lossy(&hex)));
        } else {
            self.text(field, |out| json::hex(out, value));
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let first = self.exception.is_none();
        if first {
            self.exception.get_or_insert_default().take(value, None);
        }
        if self.is_head(field) {
            self.head(field, None, |out| json::write(out, format_args!("{value}")));
        } else if !(first && field.name() == fields::ERROR) {
            self.text(field, |out| exception::one_line(out, value));
        }
    }

    #[inline]
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.is_head(field) {
            self.head(field, None, |out| json::debug(out, value));
        } else if self.is_json(field) {
            let text = format!("{value:?}");
            self.value(field, |out| json::raw(out, &text));
        } else {
            self.key(field, true);
            json::debug(self.line, value);
            self.line.push(b'"');
        }
    }
}
