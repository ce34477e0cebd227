//! Reaching the layer at work, and the context it keeps, from anywhere.

use std::time::Duration;

use tracing::dispatcher;

use super::{JsonLayer, clock, current, json, span};
use crate::{context::CorrelationContext, schema::Stream};

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
    with_current_layer(|layer| {
        layer
            .shared
            .service
            .bytes()
            .strip_prefix(KEY)
            .map(<[u8]>::to_vec)
    })
    .flatten()
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
/// dropped: see [`Sink::in_flight`](super::Sink::in_flight).
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
