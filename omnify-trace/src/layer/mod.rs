//! The JSON layer: one event, one line of schema v1, made once.
//!
//! A span's fields are serialised when it opens; an event copies its span's ready fragment and
//! formats its own fields into a buffer that its thread keeps: no allocation, no walk over spans.
//!
//! ```
//! use omnify_trace::layer::{JsonLayer, MemorySink};
//! use tracing_subscriber::prelude::*;
//!
//! let sink = MemorySink::new();
//! let subscriber = tracing_subscriber::registry().with(JsonLayer::new(sink.clone()));
//! tracing::subscriber::with_default(subscriber, || {
//!     let _request = tracing::info_span!("request", user_id = "u-1", shop = 7).entered();
//!     tracing::info!(items = 3, "cart opened");
//! });
//! let line = &sink.events()[0];
//! assert_eq!(line["message"], "cart opened");
//! assert_eq!(line["context"]["user_id"], "u-1");
//! assert_eq!(line["span"]["fields"]["shop"], 7);
//! assert_eq!(line["extra"]["items"], 3);
//! ```

mod clock;
mod current;
mod event;
mod exception;
pub(crate) mod json;
mod plan;
mod policy;
mod pool;
mod redaction;
mod service;
mod sink;
mod span;

use std::{
    fmt,
    sync::Arc,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tracing::{Subscriber, dispatcher};
use tracing_core::{Event, span as core_span};
use tracing_subscriber::{layer::Context, registry::LookupSpan};

pub(crate) use self::policy::{Counts, Pending, Policies, Table};
pub use self::{
    clock::Clock,
    policy::{Duplicates, FlightRecorder, Sampling},
    service::Service,
    sink::{FileSink, MemorySink, NoSink, Sink},
};
use self::{
    current::Local,
    event::EventVisitor,
    span::{Handle, SpanState},
};
use crate::{
    context::CorrelationContext, operation, redact::Redactor, schema::Stream, setup::Levels,
};

static NEXT_LAYER: AtomicUsize = AtomicUsize::new(1);
/// A buffer that one huge event grew past this is not kept.
const LARGEST_BUFFER: usize = 64 * 1024;

/// Writes each event as one line of JSON to a [`Sink`].
///
/// Works on any `Subscriber` with span look-up, such as `tracing_subscriber::Registry`, beside
/// other layers and under per-layer filters.
pub struct JsonLayer {
    shared: Arc<Shared>,
}

struct Shared {
    number: usize,
    sink: Arc<dyn Sink>,
    clock: Clock,
    /// `,"service":{…}`
    service: Vec<u8>,
    redactor: Option<Redactor>,
    policies: Option<Arc<Policies>>,
}

impl JsonLayer {
    /// A layer that writes to `sink`, for an unnamed service.
    #[must_use]
    pub fn new(sink: impl Sink) -> Self {
        Self {
            shared: Arc::new(Shared {
                number: NEXT_LAYER.fetch_add(1, Ordering::Relaxed),
                sink: Arc::new(sink),
                clock: Clock::System,
                service: Vec::new(),
                redactor: Some(Redactor::new()),
                policies: None,
            }),
        }
    }

    fn map(self, change: impl FnOnce(&mut Shared)) -> Self {
        let mut shared = match Arc::try_unwrap(self.shared) {
            Ok(shared) => shared,
            Err(shared) => Shared {
                number: shared.number,
                sink: Arc::clone(&shared.sink),
                clock: shared.clock.clone(),
                service: shared.service.clone(),
                redactor: shared.redactor.clone(),
                policies: shared.policies.clone(),
            },
        };
        change(&mut shared);
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Who speaks: the `service` object of every line. Defaults to none.
    #[must_use]
    pub fn service(self, service: &Service) -> Self {
        self.map(|shared| shared.service = service.fragment())
    }

    /// Where the time comes from. Defaults to the system's clock.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        self.map(|shared| shared.clock = clock)
    }

    /// What must not be written; `None` to write everything. Defaults to [`Redactor::new`]: fields
    /// whose name says that they are secret.
    #[must_use]
    pub fn redactor(self, redactor: impl Into<Option<Redactor>>) -> Self {
        self.map(|shared| shared.redactor = redactor.into())
    }

    /// Keeps only a part of the plain events. Defaults to all.
    #[must_use]
    pub fn sampling(self, sampling: Sampling) -> Self {
        self.policy(|policies| policies.sampling = Some(sampling))
    }

    /// Holds back what is said over and over. Defaults to off.
    #[must_use]
    pub fn duplicates(self, duplicates: Duplicates) -> Self {
        self.policy(|policies| policies.duplicates = Some(Table::new(duplicates)))
    }

    /// Keeps more verbose events in memory and writes them if their request ends badly. `levels`
    /// must filter the whole subscriber (see [`Levels::layer`]): they decide what is written anyway.
    /// Defaults to off.
    #[must_use]
    pub fn flight_recorder(self, recorder: FlightRecorder, levels: &Levels) -> Self {
        self.policy(|policies| policies.recorder = Some(recorder.start(levels)))
    }

    fn policy(self, change: impl FnOnce(&mut Policies)) -> Self {
        self.map(|shared| {
            let policies = shared.policies.take();
            let mut policies = policies.and_then(Arc::into_inner).unwrap_or_default();
            change(&mut policies);
            shared.policies = Some(Arc::new(policies));
        })
    }

    /// What this layer does with lines besides writing them.
    pub(crate) fn policies(&self) -> Option<&Arc<Policies>> {
        self.shared.policies.as_ref()
    }

    /// Where this layer's lines go.
    #[must_use]
    pub fn sink(&self) -> &Arc<dyn Sink> {
        &self.shared.sink
    }

    /// A name for this layer that no other of this process has.
    pub(crate) fn number(&self) -> usize {
        self.shared.number
    }

    fn write_event<S>(&self, local: &Local, event: &Event<'_>, context: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        // Taken out, not borrowed: a field's own code may log.
        let mut line = local.line.take();
        let mut extra = local.extra.take();
        line.clear();
        extra.clear();
        self.build_and_deliver(local, event, context, &mut line, &mut extra);
        keep(&local.line, line);
        keep(&local.extra, extra);
    }

    fn build_and_deliver<S>(
        &self,
        local: &Local,
        event: &Event<'_>,
        context: &Context<'_, S>,
        line: &mut Vec<u8>,
        extra: &mut Vec<u8>,
    ) where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let shared = &*self.shared;
        let metadata = event.metadata();
        let plan = local.plans.get(metadata);
        let now = shared.clock.now();
        local.stamp.open(line, now);
        plan.level.write(line);
        let mut visitor = EventVisitor::new(plan, shared.redactor.as_ref(), line, extra);
        event.record(&mut visitor);
        let told = visitor.end();
        let policies = shared.policies.as_deref();
        let state = policies.and_then(|_| self.state_for(local, event, context));
        let mut repeated = 0;
        if let Some(policies) = policies.filter(|_| !told.has_type) {
            let text = line.get(told.message_at.clone()).unwrap_or_default();
            match policies.admit(metadata, text, state.as_deref(), now) {
                Some(earlier) => repeated = earlier,
                None => return,
            }
        }
        let rare = told.rare.as_deref();
        match rare.and_then(|rare| rare.log_target.as_deref()) {
            Some(target) => {
                line.extend_from_slice(b",\"target\":");
                json::string(line, target);
            }
            None => plan.target.write(line),
        }
        line.extend_from_slice(&shared.service);
        self.write_span(local, event, context, line, rare);
        if let Some(fields) = extra.get(1..) {
            line.extend_from_slice(b",\"extra\":{");
            line.extend_from_slice(fields);
            line.push(b'}');
        }
        if let Some(rare) = rare.filter(|rare| rare.exception.present) {
            rare.exception.write(line);
        }
        if repeated > 0 {
            line.extend_from_slice(b",\"repeated\":");
            json::integer(line, repeated);
        }
        line.extend_from_slice(b"}\n");
        match policies {
            None => shared.sink.write(told.stream, line),
            Some(policies) => {
                policies.deliver(&shared.sink, metadata, state.as_deref(), told.stream, line);
            }
        }
        operation::heard(
            line.get(clock::OPENED - clock::STAMP_LENGTH..clock::OPENED)
                .unwrap_or_default(),
            line.get(told.message_at).unwrap_or_default(),
        );
    }

    fn recorder(&self) -> Option<(&Policies, &policy::Recorder)> {
        let policies = self.shared.policies.as_deref()?;
        Some((policies, policies.recorder.as_ref()?))
    }

    /// The state of the span that an event belongs to.
    fn state_for<S>(
        &self,
        local: &Local,
        event: &Event<'_>,
        context: &Context<'_, S>,
    ) -> Option<Arc<SpanState>>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if event.is_contextual() {
            local.with_current(self.shared.number, |state| state.map(Arc::clone))
        } else {
            let span = context.event_span(event)?;
            Handle::find(&span.extensions(), self.shared.number)
        }
    }

    fn state_of<S>(&self, context: &Context<'_, S>, id: &core_span::Id) -> Option<Arc<SpanState>>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let span = context.span(id)?;
        Handle::find(&span.extensions(), self.shared.number)
    }

    fn write_span<S>(
        &self,
        local: &Local,
        event: &Event<'_>,
        context: &Context<'_, S>,
        line: &mut Vec<u8>,
        rare: Option<&event::Rare>,
    ) where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let mut write = |state: Option<&Arc<SpanState>>| match state {
            Some(state) => {
                state.with_fragment(|fragment| event::write_context(line, Some(fragment), rare));
            }
            None => event::write_context(line, None, rare),
        };
        if event.is_contextual() {
            local.with_current(self.shared.number, write);
        } else {
            let state = self.state_for(local, event, context);
            write(state.as_ref());
        }
    }
}

