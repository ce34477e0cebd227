//! Sampling, suppression of duplicates, and the flight recorder: what is held back is counted.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use omnify_trace::{
    Telemetry,
    layer::{Clock, Duplicates, FlightRecorder, MemorySink, Sampling},
    setup::{Console, TelemetryBuilder},
};
use tracing::{Level, debug, dispatcher::with_default, error, info, info_span, trace, warn};

fn under(
    set_up: impl FnOnce(TelemetryBuilder) -> TelemetryBuilder,
    work: impl FnOnce(&Telemetry, &MemorySink),
) {
    let sink = MemorySink::new();
    let builder = Telemetry::builder()
        .console(Console::Off)
        .filter("info".parse().unwrap())
        .sink(sink.clone());
    let (telemetry, dispatch) = set_up(builder).build().unwrap();
    with_default(&dispatch, || work(&telemetry, &sink));
}

fn messages(sink: &MemorySink) -> Vec<String> {
    let lines = sink.events();
    sink.clear();
    let message = |line: &serde_json::Value| line["message"].as_str().unwrap().to_owned();
    lines.iter().map(message).collect()
}

#[test]
fn the_flight_recorder_writes_debug_events_of_a_request_that_fails() {
    let recorder = FlightRecorder::new();
    under(
        |builder| builder.flight_recorder(recorder),
        |telemetry, sink| {
            let request = |fails: bool| {
                let _request = info_span!("request", user_id = "u").entered();
                debug!("one");
                let _inner = tracing::debug_span!("inner").entered();
                debug!("two");
                trace!("never");
                info!("said");
                if fails {
                    error!("failed");
                    debug!("after");
                }
            };
            request(false);
            debug!("outside");
            assert_eq!(messages(sink), ["said"]);
            assert_eq!(telemetry.stats().discarded, 2);
            request(true);
            assert_eq!(messages(sink), ["said", "one", "two", "failed", "after"]);
            assert_eq!(telemetry.stats().recorded, 2);
            request(false);
            assert_eq!(messages(sink), ["said"], "a new request starts anew");
            assert_eq!(telemetry.stats().discarded, 4);
        },
    );
}

#[test]
fn the_flight_recorder_writes_what_a_slow_request_did() {
    let recorder = FlightRecorder::new().slow(Duration::ZERO);
    under(
        |builder| builder.flight_recorder(recorder),
        |_, sink| {
            info_span!("request").in_scope(|| debug!("detail"));
            assert_eq!(messages(sink), ["detail"]);
        },
    );
}

#[test]
fn the_flight_recorder_forgets_the_oldest_when_a_request_says_too_much() {
    let recorder = FlightRecorder::new().bytes(2000);
    under(
        |builder| builder.flight_recorder(recorder),
        |telemetry, sink| {
            let _request = info_span!("request").entered();
            (0..100).for_each(|n| debug!("{n}"));
            error!("failed");
            let kept = messages(sink);
            assert!((3..20).contains(&kept.len()), "{kept:?}");
            assert_eq!(kept[kept.len() - 2..], ["99", "failed"]);
            let stats = telemetry.stats();
            assert_eq!(stats.recorded + stats.discarded, 100);
        },
    );
}

#[test]
fn sampling_keeps_whole_traces_warnings_and_typed_events() {
    let sampling = Sampling::new(Level::INFO, 0.25);
    under(
        |builder| builder.sampling(sampling),
        |telemetry, sink| {
            for _ in 0..400 {
                let _request = info_span!("request").entered();
                info!("a");
                info_span!("inner").in_scope(|| info!("b"));
            }
            let kept = messages(sink);
            assert!((100..400).contains(&kept.len()), "{}", kept.len());
            assert!(
                kept.chunks(2).all(|pair| pair == ["a", "b"]),
                "whole traces"
            );
            assert_eq!(telemetry.stats().sampled_out as usize, 800 - kept.len());
            for _ in 0..20 {
                warn!("w");
                info!(event_type = "request_complete", "typed");
            }
            assert_eq!(messages(sink).len(), 40);
        },
    );
}

#[test]
fn duplicates_are_held_back_and_told_of() {
    let seconds = Arc::new(AtomicU64::new(1_000));
    let clock = {
        let seconds = Arc::clone(&seconds);
        Clock::Custom(Arc::new(move || {
            Duration::from_secs(seconds.load(Ordering::Relaxed))
        }))
    };
    let rule = Duplicates::new(Duration::from_secs(10)).allowed(2);
    under(
        |builder| builder.duplicates(rule).clock(clock),
        |telemetry, sink| {
            let say = |n: u64| warn!("disk {n} is full");
            (0..7).for_each(|_| say(1));
            say(2);
            assert_eq!(
                messages(sink),
                ["disk 1 is full", "disk 1 is full", "disk 2 is full"]
            );
            assert_eq!(telemetry.stats().suppressed, 5);
            seconds.fetch_add(11, Ordering::Relaxed);
            say(1);
            assert_eq!(sink.events()[0]["repeated"], 5);
            sink.clear();
            (0..4).for_each(|_| say(1));
            sink.clear();
            telemetry.flush(Duration::from_secs(1));
            let told = &sink.events()[0];
            assert_eq!(told["event_type"], "log_loss");
            assert_eq!(told["extra"]["count"], 3);
            assert_eq!(told["extra"]["duplicate_message"], "disk 1 is full");
            sink.clear();
            telemetry.flush(Duration::from_secs(1));
            assert_eq!(messages(sink), [""; 0], "told once");
        },
    );
}

#[test]
fn duplicates_are_told_of_although_nothing_else_happens() {
    let rule = Duplicates::new(Duration::from_millis(20)).allowed(1);
    under(
        |builder| builder.duplicates(rule),
        |telemetry, sink| {
            (0..50).for_each(|_| warn!("disk 1 is full"));
            let deadline = Instant::now() + Duration::from_secs(30);
            let told = |sink: &MemorySink| -> u64 {
                let count =
                    |event: &serde_json::Value| event["extra"]["count"].as_u64().unwrap_or(0);
                sink.events().iter().map(count).sum()
            };
            let repeated = |sink: &MemorySink| -> u64 {
                let count = |event: &serde_json::Value| event["repeated"].as_u64().unwrap_or(0);
                sink.events().iter().map(count).sum()
            };
            while told(sink) + repeated(sink) < telemetry.stats().suppressed {
                assert!(Instant::now() < deadline, "{:?}", sink.events());
                std::thread::yield_now();
            }
            assert!(telemetry.stats().suppressed > 0);
        },
    );
}
