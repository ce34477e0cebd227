//! Taking a span's fields in.

use tracing_core::field::{Field, Visit};

use super::{
    PARENT_SPAN_ID, SPAN_ID, TRACE_ID,
    own::{Name, Own},
    piece::Piece,
};
use crate::{
    layer::{
        exception, json,
        plan::{self, Class, Plan},
        redaction,
    },
    redact::Redactor,
};

/// Takes a span's fields in.
pub(super) struct SpanVisitor<'a> {
    pub(super) own: &'a mut Own,
    pub(super) plan: &'static Plan,
    pub(super) redactor: Option<&'a Redactor>,
}

impl SpanVisitor<'_> {
    /// `text`: the value without quotes; `quoted`: whether a plain field needs them.
    #[inline]
    fn put(&mut self, field: &Field, quoted: bool, text: impl FnOnce(&mut Vec<u8>)) {
        let class = self.class(field);
        let own = &mut *self.own;
        match class {
            Class::Context(slot) => own.set_context(usize::from(slot), text),
            Class::SpanName => {
                let start = own.values.len();
                text(&mut own.values);
                own.name = Piece::since(start, &own.values);
            }
            _ => {
                let start = own.values.len();
                if quoted {
                    own.values.push(b'"');
                }
                text(&mut own.values);
                if quoted {
                    own.values.push(b'"');
                }
                if let Some(redactor) = self.redactor
                    && (self.plan.secrets || redactor.looks_further())
                {
                    let known = self.plan.fields.get(field.index());
                    let secret = known.is_some_and(|known| known.secret);
                    redaction::value(redactor, &mut own.values, start, field.name(), secret);
                }
                let name = Name {
                    text: plan::wire_name(field.name()),
                    key: self.plan.key(field),
                };
                own.set_field(name, Piece::since(start, &own.values));
            }
        }
    }

    fn class(&self, field: &Field) -> Class {
        let known = self.plan.fields.get(field.index());
        known.map_or(Class::Plain, |field| field.class)
    }

    fn slot(&self, field: &Field) -> Option<usize> {
        match self.class(field) {
            Class::Context(slot) => Some(usize::from(slot)),
            _ => None,
        }
    }
}

impl Visit for SpanVisitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if self.class(field) == Class::Json {
            self.put(field, false, |out| json::raw(out, value));
        } else {
            self.put(field, true, |out| json::escape(out, value));
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match self.slot(field) {
            Some(SPAN_ID | PARENT_SPAN_ID) => {
                self.put(field, false, |out| json::hex(out, &value.to_be_bytes()));
            }
            _ => self.put(field, false, |out| json::integer(out, value)),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, false, |out| json::integer(out, value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match self.slot(field) {
            Some(TRACE_ID) => self.put(field, false, |out| json::hex(out, &value.to_be_bytes())),
            _ => self.put(field, false, |out| json::integer(out, value)),
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.put(field, false, |out| json::integer(out, value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if self.slot(field).is_some() {
            self.put(field, false, |out| {
                json::write(out, format_args!("{value}"));
            });
        } else {
            self.put(field, false, |out| json::float(out, value));
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, false, |out| json::boolean(out, value));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.put(field, true, |out| json::hex(out, value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put(field, true, |out| exception::one_line(out, value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if self.class(field) == Class::Json {
            self.record_str(field, &format!("{value:?}"));
        } else {
            self.put(field, true, |out| json::debug(out, value));
        }
    }
}