fn keep(place: &std::cell::Cell<Vec<u8>>, buffer: Vec<u8>) {
    if buffer.capacity() <= LARGEST_BUFFER {
        place.set(buffer);
    }
}

impl<S> tracing_subscriber::Layer<S> for JsonLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(
        &self,
        attributes: &core_span::Attributes<'_>,
        id: &core_span::Id,
        context: Context<'_, S>,
    ) {
        let Some(span) = context.span(id) else { return };
        let attached = current::local(current::Local::attached).flatten();
        let number = self.shared.number;
        let parent = if attributes.is_contextual() {
            // The same span that the registry would name, without looking it up.
            current::local(|local| local.with_current(number, |state| state.map(Arc::clone)))
                .flatten()
        } else {
            span.parent()
                .and_then(|parent| Handle::find(&parent.extensions(), number))
        };
        let plan = span::plan_of(attributes.metadata());
        let state = SpanState::open(
            attributes,
            plan,
            self.shared.redactor.as_ref(),
            parent,
            attached,
        );
        if self.recorder().is_some() && state.is_root() {
            state.recording.lock().begin();
        }
        Handle::insert(&mut span.extensions_mut(), number, state);
    }

    fn on_record(
        &self,
        id: &core_span::Id,
        values: &core_span::Record<'_>,
        context: Context<'_, S>,
    ) {
        let Some(state) = self.state_of(&context, id) else {
            return;
        };
        if let Some(metadata) = context.metadata(id) {
            state.record(
                span::plan_of(metadata),
                self.shared.redactor.as_ref(),
                values,
            );
        }
    }

    fn on_follows_from(
        &self,
        id: &core_span::Id,
        follows: &core_span::Id,
        context: Context<'_, S>,
    ) {
        if let (Some(state), Some(other)) = (
            self.state_of(&context, id),
            self.state_of(&context, follows),
        ) {
            state.follow(&other);
        }
    }

    fn on_close(&self, id: core_span::Id, context: Context<'_, S>) {
        let Some((policies, recorder)) = self.recorder() else {
            return;
        };
        if let Some(state) = self.state_of(&context, &id).filter(|state| state.is_root()) {
            recorder.landed(&policies.counts, &self.shared.sink, &state);
        }
    }

    fn on_enter(&self, id: &core_span::Id, context: Context<'_, S>) {
        if let Some(state) = self.state_of(&context, id) {
            current::local(|local| local.enter(self.shared.number, id, state));
        }
    }

    fn on_exit(&self, id: &core_span::Id, _: Context<'_, S>) {
        current::local(|local| local.exit(self.shared.number, id));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        // While a thread is torn down its buffers may be gone; the line is written all the same.
        if current::local(|local| self.write_event(local, event, &context)).is_none() {
            self.write_event(&Local::new(), event, &context);
        }
    }
}

