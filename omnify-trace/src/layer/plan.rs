//! What a callsite's fields mean, worked out once per callsite: classes, ready keys, ready prefix.

use std::{cell::Cell, collections::HashMap, sync::OnceLock};

use parking_lot::{Mutex, RwLock};
use tracing_core::{Level, Metadata};

use super::{
    clock,
    json::{self, Block},
};
use crate::{redact, schema::fields};

/// Where a field's value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// `extra` of an event, `span.fields` of a span.
    Plain,
    /// The event's message.
    Message,
    /// `event_type`.
    EventType,
    /// `context`, by its place in [`fields::CONTEXT_FIELDS`].
    Context(u8),
    /// A member of `exception`.
    Exception(Part),
    /// `otel.name`: the name of a span that is known only at run time.
    SpanName,
    /// The target of a record of the `log` crate.
    LogTarget,
    /// `json:name`: text that is JSON already, taken as such.
    Json,
    /// Source position of a record of the `log` crate: not written.
    LogMeta,
}

/// A member of `exception` that a field can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Type = 0,
    Message = 1,
    Chain = 2,
    Stacktrace = 3,
    SpanTrace = 4,
    Category = 5,
}

impl Part {
    pub(crate) const ALL: [Self; 6] = [
        Self::Type,
        Self::Message,
        Self::Chain,
        Self::Stacktrace,
        Self::SpanTrace,
        Self::Category,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Message => "message",
            Self::Chain => "chain",
            Self::Stacktrace => "stacktrace",
            Self::SpanTrace => "span_trace",
            Self::Category => "category",
        }
    }
}

/// A field `json:order` holds ready JSON for `order`: `info!("json:order" = text, …)`.
const RAW: &str = "json:";

/// The name that a field has in the line.
pub(crate) fn wire_name(name: &'static str) -> &'static str {
    name.strip_prefix(RAW).unwrap_or(name)
}

pub(crate) fn classify(name: &str) -> Class {
    if let Some(index) = fields::CONTEXT_FIELDS
        .iter()
        .position(|known| *known == name)
    {
        return Class::Context(index as u8);
    }
    if let Some(part) = name.strip_prefix("exception.") {
        return Part::ALL
            .into_iter()
            .find(|known| known.name() == part)
            .map_or(Class::Plain, Class::Exception);
    }
    if name.starts_with(RAW) {
        return Class::Json;
    }
    match name {
        fields::MESSAGE => Class::Message,
        fields::EVENT_TYPE => Class::EventType,
        "otel.name" => Class::SpanName,
        "log.target" => Class::LogTarget,
        "log.module_path" | "log.file" | "log.line" => Class::LogMeta,
        _ => Class::Plain,
    }
}

/// One field of a callsite.
pub(crate) struct Field {
    pub(crate) class: Class,
    /// `,"name":`
    pub(crate) key: Block,
    /// `,"name":"`
    pub(crate) text_key: Block,
    /// The same name occurs again later in this callsite.
    repeated: bool,
    /// The name says that the value is secret.
    pub(crate) secret: bool,
}

/// A callsite's fields and the parts of a line that never change for it.
pub(crate) struct Plan {
    /// `","level":"INFO"`, right after the time stamp's digits.
    pub(crate) level: Block,
    /// `,"target":"x"`
    pub(crate) target: Block,
    pub(crate) fields: Box<[Field]>,
    /// Some name occurs twice.
    pub(crate) repeats: bool,
    /// Some name says that its value is secret.
    pub(crate) secrets: bool,
    /// For events: the quick way may be taken.
    pub(crate) quick: Option<Quick>,
    /// For spans: `,"span":{"name":"x"`
    pub(crate) span: Box<[u8]>,
    pub(crate) service: ServicePart,
}

/// What an event has whose fields are a message, perhaps an event type, and plain ones, each once.
pub(crate) struct Quick {
    /// `","level":"INFO","message":"`, right after the time stamp's digits.
    pub(crate) opening: Block,
    /// Where the message begins in the line.
    pub(crate) message_at: usize,
    /// The first so many fields: the message, and the event type if it comes right after it.
    pub(crate) heads: usize,
    /// `","target":"x"`, right after the text of the message or of the event type.
    pub(crate) tail: Block<64>,
}

impl Plan {
    fn new(metadata: &Metadata<'_>, service: ServicePart) -> Self {
        let names: Vec<_> = metadata.fields().iter().map(|field| field.name()).collect();
        let fields: Box<[Field]> = names
            .iter()
            .enumerate()
            .map(|(at, name)| {
                let mut key = vec![b','];
                json::key(&mut key, wire_name(name));
                let repeats = |later: &&'static str| wire_name(later) == wire_name(name);
                Field {
                    class: classify(name),
                    text_key: Block::new([key.as_slice(), b"\""].concat()),
                    key: Block::new(key),
                    secret: redact::is_secret_name(name),
                    repeated: names[at + 1..].iter().any(repeats),
                }
            })
            .collect();
        let mut level = b"\",\"level\":".to_vec();
        json::string(&mut level, level_name(*metadata.level()));
        let mut target = b",\"target\":".to_vec();
        json::string(&mut target, metadata.target());
        let mut span = b",\"span\":{\"name\":".to_vec();
        json::string(&mut span, metadata.name());
        let repeats = fields.iter().any(|field| field.repeated);
        let secrets = fields.iter().any(|field| field.secret);
        let opening = [level.as_slice(), b",\"message\":\""].concat();
        let quick = Quick {
            message_at: clock::OPENED + opening.len(),
            opening: Block::new(opening),
            heads: heads(&fields),
            tail: Block::new([b"\"", target.as_slice()].concat()),
        };
        Self {
            level: Block::new(level),
            target: Block::new(target),
            repeats,
            secrets,
            quick: (are_quick(&fields) && !repeats && !secrets).then_some(quick),
            span: span.into(),
            service,
            fields,
        }
    }
}

impl Plan {
    /// `,"name":` of a field of this callsite.
    pub(crate) fn key(&self, field: &tracing_core::Field) -> &[u8] {
        self.fields
            .get(field.index())
            .map_or(b",\"\":", |field| field.key.as_slice())
    }
}

/// A message first, perhaps its type, and then nothing that changes what stands before it.
fn are_quick(fields: &[Field]) -> bool {
    let plain = |field: &Field| matches!(field.class, Class::Plain | Class::SpanName);
    let message = |field: &Field| field.class == Class::Message;
    fields.first().is_some_and(message) && fields.iter().skip(heads(fields)).all(plain)
}

fn heads(fields: &[Field]) -> usize {
    let is_type = |field: &Field| field.class == Class::EventType;
    1 + usize::from(fields.get(1).is_some_and(is_type))
}

/// What a layer's callsites have in common: `,"service":{…}`. Kept for ever, so that plans can.
#[derive(Clone, Copy)]
pub(crate) struct ServicePart(&'static [u8]);

impl ServicePart {
    pub(crate) const NONE: Self = Self(&[]);

    /// The one part that has this text.
    pub(crate) fn of(text: Vec<u8>) -> Self {
        static ALL: Mutex<Vec<&'static [u8]>> = Mutex::new(Vec::new());
        let mut all = ALL.lock();
        if let Some(known) = all.iter().find(|known| ***known == *text) {
            return Self(known);
        }
        let text: &'static [u8] = Vec::leak(text);
        all.push(text);
        Self(text)
    }

    pub(crate) fn bytes(self) -> &'static [u8] {
        self.0
    }

    #[inline]
    fn is(self, other: Self) -> bool {
        std::ptr::eq(self.0.as_ptr(), other.0.as_ptr())
    }
}

pub(crate) fn level_name(level: Level) -> &'static str {
    match level {
        Level::TRACE => "TRACE",
        Level::DEBUG => "DEBUG",
        Level::INFO => "INFO",
        Level::WARN => "WARN",
        Level::ERROR => "ERROR",
    }
}

