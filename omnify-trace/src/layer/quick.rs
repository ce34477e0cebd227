//! The quick way: an event with a message, perhaps an event type, and plain fields, each once, is
//! written from left to right into one buffer. Whether a callsite is such, its plan knows; most are.

use std::{error::Error, fmt, ops::Range};

use tracing_core::field::{Field, Visit};

use super::{
    current::Local,
    exception::{self, Exception},
    json::{self, Out},
    line::Line,
    plan::{self, Plan, Quick},
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
///
/// The line is given up if a field comes out of its callsite's order, or twice: no macro of
/// `tracing` does that, but a set of values made by hand can.
pub(super) struct QuickVisitor<'a> {
    local: &'a Local,
    /// The layer's number.
    layer: usize,
    plan: &'static Plan,
    quick: &'static Quick,
    fields: &'static [plan::Field],
    line: &'a mut Line,
    stage: Stage,
    /// Where the line belongs.
    stream: Stream,
    exception: Option<Box<Exception>>,
    /// The least index that the next field may have.
    next: usize,
    /// Where the message ends in the line.
    message_end: usize,
}

/// What is to be known of a line that was written.
pub(super) struct Told {
    /// Where it belongs.
    pub(super) stream: Stream,
    /// Where the message lies in it.
    pub(super) message: Range<usize>,
}

impl<'a> QuickVisitor<'a> {
    /// `line` holds the time stamp.
    #[inline]
    pub(super) fn new(
        local: &'a Local,
        layer: usize,
        plan: &'static Plan,
        quick: &'static Quick,
        line: &'a mut Line,
    ) -> Self {
        quick.opening.write(line);
        Self {
            local,
            layer,
            plan,
            quick,
            fields: &plan.fields,
            message_end: line.len(),
            line,
            stage: Stage::Head,
            stream: Stream::Backend,
            exception: None,
            next: 0,
        }
    }

    /// No more fields come: ends the line.
    #[inline(always)]
    pub(super) fn end(mut self) -> Told {
        if self.stage == Stage::Extra && self.exception.is_none() {
            self.line.put_cut(b"}}\n", 3);
        } else {
            self.end_otherwise();
        }
        Told {
            stream: self.stream,
            message: self.quick.message_at..self.message_end,
        }
    }

    #[inline(never)]
    fn end_otherwise(&mut self) {
        if self.stage == Stage::Head {
            self.tell();
        }
        if self.stage == Stage::Extra {
            self.line.put(b"}");
        }
        if let Some(exception) = self.exception.take() {
            exception.write(self.line);
        }
        self.line.put(b"}\n");
    }

    #[inline(always)]
    fn check_order(&mut self, field: &Field) {
        if field.index() < self.next {
            self.line.give_up();
        }
        self.next = field.index() + 1;
    }

    /// The message and the event type come first and are text, whatever their value is.
    #[inline(always)]
    fn is_head(&self, field: &Field) -> bool {
        field.index() < self.quick.heads
    }

    /// `write` appends the text of the message or of the event type, escaped, without quotes;
    /// `known` is that text if it is at hand.
    #[inline(always)]
    fn head(&mut self, field: &Field, known: Option<&str>, write: impl FnOnce(&mut Line)) {
        self.check_order(field);
        if field.index() == 0 {
            write(self.line);
            self.message_end = self.line.len();
        } else {
            self.line.put(b"\",\"event_type\":\"");
            let start = self.line.len();
            write(self.line);
            let written = || std::str::from_utf8(self.line.as_slice().get(start..)?).ok();
            let name = known.or_else(written);
            let event_type = name.and_then(EventType::from_wire);
            self.stream = event_type.map_or(Stream::Backend, EventType::stream);
        }
    }

    /// Everything between the head and the fields.
    #[inline]
    fn tell(&mut self) {
        self.stage = Stage::Told;
        self.quick.tail.write(self.line);
        let (plan, line) = (self.plan, &mut *self.line);
        self.local.with_current(self.layer, |state| match state {
            Some(state) => state.with_fragment(|fragment| line.put(fragment.with_service())),
            None => line.put(plan.service.bytes()),
        });
    }

