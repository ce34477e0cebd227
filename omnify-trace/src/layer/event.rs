//! Taking an event's fields in: message and event type to the line, the rest aside, until the
//! context that they may change has been written.

use std::{error::Error, fmt, ops::Range};

use tracing_core::field::{Field, Visit};

use super::{
    exception::{self, Exception},
    json,
    plan::{self, Class, Plan},
    redaction,
    span::{self, Fragment, SLOTS},
    write::Order,
};
use crate::{
    redact::Redactor,
    schema::{EventType, Stream, fields},
};

/// What only some events have.
#[derive(Default)]
pub(crate) struct Rare {
    context: Vec<(usize, Vec<u8>)>,
    pub(crate) exception: Exception,
    pub(crate) log_target: Option<String>,
    /// Plain fields by name and their stretch of `extra`, when names repeat.
    repeated: Vec<(&'static str, usize, usize)>,
}

/// What an event's fields said beyond what they wrote.
pub(crate) struct Told {
    pub(crate) stream: Stream,
    pub(crate) has_type: bool,
    /// Nothing has to be written anew with [`Order::Any`].
    pub(crate) in_order: bool,
    /// The message in the line, escaped, without quotes.
    pub(crate) message_at: Range<usize>,
    pub(crate) rare: Option<Box<Rare>>,
}

/// Takes one event's fields in.
pub(crate) struct EventVisitor<'a> {
    pub(crate) plan: &'static Plan,
    /// The line, up to and with the level.
    pub(crate) line: &'a mut Vec<u8>,
    /// `,"name":value` of each plain field.
    pub(crate) extra: &'a mut Vec<u8>,
    pub(crate) stream: Stream,
    pub(crate) has_message: bool,
    /// Where the message's text lies in the line.
    pub(crate) message_at: Range<usize>,
    pub(crate) has_type: bool,
    pub(crate) rare: Option<Box<Rare>>,
    redactor: Option<&'a Redactor>,
    /// Fields need more than to be appended: names repeat, or something may be secret.
    careful: bool,
    /// The least index that the next plain field may have, where no care is taken.
    next: usize,
    in_order: bool,
}

impl<'a> EventVisitor<'a> {
    pub(crate) fn new(
        plan: &'static Plan,
        order: Order,
        redactor: Option<&'a Redactor>,
        line: &'a mut Vec<u8>,
        extra: &'a mut Vec<u8>,
    ) -> Self {
        let secrets = redactor.is_some_and(|redactor| plan.secrets || redactor.looks_further());
        Self {
            redactor,
            careful: plan.repeats || secrets || order == Order::Any,
            next: 0,
            in_order: true,
            plan,
            line,
            extra,
            stream: Stream::Backend,
            has_message: false,
            message_at: 0..0,
            has_type: false,
            rare: None,
        }
    }

