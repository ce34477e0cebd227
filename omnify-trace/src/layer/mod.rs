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

mod brief;
mod clock;
mod current;
mod event;
mod exception;
pub(crate) mod json;
mod line;
mod open_spans;
mod plan;
mod policy;
mod pool;
mod quick;
mod reach;
mod redaction;
mod service;
mod shared;
mod sink;
mod span;
mod wall;
mod write;

use std::{
    fmt,
    sync::Arc,
    sync::atomic::{AtomicUsize, Ordering},
};

use tracing::Subscriber;
use tracing_core::{Event, span as core_span};
use tracing_subscriber::{layer::Context, registry::LookupSpan};

pub use self::{
    clock::Clock,
    policy::{Duplicates, FlightRecorder, Sampling},
    reach::{emit_line, flush, in_flight, service_json},
    service::Service,
    sink::{FileSink, MemorySink, NoSink, Sink},
};
use self::{open_spans::OpenSpans, plan::ServicePart, span::SpanState};
pub(crate) use self::{
    policy::{Counts, Pending, Policies, Table},
    reach::{ContextView, rfc3339, with_current_layer, with_innermost_span},
};
use crate::{operation::sqlx, redact::Redactor, setup::Levels};

static NEXT_LAYER: AtomicUsize = AtomicUsize::new(1);

/// Writes each event as one line of JSON to a [`Sink`].
///
/// Works on any `Subscriber` with span look-up, such as `tracing_subscriber::Registry`, beside
/// other layers and under per-layer filters.
pub struct JsonLayer {
    shared: Arc<Shared>,
}

struct Shared {
    number: usize,
    spans: OpenSpans,
    sink: Arc<dyn Sink>,
    clock: Clock,
    service: ServicePart,
    redactor: Option<Redactor>,
    policies: Option<Arc<Policies>>,
    /// Nothing looks into texts, nothing is held back.
    may_be_quick: bool,
}

impl JsonLayer {
    /// A layer that writes to `sink`, for an unnamed service.
    #[must_use]
    pub fn new(sink: impl Sink) -> Self {
        Self {
            shared: Arc::new(Shared {
                number: NEXT_LAYER.fetch_add(1, Ordering::Relaxed),
                spans: OpenSpans::new(),
                sink: Arc::new(sink),
                clock: Clock::System,
                service: ServicePart::NONE,
                redactor: Some(Redactor::new()),
                policies: None,
                may_be_quick: true,
            }),
        }
    }

    fn map(self, change: impl FnOnce(&mut Shared)) -> Self {
        let mut shared = match Arc::try_unwrap(self.shared) {
            Ok(shared) => shared,
            Err(shared) => Shared {
                number: shared.number,
                spans: OpenSpans::new(),
                sink: Arc::clone(&shared.sink),
                clock: shared.clock.clone(),
                service: shared.service,
                redactor: shared.redactor.clone(),
                policies: shared.policies.clone(),
                may_be_quick: shared.may_be_quick,
            },
        };
        change(&mut shared);
        shared.may_be_quick = shared.policies.is_none()
            && !shared
                .redactor
                .as_ref()
                .is_some_and(Redactor::looks_further);
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Who speaks: the `service` object of every line. Defaults to none.
    #[must_use]
    pub fn service(self, service: &Service) -> Self {
        self.map(|shared| shared.service = ServicePart::of(service.fragment()))
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

    fn recorder(&self) -> Option<(&Policies, &policy::Recorder)> {
        let policies = self.shared.policies.as_deref()?;
        Some((policies, policies.recorder.as_ref()?))
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
        let number = self.shared.number;
        let (attached, parent) = current::local(|local| {
            let parent = local.current(number);
            // The same span that the registry would name, without looking it up.
            (
                local.attached(),
                parent.filter(|_| attributes.is_contextual()),
            )
        })
        .unwrap_or_default();
        let parent = if attributes.is_contextual() {
            parent
        } else {
            let span = context.span(id);
            let parent = span.and_then(|span| span.parent());
            parent.and_then(|parent| self.shared.spans.find(&parent.id()))
        };
        let plan = current::plan(attributes.metadata(), self.shared.service);
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
        let (state, at_hand) = state.pair();
        current::local(|local| local.created(number, id, at_hand));
        self.shared.spans.insert(id, state);
    }

    fn on_record(
        &self,
        id: &core_span::Id,
        values: &core_span::Record<'_>,
        context: Context<'_, S>,
    ) {
        let Some(state) = self.shared.spans.find(id) else {
            return;
        };
        if let Some(metadata) = context.metadata(id) {
            state.record(
                current::plan(metadata, self.shared.service),
                self.shared.redactor.as_ref(),
                values,
            );
        }
    }

    fn on_follows_from(&self, id: &core_span::Id, follows: &core_span::Id, _: Context<'_, S>) {
        if let (Some(state), Some(other)) =
            (self.shared.spans.find(id), self.shared.spans.find(follows))
        {
            state.follow(&other);
        }
    }

    fn on_close(&self, id: core_span::Id, _: Context<'_, S>) {
        let shared = &*self.shared;
        let at_hand = current::local(|local| local.closed(shared.number, &id)).flatten();
        if let Some((policies, recorder)) = self.recorder()
            && let Some(state) = shared.spans.find(&id).filter(|state| state.is_root())
        {
            recorder.landed(&policies.counts, &shared.sink, &state);
        }
        shared.spans.close(&id, at_hand);
    }

    fn on_enter(&self, id: &core_span::Id, _: Context<'_, S>) {
        let number = self.shared.number;
        if current::local(|local| local.enter_at_hand(number, id)) == Some(false)
            && let Some(state) = self.shared.spans.find(id)
        {
            current::local(|local| local.enter(number, id, state));
        }
    }

    fn on_exit(&self, id: &core_span::Id, _: Context<'_, S>) {
        current::local(|local| local.exit(self.shared.number, id));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if sqlx::is_query(event.metadata()) {
            let current = context.current_span();
            return sqlx::tell(event, &current, |event| self.on_event(event, context));
        }
        // While a thread is torn down its buffers may be gone; the line is written all the same.
        if current::local(|local| self.write_event(local, event, &context)).is_none() {
            self.write_last_event(event, &context);
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
