//! Our peers: the same event, the same ids, the line discarded.

use std::{borrow::Cow, io};

use fastrace::prelude::{LocalSpan, Span, SpanContext, SpanRecord};
use slog::Drain as _;
use tracing::debug;
use tracing_subscriber::{fmt, prelude::*};

use super::ours::{in_spans, one_request, turns};

type Measure<'a> = &'a mut dyn FnMut(&mut dyn FnMut(u64));

fn install_fmt(level: tracing::Level) {
    fmt()
        .json()
        .with_current_span(true)
        .with_span_list(true)
        .with_max_level(level)
        .with_writer(io::sink)
        .init();
}

pub(super) fn fmt_json(measure: Measure<'_>) {
    install_fmt(tracing::Level::INFO);
    turns(measure);
}

pub(super) fn fmt_json_request(measure: Measure<'_>) {
    install_fmt(tracing::Level::INFO);
    measure(&mut |turns| (0..turns).for_each(|_| one_request()));
}

pub(super) fn fmt_json_disabled(measure: Measure<'_>) {
    install_fmt(tracing::Level::INFO);
    in_spans(|| {
        measure(&mut |turns| {
            (0..turns).for_each(|turn| debug!(turn, path = "/api/x", "not wanted"));
        });
    });
}

pub(super) fn json_subscriber(measure: Measure<'_>) {
    json_subscriber::fmt().with_writer(io::sink).init();
    turns(measure);
}

pub(super) fn json_subscriber_request(measure: Measure<'_>) {
    json_subscriber::fmt().with_writer(io::sink).init();
    measure(&mut |turns| (0..turns).for_each(|_| one_request()));
}

fn install_bunyan() {
    use tracing_bunyan_formatter::{BunyanFormattingLayer, JsonStorageLayer};
    tracing_subscriber::registry()
        .with(JsonStorageLayer)
        .with(BunyanFormattingLayer::new("shop".to_owned(), io::sink))
        .init();
}

pub(super) fn bunyan(measure: Measure<'_>) {
    install_bunyan();
    turns(measure);
}

pub(super) fn bunyan_request(measure: Measure<'_>) {
    install_bunyan();
    measure(&mut |turns| (0..turns).for_each(|_| one_request()));
}

/// Formats, then discards.
#[derive(Debug)]
struct Discard(logforth::layout::JsonLayout);

impl logforth::Append for Discard {
    fn append(
        &self,
        record: &logforth::record::Record<'_>,
        diagnostics: &[Box<dyn logforth::Diagnostic>],
    ) -> Result<(), logforth::Error> {
        use logforth::Layout as _;
        std::hint::black_box(self.0.format(record, diagnostics)?);
        Ok(())
    }

    fn flush(&self) -> Result<(), logforth::Error> {
        Ok(())
    }
}

/// `log` has no spans: the ids go with every record.
pub(super) fn logforth(measure: Measure<'_>) {
    logforth::starter_log::builder()
        .dispatch(|dispatch| dispatch.append(Discard(logforth::layout::JsonLayout::default())))
        .apply();
    measure(&mut |turns| {
        for _ in 0..turns {
            log::info!(
                request_id = "0193f5b0-7a3c-7e11-9c1d-1f0a2b3c4d5e", user_id = "user-42",
                organization_id = "org-7", workflow_id = "client-onboarding", route = "/api/{x}",
                method = "GET", path = "/api/x", status_code = 200_u16, duration_ms = 12.5;
                "Request completed"
            );
        }
    });
}

pub(super) fn slog_json(measure: Measure<'_>) {
    let drain = std::sync::Mutex::new(slog_json::Json::default(io::sink())).fuse();
    slog_turns(&slog::Logger::root(drain, slog_ids()), measure);
}

fn slog_ids() -> slog::OwnedKV<impl slog::SendSyncRefUnwindSafeKV + 'static> {
    slog::o!("request_id" => "0193f5b0-7a3c-7e11-9c1d-1f0a2b3c4d5e", "user_id" => "user-42",
        "organization_id" => "org-7", "workflow_id" => "client-onboarding")
}

fn slog_turns(root: &slog::Logger, measure: Measure<'_>) {
    let logger = root.new(slog::o!("route" => "/api/{x}"));
    measure(&mut |turns| {
        for _ in 0..turns {
            slog::info!(logger, "Request completed"; "method" => "GET", "path" => "/api/x",
                "status_code" => 200_u16, "duration_ms" => 12.5);
        }
    });
}

/// The same, formatted on slog's own thread; a full channel blocks, so that nothing is lost.
pub(super) fn slog_async(measure: Measure<'_>) {
    let drain = slog_json::Json::default(io::sink()).fuse();
    let drain = slog_async::Async::new(drain)
        .overflow_strategy(slog_async::OverflowStrategy::Block)
        .build()
        .fuse();
    slog_turns(&slog::Logger::root(drain, slog_ids()), measure);
}

struct NoReporter;

impl fastrace::collector::Reporter for NoReporter {
    fn report(&mut self, _: Vec<SpanRecord>) {}
}

/// An event on a span, kept in memory until its root ends: a root for every 64 events.
pub(super) fn fastrace(measure: Measure<'_>) {
    fastrace::set_reporter(NoReporter, fastrace::collector::Config::default());
    let text = |text: &'static str| -> Cow<'static, str> { Cow::Borrowed(text) };
    measure(&mut |turns| {
        for _ in 0..turns / 64 + 1 {
            let root = Span::root("request", SpanContext::random());
            let _guard = root.set_local_parent();
            let _nested = LocalSpan::enter_with_local_parent("handler");
            for _ in 0..64 {
                LocalSpan::add_event(fastrace::Event::new("Request completed").with_properties(
                    || {
                        [
                            (text("method"), text("GET")),
                            (text("path"), text("/api/x")),
                            (text("status_code"), Cow::Owned(200.to_string())),
                            (text("duration_ms"), Cow::Owned(12.5.to_string())),
                        ]
                    },
                ));
            }
        }
    });
}
