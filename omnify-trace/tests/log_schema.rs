//! What really comes out, held against `docs/log-schema.json`.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::{error::Error, io};

use omnify_trace::{
    EventType, JsonLayer, Telemetry,
    layer::{MemorySink, Service},
    operation,
    schema::fields::CONTEXT_FIELDS,
};
use serde_json::{Value, json};
use tracing::{error, info, info_span, subscriber::with_default, trace};
use tracing_subscriber::prelude::*;

const SCHEMA: &str = include_str!("../../docs/log-schema.json");

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

fn check(lines: &[Value]) {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for line in lines {
        let errors: Vec<_> = validator.iter_errors(line).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{line:#}");
    }
}

#[test]
fn lines_of_every_kind_follow_the_schema() {
    let sink = MemorySink::new();
    let layer = JsonLayer::new(sink.clone()).service(&Service::new("shop"));
    with_default(tracing_subscriber::registry().with(layer), || {
        info!("plain");
        trace!(n = 1);
        let request = info_span!("request", request_id = "r-1", user_id = 7, shop = "x");
        let _request = request.enter();
        for event_type in EventType::ALL {
            info!(event_type = event_type.as_str(), duration_ms = 1.5, "typed");
        }
        let other = info_span!("other");
        other.follows_from(&request);
        let _other = other.enter();
        let failure = io::Error::other("gone");
        error!(
            error = &failure as &dyn Error,
            exception.stacktrace = "a\nb",
            exception.span_trace = "a\nb",
            exception.category = "external",
            agent = "researcher",
            "failed"
        );
        let run = operation::workflow("onboarding").run_sync(|| {
            operation::step("charge").run_sync(|| Err::<(), _>(io::Error::other("declined")))
        });
        assert!(run.is_err());
    });
    assert!(sink.lines().len() > EventType::ALL.len() + 5);
    check(&sink.events());
}

#[test]
fn a_service_that_starts_and_stops_follows_the_schema() {
    let directory = tempfile::tempdir().unwrap();
    let (telemetry, dispatch) = Telemetry::builder()
        .service_name("shop")
        .log_dir(directory.path())
        .console(omnify_trace::setup::Console::Off)
        .build()
        .unwrap();
    tracing::dispatcher::with_default(&dispatch, || info!(items = 3, "cart opened"));
    drop(telemetry);
    let text = std::fs::read_to_string(directory.path().join("backend.log")).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    check(&lines);
    let types: Vec<_> = lines
        .iter()
        .map(|line| line["event_type"].as_str())
        .collect();
    assert_eq!(types, [Some("service_start"), None, Some("service_stop")]);
}

#[test]
fn the_schema_knows_every_id_and_refuses_what_it_should() {
    let schema = schema();
    let context = schema["$defs"]["context"]["properties"]
        .as_object()
        .unwrap();
    assert_eq!(context.keys().collect::<Vec<_>>(), CONTEXT_FIELDS);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let good = json!({"timestamp": "2026-11-21T09:10:11.123456789Z", "level": "INFO", "message": "", "target": "t"});
    assert!(validator.is_valid(&good));
    for (key, wrong) in [
        ("timestamp", json!("yesterday")),
        ("level", json!("LOUD")),
        (
            "context",
            json!({"trace_id": "00000000000000000000000000000000"}),
        ),
        ("surprise", json!(1)),
    ] {
        let mut line = good.clone();
        line[key] = wrong;
        assert!(!validator.is_valid(&line), "{key}");
    }
}