    /// A field that comes before `extra` is open: a head, or the first one of `extra`, which
    /// `field` then writes.
    #[inline(always)]
    fn early(
        &mut self,
        is_head: bool,
        head: impl FnOnce(&mut Self),
        plain: impl FnOnce(&mut Self),
    ) {
        if is_head {
            return head(self);
        }
        if self.stage == Stage::Head {
            self.tell();
        }
        self.stage = Stage::Extra;
        self.line.put_cut(b",\"extra\":", 9);
        let start = self.line.len();
        plain(self);
        // What is a comma before the other fields is the brace before this one.
        self.line.set(start, b'{');
    }

    /// A field of `extra` that is JSON as it is written.
    #[inline(always)]
    fn value(&mut self, field: &Field, write: impl FnOnce(&mut Line)) {
        self.check_order(field);
        if let Some(known) = self.fields.get(field.index()) {
            known.key.write(self.line);
            write(self.line);
        }
    }

    /// A field of `extra` that is text; `write` appends it with the closing quote.
    #[inline(always)]
    fn text(&mut self, field: &Field, write: impl FnOnce(&mut Line)) {
        self.check_order(field);
        if let Some(known) = self.fields.get(field.index()) {
            known.text_key.write(self.line);
            write(self.line);
        }
    }

    /// A value that is written alike in the head and in `extra`.
    #[inline(always)]
    fn plain(&mut self, field: &Field, write: impl Fn(&mut Line)) {
        if self.stage == Stage::Extra {
            self.value(field, write);
        } else {
            self.early_value(field, write);
        }
    }

    #[inline(never)]
    fn early_value(&mut self, field: &Field, write: impl Fn(&mut Line)) {
        self.early(
            self.is_head(field),
            |this| this.head(field, None, &write),
            |this| this.value(field, &write),
        );
    }

    #[inline(never)]
    fn early_str(&mut self, field: &Field, value: &str) {
        self.early(
            self.is_head(field),
            |this| this.head(field, Some(value), |out| json::escape(out, value)),
            |this| this.text(field, |out| json::escape_to_end(out, value)),
        );
    }

    #[inline(never)]
    fn early_f64(&mut self, field: &Field, value: f64) {
        self.early(
            self.is_head(field),
            |this| this.head(field, None, |out| json::write(out, format_args!("{value}"))),
            |this| this.value(field, |out| json::float(out, value)),
        );
    }

    #[inline(never)]
    fn debug_field(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.written(field, |out| json::debug(out, value));
    }

    /// Text that somebody's code writes, without quotes.
    #[inline]
    fn written(&mut self, field: &Field, write: impl Fn(&mut Line)) {
        let quoted = |out: &mut Line| {
            write(out);
            out.put_cut(b"\"", 1);
        };
        if self.stage == Stage::Extra {
            self.text(field, quoted);
        } else {
            self.early(
                self.is_head(field),
                |this| this.head(field, None, &write),
                |this| this.text(field, quoted),
            );
        }
    }
}

impl Visit for QuickVisitor<'_> {
    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        if self.stage == Stage::Extra {
            self.text(field, |out| json::escape_to_end(out, value));
        } else {
            self.early_str(field, value);
        }
    }

    #[inline]
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, |out| json::unsigned(out, value));
    }

    #[inline]
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, |out| json::signed(out, value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.plain(field, |out| json::integer(out, value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.plain(field, |out| json::integer(out, value));
    }

    #[inline]
    fn record_f64(&mut self, field: &Field, value: f64) {
        if self.stage == Stage::Extra {
            self.value(field, |out| json::float(out, value));
        } else {
            self.early_f64(field, value);
        }
    }

    #[inline]
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, |out| json::boolean(out, value));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.written(field, |out| json::hex(out, value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let first = self.exception.is_none();
        if first {
            self.exception.get_or_insert_default().take(value, None);
        }
        if self.is_head(field) {
            self.head(field, None, |out| json::write(out, format_args!("{value}")));
        } else if !(first && field.name() == fields::ERROR) {
            self.written(field, |out| exception::one_line(out, value));
        }
    }

    #[inline]
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Most messages are this.
        if self.stage == Stage::Head && self.is_head(field) {
            self.head(field, None, |out| json::debug(out, value));
        } else {
            self.debug_field(field, value);
        }
    }
}
