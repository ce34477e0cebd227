//! The quick way: an event with a message and plain fields, each once, is written from left to
//! right into one buffer. Whether a callsite is such, its plan knows; most are.

use std::{error::Error, fmt, ops::Range};

use tracing_core::field::{Field, Visit};

use super::{
    current::Local,
    exception::{self, Exception},
    json,
    plan::{Class, Plan, Quick},
};
use crate::schema::fields;

/// How far the line has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The message's text comes next.
    Message,
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
    message_at: Range<usize>,
    exception: Option<Box<Exception>>,
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
            stage: Stage::Message,
            message_at: start..start,
            exception: None,
        }
    }

    /// No more fields come: ends the line and tells where the message lies.
    #[inline]
    pub(super) fn end(&mut self) -> Range<usize> {
        if self.stage == Stage::Message {
            self.tell();
        }
        if self.stage == Stage::Extra {
            self.line.push(b'}');
        }
        if let Some(exception) = self.exception.take() {
            exception.write(self.line);
        }
        self.line.extend_from_slice(b"}\n");
        self.message_at.clone()
    }

    /// Everything between the message and the fields.
    #[inline]
    fn tell(&mut self) {
        self.message_at.end = self.line.len();
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
    #[inline]
    fn key(&mut self, field: &Field, text: bool) {
        let Some(known) = self.plan.fields.get(field.index()) else {
            return;
        };
        let key = match (self.stage == Stage::Extra, text) {
            (true, true) => &known.text_key,
            (true, false) => &known.key,
            (false, text) => {
                if self.stage == Stage::Message {
                    self.tell();
                }
                self.stage = Stage::Extra;
                if text {
                    &known.first_text_key
                } else {
                    &known.first_key
                }
            }
        };
        key.write(self.line);
    }

    #[inline]
    fn value(&mut self, field: &Field, write: impl FnOnce(&mut Vec<u8>)) {
        if is_message(field) {
            write(self.line);
            self.tell();
        } else {
            self.key(field, false);
            write(self.line);
        }
    }

    #[inline]
    fn text(&mut self, field: &Field, write: impl FnOnce(&mut Vec<u8>)) {
        if is_message(field) {
            write(self.line);
            self.tell();
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

/// The plan is quick only if the message is the callsite's first field.
#[inline]
fn is_message(field: &Field) -> bool {
    field.index() == 0
}

impl Visit for QuickVisitor<'_> {
    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        if self.is_json(field) {
            self.value(field, |out| json::raw(out, value));
        } else if is_message(field) {
            json::escape(self.line, value);
            self.tell();
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
        if is_message(field) {
            self.text(field, |out| json::write(out, format_args!("{value}")));
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
        if is_message(field) {
            self.text(field, |out| json::write(out, format_args!("{value}")));
        } else if !(first && field.name() == fields::ERROR) {
            self.text(field, |out| exception::one_line(out, value));
        }
    }

    #[inline]
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if is_message(field) {
            json::debug(self.line, value);
            self.tell();
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
