//! Writing an event's line.

use std::ops::Range;

use tracing::Subscriber;
use tracing_core::Event;
use tracing_subscriber::{layer::Context, registry::LookupSpan};

use super::{
    JsonLayer, clock,
    current::Local,
    event::{self, EventVisitor},
    json,
    line::Line,
    plan::{Plan, Quick},
    quick::QuickVisitor,
    shared::Shared,
    span::SpanState,
};
use crate::operation;

/// How an event's values come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As its callsite names them, or so it is hoped.
    Callsite,
    /// Made by hand: in any order, perhaps one field twice.
    Any,
}

/// A buffer that one huge event grew past this is not kept.
const LARGEST_BUFFER: usize = 64 * 1024;

impl JsonLayer {
    /// The event of a thread that is being torn down.
    #[cold]
    #[inline(never)]
    pub(super) fn write_last_event<S>(&self, event: &Event<'_>, context: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let local = Local::new();
        let plan = local.plans.get(event.metadata(), self.shared.service);
        self.write_carefully(&local, event, context, plan, Order::Callsite);
    }

    #[inline(always)]
    pub(super) fn write_event<S>(&self, local: &Local, event: &Event<'_>, context: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let plan = local.plans.get(event.metadata(), self.shared.service);
        match &plan.quick {
            Some(quick) if self.shared.may_be_quick && event.is_contextual() => {
                if !self.write_quickly(local, event, plan, quick) {
                    self.write_carefully(local, event, context, plan, Order::Any);
                }
            }
            _ => self.write_carefully(local, event, context, plan, Order::Callsite),
        }
    }

    /// False if the event is not for the quick way: its fields come in an order of their own, or
    /// its line is a long one. Nothing is written then.
    #[inline(always)]
    fn write_quickly(
        &self,
        local: &Local,
        event: &Event<'_>,
        plan: &'static Plan,
        quick: &'static Quick,
    ) -> bool {
        let shared = &*self.shared;
        // Taken out, not borrowed: a field's own code may log.
        let mut line = local.quick_line.take().unwrap_or_else(new_line);
        line.begin(shared.clock.now());
        let mut visitor = QuickVisitor::new(local, shared.number, plan, quick, &mut line);
        event.record(&mut visitor);
        let told = visitor.end();
        let is_whole = line.is_whole();
        if is_whole {
            shared.sink.write(told.stream, line.as_slice());
            operation::heard(|| heard(line.as_slice(), told.message));
        }
        local.quick_line.set(Some(line));
        is_whole
    }

    #[inline(never)]
    fn write_carefully<S>(
        &self,
        local: &Local,
        event: &Event<'_>,
        context: &Context<'_, S>,
        plan: &'static Plan,
        order: Order,
    ) where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        // Taken out, not borrowed: a field's own code may log.
        let mut line = local.line.take();
        let mut extra = local.extra.take();
        let buffers = (&mut line, &mut extra);
        self.build_and_deliver(local, event, context, plan, order, buffers);
        keep(&local.line, line);
        keep(&local.extra, extra);
    }

    fn build_and_deliver<S>(
        &self,
        local: &Local,
        event: &Event<'_>,
        context: &Context<'_, S>,
        plan: &'static Plan,
        order: Order,
        (line, extra): (&mut Vec<u8>, &mut Vec<u8>),
    ) where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let shared = &*self.shared;
        let metadata = event.metadata();
        let now = shared.clock.now();
        line.clear();
        extra.clear();
        local.stamp.open(line, now);
        plan.level.write(line);
        let mut visitor = EventVisitor::new(plan, order, shared.redactor.as_ref(), line, extra);
        event.record(&mut visitor);
        let told = visitor.end();
        if !told.in_order {
            let buffers = (line, extra);
            return self.build_and_deliver(local, event, context, plan, Order::Any, buffers);
        }
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
        line.extend_from_slice(shared.service.bytes());
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
        operation::heard(|| heard(line, told.message_at));
    }

    /// The state of the span that an event belongs to.
    fn state_for<S>(
        &self,
        local: &Local,
        event: &Event<'_>,
        context: &Context<'_, S>,
    ) -> Option<Shared<SpanState>>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if event.is_contextual() {
            local.current(self.shared.number)
        } else {
            let span = context.event_span(event)?;
            self.shared.spans.find(&span.id())
        }
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
        let mut write = |state: Option<&Shared<SpanState>>| match state {
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

#[cold]
fn new_line() -> Box<Line> {
    Box::new(Line::new())
}

/// Time stamp and message of a line.
fn heard(line: &[u8], message_at: Range<usize>) -> (&[u8], &[u8]) {
    let part = |at: Range<usize>| line.get(at).unwrap_or_default();
    (part(clock::STAMP_AT..clock::OPENED), part(message_at))
}

#[inline]
fn keep(place: &std::cell::Cell<Vec<u8>>, buffer: Vec<u8>) {
    if buffer.capacity() <= LARGEST_BUFFER {
        place.set(buffer);
    }
}