impl fmt::Debug for JsonLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLayer")
            .field("clock", &self.shared.clock)
            .finish_non_exhaustive()
    }
}

/// Calls `with` with the JSON layer of the current subscriber, if it has one.
pub(crate) fn with_current_layer<R>(with: impl FnOnce(&JsonLayer) -> R) -> Option<R> {
    // `get_default` wants a closure that could run twice; it runs once.
    let mut with = Some(with);
    dispatcher::get_default(|dispatch| {
        let layer = dispatch.downcast_ref::<JsonLayer>()?;
        with.take().map(|with| with(layer))
    })
}

/// A look at the context of the innermost span that this thread is inside of.
pub(crate) struct ContextView<'a>(&'a span::Fragment);

impl ContextView<'_> {
    /// A member of the context as it stands in lines; empty if it is not known.
    pub(crate) fn escaped(&self, field: &str) -> &[u8] {
        let mut names = crate::schema::fields::CONTEXT_FIELDS.iter();
        let slot = names.position(|name| *name == field);
        slot.map_or(&[], |slot| self.0.context(slot))
    }

    /// A value as it would stand in lines.
    pub(crate) fn escape(value: &str) -> Vec<u8> {
        let mut out = Vec::new();
        json::escape(&mut out, value);
        out
    }
}