const CACHED: usize = 256;

#[derive(Clone, Copy)]
struct Cached {
    metadata: &'static Metadata<'static>,
    service: ServicePart,
    plan: &'static Plan,
}

/// This thread's nearest plans, by the callsite's address.
pub(crate) struct PlanCache([Cell<Option<Cached>>; CACHED]);

impl PlanCache {
    pub(crate) const fn new() -> Self {
        Self([const { Cell::new(None) }; CACHED])
    }

    /// The callsite's plan; made on its first event, kept as long as the callsite: for ever.
    #[inline]
    pub(crate) fn get(
        &self,
        metadata: &'static Metadata<'static>,
        service: ServicePart,
    ) -> &'static Plan {
        let address = std::ptr::from_ref(metadata).addr();
        // Metadata lie a cache line or more apart; fold the upper bits in.
        let slot = &self.0[(address >> 4 ^ address >> 12) % CACHED];
        if let Some(cached) = slot.get()
            && std::ptr::eq(cached.metadata, metadata)
            && cached.service.is(service)
        {
            return cached.plan;
        }
        let plan = find(metadata, service);
        slot.set(Some(Cached {
            metadata,
            service,
            plan,
        }));
        plan
    }
}

#[cold]
fn find(metadata: &'static Metadata<'static>, service: ServicePart) -> &'static Plan {
    static PLANS: OnceLock<RwLock<HashMap<(usize, usize), &'static Plan>>> = OnceLock::new();
    let plans = PLANS.get_or_init(RwLock::default);
    let key = (
        std::ptr::from_ref(metadata).addr(),
        service.0.as_ptr().addr(),
    );
    if let Some(plan) = plans.read().get(&key) {
        return plan;
    }
    plans
        .write()
        .entry(key)
        .or_insert_with(|| Box::leak(Box::new(Plan::new(metadata, service))))
}
