//! Our layer.

use std::thread;

use omnify_trace::{
    JsonLayer,
    layer::{NoSink, Service},
    setup::{Console, Levels, Telemetry},
};
use tracing::{debug, info, info_span};
use tracing_subscriber::prelude::*;

type Measure<'a> = &'a mut dyn FnMut(&mut dyn FnMut(u64));

fn layer() -> JsonLayer {
    let mut service = Service::new("shop");
    service.version = "1.2.3".to_owned();
    service.environment = "production".to_owned();
    service.instance = "host-1".to_owned();
    JsonLayer::new(NoSink).service(&service)
}

fn install() {
    tracing_subscriber::registry().with(layer()).init();
}

/// The event that every subject writes.
#[inline(always)]
pub(super) fn one() {
    info!(
        method = "GET",
        path = "/api/x",
        status_code = 200_u16,
        duration_ms = 12.5,
        "Request completed"
    );
}

/// Runs `work` where every subject's event is written: in a span within a root span with ids.
pub(super) fn in_spans(work: impl FnOnce()) {
    let root = info_span!(
        "request",
        request_id = "0193f5b0-7a3c-7e11-9c1d-1f0a2b3c4d5e",
        user_id = "user-42",
        organization_id = "org-7",
        workflow_id = "client-onboarding",
    );
    let _root = root.enter();
    let nested = info_span!("handler", route = "/api/{x}");
    let _nested = nested.enter();
    work();
}

/// A whole request's worth.
#[inline(always)]
pub(super) fn one_request() {
    let root = info_span!(
        "request",
        request_id = "0193f5b0-7a3c-7e11-9c1d-1f0a2b3c4d5e",
        user_id = "user-42",
        organization_id = "org-7",
        workflow_id = "client-onboarding",
    );
    let _root = root.enter();
    info!(method = "GET", path = "/api/x", "Request started");
    let nested = info_span!("handler", route = "/api/{x}");
    let _nested = nested.enter();
    let query = info_span!("query", table = "orders");
    query.in_scope(|| info!(rows = 3_u64, duration_ms = 1.25, "Query done"));
    one();
}

pub(super) fn turns(measure: Measure<'_>) {
    in_spans(|| measure(&mut |turns| (0..turns).for_each(|_| one())));
}

pub(super) fn event(measure: Measure<'_>) {
    install();
    turns(measure);
}

/// The whole stack that `init()` builds, but for the journal.
pub(super) fn event_as_init(measure: Measure<'_>) {
    let telemetry = Telemetry::builder()
        .service_name("shop")
        .console(Console::Off)
        .sink(NoSink)
        .install();
    turns(measure);
    drop(telemetry);
}

pub(super) fn request(measure: Measure<'_>) {
    install();
    measure(&mut |turns| (0..turns).for_each(|_| one_request()));
}

pub(super) fn disabled(measure: Measure<'_>) {
    let levels = Levels::new("info".parse().unwrap_or_else(|_| unreachable!()));
    tracing_subscriber::registry()
        .with(levels.layer())
        .with(layer())
        .init();
    in_spans(|| {
        measure(&mut |turns| {
            (0..turns).for_each(|turn| debug!(turn, path = "/api/x", "not wanted"));
        });
    });
}

pub(super) fn one_thread(measure: Measure<'_>) {
    threads(measure, 1);
}

pub(super) fn two_threads(measure: Measure<'_>) {
    threads(measure, 2);
}

/// Both threads do all the turns; the time is that of the slower one.
fn threads(measure: Measure<'_>, count: usize) {
    install();
    measure(&mut |turns| {
        thread::scope(|scope| {
            for _ in 0..count {
                scope.spawn(|| in_spans(|| (0..turns).for_each(|_| one())));
            }
        });
    });
}