/// Calls `look` with the context of the innermost span that this thread is inside of, whichever
/// JSON layer saw it: a filter is asked while the subscriber cannot be.
pub(crate) fn with_innermost_span<R>(look: impl FnOnce(&ContextView<'_>) -> R) -> Option<R> {
    current::local(|local| {
        let entered = local.entered.borrow();
        let top = entered.last()?;
        Some(
            top.state
                .with_fragment(|fragment| look(&ContextView(fragment))),
        )
    })
    .flatten()
}

/// Writes a ready-made line of schema v1 to the current subscriber's sink.
///
/// For lines that were made elsewhere, such as a browser's. A missing `\n` is added; line breaks
/// inside, which would forge a second line, become spaces. False if no [`JsonLayer`] is at work.
pub fn emit_line(stream: Stream, line: &[u8]) -> bool {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    with_current_layer(|layer| {
        let mut whole = Vec::with_capacity(text.len() + 1);
        whole.extend(
            text.iter()
                .map(|&b| if matches!(b, b'\n' | b'\r') { b' ' } else { b }),
        );
        whole.push(b'\n');
        layer.shared.sink.write(stream, &whole);
    })
    .is_some()
}

/// The `service` object of the current subscriber's lines, as JSON: for those who make lines of
/// their own for [`emit_line`]. `None` without a [`JsonLayer`], or when the service has no name.
#[must_use]
pub fn service_json() -> Option<Vec<u8>> {
    const KEY: &[u8] = b",\"service\":";
    with_current_layer(|layer| layer.shared.service.strip_prefix(KEY).map(<[u8]>::to_vec)).flatten()
}

impl CorrelationContext {
    /// What is known about the work this thread or task is doing right now: the current span's
    /// context. `None` outside any span, or without a [`JsonLayer`].
    #[must_use]
    pub fn current() -> Option<Self> {
        with_current_layer(|layer| {
            current::local(|local| {
                local.with_current(layer.number(), |state| state.map(|state| state.context()))
            })
        })
        .flatten()
        .flatten()
    }

    /// A span that carries this context, whatever thread or task enters it. Its parent is this
    /// context's current span, also when that lives in another service.
    ///
    /// It is never filtered out: without it, the events inside would lose their customer.
    ///
    /// ```
    /// # use omnify_trace::context::CorrelationContext;
    /// # use omnify_trace::layer::{JsonLayer, MemorySink};
    /// # use tracing_subscriber::prelude::*;
    /// # let sink = MemorySink::new();
    /// # let subscriber = tracing_subscriber::registry().with(JsonLayer::new(sink.clone()));
    /// # let _guard = tracing::subscriber::set_default(subscriber);
    /// let context = CorrelationContext::builder().user_id("u-1".parse::<omnify_trace::context::UserId>()?).build();
    /// context.span("import").in_scope(|| tracing::info!("row read"));
    /// assert_eq!(sink.events()[0]["context"]["user_id"], "u-1");
    /// # Ok::<(), omnify_trace::context::InvalidId>(())
    /// ```
    #[must_use]
    pub fn span(&self, name: &str) -> tracing::Span {
        self.attach(
            || tracing::error_span!(target: "omnify_trace::context", "span", otel.name = name),
        )
    }

    /// Gives this context to the span that `make` creates: for spans of your own callsite.
    pub fn attach(&self, make: impl FnOnce() -> tracing::Span) -> tracing::Span {
        current::local(|local| local.attached.set(Some(self.clone())));
        let span = make();
        current::local(|local| local.attached.set(None));
        span
    }
}

/// Notes in the current subscriber's sink that something is in flight, until the handle is
/// dropped: see [`Sink::in_flight`].
pub fn in_flight(note: &[u8]) -> Option<crate::journal::InFlight> {
    with_current_layer(|layer| layer.shared.sink.in_flight(note)).flatten()
}

/// A time since the Unix epoch as every line has it: UTC, nanoseconds.
pub(crate) fn rfc3339(since_epoch: Duration) -> String {
    let mut out = Vec::with_capacity(clock::STAMP_LENGTH);
    clock::StampCache::new().write(&mut out, since_epoch);
    String::from_utf8(out).unwrap_or_default()
}

/// Waits until the current subscriber's sink has everything. False if that took too long.
pub fn flush(timeout: Duration) -> bool {
    with_current_layer(|layer| layer.shared.sink.flush(timeout)).unwrap_or(true)
}