    /// No more fields come.
    pub(crate) fn end(self) -> Told {
        if !self.has_message {
            self.line.extend_from_slice(b",\"message\":\"\"");
        }
        Told {
            stream: self.stream,
            has_type: self.has_type,
            in_order: self.in_order || self.careful,
            message_at: self.message_at,
            rare: self.rare,
        }
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    #[inline]
    fn class(&self, field: &Field) -> Class {
        self.plan
            .fields
            .get(field.index())
            .map_or(Class::Plain, |field| field.class)
    }

    #[inline]
    fn check_order(&mut self, field: &Field) {
        self.in_order &= field.index() >= self.next;
        self.next = field.index() + 1;
    }

    /// A plain field; `write` appends a whole JSON value.
    #[inline]
    fn plain(&mut self, field: &Field, write: impl FnOnce(&mut Vec<u8>)) {
        self.check_order(field);
        if self.careful {
            self.forget_earlier(plan::wire_name(field.name()));
        }
        let start = self.extra.len();
        let known = self.plan.fields.get(field.index());
        if let Some(known) = known {
            known.key.write(self.extra);
        }
        let value = self.extra.len();
        write(self.extra);
        if self.careful {
            if let Some(redactor) = self.redactor {
                let secret = known.is_some_and(|known| known.secret);
                redaction::value(redactor, self.extra, value, field.name(), secret);
            }
            let end = self.extra.len();
            let name = plan::wire_name(field.name());
            self.rare().repeated.push((name, start, end));
        }
    }

    /// A plain field that is text, where no care is needed.
    #[inline]
    fn text(&mut self, field: &Field, value: &str) {
        self.check_order(field);
        if let Some(known) = self.plan.fields.get(field.index()) {
            known.text_key.write(self.extra);
            json::escape_to_end(self.extra, value);
        }
    }

    /// Of a name given twice, the last value stands.
    #[cold]
    fn forget_earlier(&mut self, name: &'static str) {
        let Some(rare) = &mut self.rare else { return };
        let Some(at) = rare.repeated.iter().position(|(known, ..)| *known == name) else {
            return;
        };
        let (_, start, end) = rare.repeated.remove(at);
        self.extra.drain(start..end);
        for (_, later_start, later_end) in &mut rare.repeated {
            if *later_start >= end {
                *later_start -= end - start;
                *later_end -= end - start;
            }
        }
    }

    /// A field that is not plain, as text.
    fn special(&mut self, class: Class, text: &str) {
        match class {
            Class::Message => self.message(|out| json::escape(out, text)),
            Class::EventType if !self.has_type => {
                self.has_type = true;
                self.stream = EventType::from_wire(text).map_or(Stream::Backend, EventType::stream);
                self.line.extend_from_slice(b",\"event_type\":");
                json::string(self.line, text);
            }
            Class::Context(slot) => {
                let mut value = Vec::new();
                json::escape(&mut value, text);
                self.context(slot, value);
            }
            Class::Exception(part) => {
                let text = match self.redactor {
                    Some(redactor) => redactor.clean(text),
                    None => text.into(),
                };
                self.rare().exception.set(part, &text);
            }
            Class::LogTarget => self.rare().log_target = Some(text.to_owned()),
            Class::LogMeta | Class::Plain | Class::SpanName | Class::Json | Class::EventType => {}
        }
    }

    fn context(&mut self, slot: u8, value: Vec<u8>) {
        let context = &mut self.rare().context;
        context.retain(|(known, _)| *known != usize::from(slot));
        if !value.is_empty() {
            context.push((usize::from(slot), value));
        }
    }

    #[inline]
    fn message(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.has_message {
            return;
        }
        self.has_message = true;
        self.line.extend_from_slice(b",\"message\":\"");
        let start = self.line.len();
        write(self.line);
        if let Some(redactor) = self.redactor.filter(|redactor| redactor.looks_into_texts()) {
            redaction::text(redactor, self.line, start);
        }
        self.message_at = start..self.line.len();
        self.line.push(b'"');
    }

    fn number(&mut self, field: &Field, write: impl Fn(&mut Vec<u8>)) {
        match self.class(field) {
            Class::Plain | Class::SpanName | Class::Json => self.plain(field, write),
            class => {
                let mut text = Vec::new();
                write(&mut text);
                self.special(class, &String::from_utf8_lossy(&text));
            }
        }
    }
}

impl Visit for EventVisitor<'_> {
    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        match self.class(field) {
            Class::Plain | Class::SpanName if !self.careful => self.text(field, value),
            Class::Plain | Class::SpanName => self.plain(field, |out| json::string(out, value)),
            Class::Json => self.plain(field, |out| json::raw(out, value)),
            class => self.special(class, value),
        }
    }

    #[inline]
    fn record_u64(&mut self, field: &Field, value: u64) {
        match self.class(field) {
            Class::Plain => self.plain(field, |out| json::unsigned(out, value)),
            Class::Context(slot @ (2 | 3)) => {
                let mut hex = Vec::new();
                json::hex(&mut hex, &value.to_be_bytes());
                self.context(slot, hex);
            }
            _ => self.number(field, |out| json::integer(out, value)),
        }
    }

    #[inline]
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, |out| json::integer(out, value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match self.class(field) {
            Class::Context(slot @ 1) => {
                let mut hex = Vec::new();
                json::hex(&mut hex, &value.to_be_bytes());
                self.context(slot, hex);
            }
            _ => self.number(field, |out| json::integer(out, value)),
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.number(field, |out| json::integer(out, value));
    }

    #[inline]
    fn record_f64(&mut self, field: &Field, value: f64) {
        match self.class(field) {
            Class::Plain | Class::SpanName | Class::Json => {
                self.plain(field, |out| json::float(out, value));
            }
            class => self.special(class, &value.to_string()),
        }
    }

    #[inline]
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.number(field, |out| json::boolean(out, value));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        let mut hex = Vec::new();
        json::hex(&mut hex, value);
        self.record_str(field, &String::from_utf8_lossy(&hex));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let first = self
            .rare
            .as_ref()
            .is_none_or(|rare| !rare.exception.present);
        let class = self.class(field);
        if first {
            let redactor = self.redactor.filter(|redactor| redactor.looks_into_texts());
            self.rare().exception.take(value, redactor);
        }
        if class == Class::Plain && !(first && field.name() == fields::ERROR) {
            self.plain(field, |out| {
                out.push(b'"');
                exception::one_line(out, value);
                out.push(b'"');
            });
        } else if class != Class::Plain {
            self.special(class, &value.to_string());
        }
    }

    #[inline]
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match self.class(field) {
            Class::Message => self.message(|out| json::debug(out, value)),
            Class::Plain | Class::SpanName => self.plain(field, |out| {
                out.push(b'"');
                json::debug(out, value);
                out.push(b'"');
            }),
            Class::Json => {
                let text = format!("{value:?}");
                self.plain(field, |out| json::raw(out, &text));
            }
            class => self.special(class, &format!("{value:?}")),
        }
    }
}

/// Appends `,"context":{…}` and `,"span":{…}`.
#[inline]
pub(crate) fn write_context(out: &mut Vec<u8>, fragment: Option<&Fragment>, rare: Option<&Rare>) {
    match (fragment, rare) {
        (Some(fragment), None) => out.extend_from_slice(fragment.bytes()),
        (None, None) => {}
        (fragment, Some(rare)) if rare.context.is_empty() => {
            write_context(out, fragment, None);
        }
        (fragment, Some(rare)) => write_changed_context(out, fragment, rare),
    }
}

#[cold]
fn write_changed_context(out: &mut Vec<u8>, fragment: Option<&Fragment>, rare: &Rare) {
    out.extend_from_slice(b",\"context\":");
    let start = out.len();
    for slot in 0..SLOTS {
        let own = rare.context.iter().find(|(known, _)| *known == slot);
        let value = match (own, fragment) {
            (Some((_, value)), _) => value.as_slice(),
            (None, Some(fragment)) => fragment.context(slot),
            (None, None) => &[],
        };
        if !value.is_empty() {
            span::context_member(out, slot, value);
        }
    }
    span::close_context(out, start);
    if let Some(fragment) = fragment {
        out.extend_from_slice(fragment.span());
    }
}
