//! What a callsite's fields mean, worked out once per callsite: classes, ready keys, ready prefix.

use std::{
    cell::Cell,
    collections::HashMap,
    sync::{OnceLock, PoisonError, RwLock},
};

use tracing_core::{Level, Metadata};

use super::json::{self, Block};
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
}

impl Plan {
    fn new(metadata: &Metadata<'_>) -> Self {
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
        Self {
            level: Block::new(level),
            target: Block::new(target),
            repeats: fields.iter().any(|field| field.repeated),
            secrets: fields.iter().any(|field| field.secret),
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

/// This thread's nearest plans, by the callsite's address.
pub(crate) struct PlanCache([Cell<Option<(&'static Metadata<'static>, &'static Plan)>>; CACHED]);

impl PlanCache {
    pub(crate) const fn new() -> Self {
        Self([const { Cell::new(None) }; CACHED])
    }

    /// The callsite's plan; made on its first event, kept as long as the callsite: for ever.
    #[inline]
    pub(crate) fn get(&self, metadata: &'static Metadata<'static>) -> &'static Plan {
        let address = std::ptr::from_ref(metadata).addr();
        // Metadata lie a cache line or more apart; fold the upper bits in.
        let slot = &self.0[(address >> 4 ^ address >> 12) % CACHED];
        match slot.get() {
            Some((known, plan)) if std::ptr::eq(known, metadata) => plan,
            _ => {
                let plan = find(metadata);
                slot.set(Some((metadata, plan)));
                plan
            }
        }
    }
}

#[cold]
fn find(metadata: &'static Metadata<'static>) -> &'static Plan {
    static PLANS: OnceLock<RwLock<HashMap<usize, &'static Plan>>> = OnceLock::new();
    let plans = PLANS.get_or_init(RwLock::default);
    let address = std::ptr::from_ref(metadata).addr();
    if let Some(plan) = plans
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&address)
    {
        return plan;
    }
    plans
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .entry(address)
        .or_insert_with(|| Box::leak(Box::new(Plan::new(metadata))))
}
