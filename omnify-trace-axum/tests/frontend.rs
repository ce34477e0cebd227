//! What browsers send, and what becomes of it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects"
)]

mod support;

use std::num::NonZeroU32;

use axum::Router;
use axum::body::Body;
use http::{Request, Response, StatusCode};
use omnify_trace::Stream;
use omnify_trace_axum::{FrontendLogs, TracingLayer, frontend_logs};
use serde_json::{Value, json};
use support::{capture, send};

fn app() -> Router {
    Router::new()
        .merge(frontend_logs())
        .layer(TracingLayer::new())
}

fn post(kind: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::post("/api/logs/frontend").header("content-type", kind);
    request.body(body.into()).expect("a request")
}

async fn send_json(body: &Value) -> Response<String> {
    send(&app(), post("application/json", body.to_string())).await
}

fn lines(log: &support::Captured) -> Vec<Value> {
    let lines = log.sink.lines();
    let frontend = lines
        .iter()
        .filter(|(stream, _)| *stream == Stream::Frontend);
    frontend
        .map(|(_, line)| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn body(response: &Response<String>) -> Value {
    serde_json::from_str(response.body()).expect("JSON")
}

fn entry() -> Value {
    json!({
        "timestamp": jiff::Timestamp::now().to_string(),
        "level": "INFO",
        "message": "clicked",
        "event_type": "user_action",
        "target": "shop",
        "source": "frontend",
        "context": {
            "session_id": "s-1",
            "trace_id": "0af7651916cd43dd8448eb211c80319c",
            "span_id": "b7ad6b7169203331",
            "user_id": "u-1",
        },
        "extra": {"action": "click", "element": "#buy", "n": 7},
    })
}

#[tokio::test]
async fn an_entry_becomes_a_line_of_the_frontend_stream() {
    let log = capture();
    let response = send_json(&entry()).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert_eq!(body(&response), json!({"accepted": 1, "rejected": []}));
    let line = &lines(&log)[0];
    assert_eq!(line["message"], "clicked");
    assert_eq!(line["event_type"], "user_action");
    assert_eq!(line["source"], "frontend");
    assert_eq!(line["target"], "shop");
    assert_eq!(
        line["context"]["trace_id"],
        "0af7651916cd43dd8448eb211c80319c"
    );
    assert_eq!(line["extra"]["n"], 7);
    assert_eq!(line["extra"]["identity"], "claimed");
    assert!(line["extra"]["received_at"].is_string());
    let time = line["timestamp"].as_str().expect("text");
    assert!(time.len() == 30 && time.ends_with('Z'), "{time}");
}

#[tokio::test]
async fn every_shape_and_media_type_is_taken() {
    let one = json!({"message": "a"}).to_string();
    let cases = [
        ("application/json", one.clone(), 1),
        (
            "application/json; charset=utf-8",
            format!("[{one},{one}]"),
            2,
        ),
        (
            "application/json",
            json!({"sent_at": "2026-01-01T00:00:00Z", "entries": [{"message": "a"}]}).to_string(),
            1,
        ),
        ("application/x-ndjson", format!("{one}\n{one}\n{one}\n"), 3),
        ("text/plain;charset=UTF-8", format!("{one}\n{one}"), 2),
        ("text/plain", format!("[{one}]"), 1),
        ("application/json", "[]".into(), 0),
    ];
    for (kind, text, count) in cases {
        let log = capture();
        let response = send(&app(), post(kind, text.clone())).await;
        assert_eq!(response.status(), StatusCode::ACCEPTED, "{kind} {text}");
        assert_eq!(body(&response)["accepted"], count, "{kind} {text}");
        assert_eq!(lines(&log).len(), count);
    }
}

#[tokio::test]
async fn what_is_good_in_a_bad_batch_is_kept_and_the_rest_is_named() {
    let log = capture();
    let batch = json!([
        {"message": "good"},
        {"level": "INFO"},
        {"message": "x", "event_type": "crash_detected"},
        {"message": "x", "level": "LOUD"},
        {"message": 7},
        "no object",
        {"message": "x", "context": []},
        {"message": "x", "event_type": "Bad Name"},
        {"message": "good too", "event_type": "shop.checkout"},
        {"message": "good as well", "event_type": "workflow_step"},
    ]);
    let response = send_json(&batch).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let answer = body(&response);
    assert_eq!(answer["accepted"], 3);
    let rejected = answer["rejected"].as_array().expect("a list");
    let indices: Vec<_> = rejected
        .iter()
        .map(|entry| entry["index"].as_u64())
        .collect();
    assert_eq!(indices, [1, 2, 3, 4, 5, 6, 7].map(Some));
    assert!(
        rejected[1]["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("belongs to the server"))
    );
    assert_eq!(lines(&log).len(), 3);
    let loss = &log.of("log_loss")[0];
    assert_eq!(
        (
            loss["extra"]["count"].as_u64(),
            loss["extra"]["reason"].as_str()
        ),
        (Some(7), Some("frontend_rejected"))
    );
}

#[tokio::test]
async fn a_batch_without_a_good_entry_is_a_problem_that_says_why() {
    let response = send_json(&json!([{"level": "INFO"}])).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let problem = body(&response);
    assert_eq!(problem["code"], "OT0214");
    assert_eq!(
        problem["errors"][0],
        json!({"index": 0, "reason": "message is missing"})
    );
    for (kind, text, status) in [
        ("application/json", "nonsense", 400),
        ("application/xml", "<a/>", 415),
        ("application/json", "", 400),
    ] {
        let response = send(&app(), post(kind, text)).await;
        assert_eq!(response.status(), status, "{text}");
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
    }
}

#[tokio::test]
async fn strangers_cannot_forge_what_the_server_says() {
    let log = capture();
    let mut entry = entry();
    entry["service"] = json!({"name": "bank"});
    entry["source"] = json!("backend");
    entry["level"] = json!("fatal");
    entry["message"] = json!("line\nbreak\r\u{1b}[31m {\"level\":\"ERROR\"}");
    entry["extra"]["received_at"] = json!("1970-01-01T00:00:00Z");
    entry["extra"]["identity"] = json!("verified");
    entry["context"]["request_id"] = json!("a b\n");
    entry["unknown"] = json!({"kept": true});
    send_json(&entry).await;
    let raw = &log.sink.lines()[1].1;
    assert!(
        !raw.contains('\n') && !raw.contains('\r') && !raw.contains('\u{1b}'),
        "{raw}"
    );
    let line = &lines(&log)[0];
    assert_ne!(line["service"]["name"], "bank");
    assert_eq!(line["source"], "frontend");
    assert_eq!(line["level"], "ERROR");
    assert_ne!(line["extra"]["received_at"], "1970-01-01T00:00:00Z");
    assert_eq!(line["extra"]["identity"], "claimed");
    assert_eq!(line["context"].get("request_id"), None);
    assert_eq!(
        line["extra"]["unknown"]["kept"], true,
        "unknown fields are kept"
    );
}

#[tokio::test]
async fn keys_never_repeat() {
    let log = capture();
    let text =
        r#"{"message":"a","message":"b","level":"INFO","level":"WARN","extra":{"x":1,"x":2}}"#;
    send(&app(), post("application/json", text)).await;
    let raw = log
        .sink
        .lines()
        .into_iter()
        .find(|(stream, _)| *stream == Stream::Frontend)
        .expect("a line")
        .1;
    assert_eq!(
        (
            raw.matches("\"message\"").count(),
            raw.matches("\"level\"").count(),
            raw.matches("\"x\"").count()
        ),
        (1, 1, 1)
    );
}

#[tokio::test]
async fn a_wrong_clock_is_measured_and_corrected() {
    let log = capture();
    let hour = jiff::SignedDuration::from_hours(1);
    let ahead = jiff::Timestamp::now() + hour;
    let batch = json!({"sent_at": ahead.to_string(), "entries": [{"message": "a", "timestamp": ahead.to_string()}]});
    send_json(&batch).await;
    let line = &lines(&log)[0];
    let skew = line["extra"]["clock_skew_ms"].as_i64().expect("a number");
    assert!((-3_605_000..=-3_595_000).contains(&skew), "{skew}");
    let at: jiff::Timestamp = line["timestamp"]
        .as_str()
        .expect("text")
        .parse()
        .expect("a time");
    assert!(at <= jiff::Timestamp::now());
    assert_eq!(line["extra"]["client_timestamp"], ahead.to_string());
}

#[tokio::test]
async fn limits_answer_413_and_429() {
    let app = |logs: FrontendLogs| -> Router { Router::new().merge(logs.router()) };
    let batch = |n: usize| Value::Array(vec![json!({"message": "a"}); n]).to_string();
    let small = app(FrontendLogs::new().max_body(100));
    let response = send(&small, post("application/json", batch(50))).await;
    assert_eq!(
        (response.status().as_u16(), body(&response)["code"].as_str()),
        (413, Some("OT0215"))
    );
    let few = app(FrontendLogs::new().max_entries(3));
    assert_eq!(
        send(&few, post("application/json", batch(4)))
            .await
            .status(),
        413
    );
    let big = app(FrontendLogs::new().max_entry(300));
    let response = send(
        &big,
        post(
            "application/json",
            json!({"message": "x".repeat(400)}).to_string(),
        ),
    )
    .await;
    assert_eq!(response.status(), 400);
    let slow = app(FrontendLogs::new().per_second(NonZeroU32::MIN));
    assert_eq!(
        send(&slow, post("application/json", batch(400)))
            .await
            .status(),
        202
    );
    let response = send(&slow, post("application/json", batch(40))).await;
    assert_eq!(response.status(), 429);
    assert!(response.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn the_rate_is_limited_by_address_and_by_session() {
    let _log = capture();
    let app: Router = Router::new().merge(FrontendLogs::new().per_second(NonZeroU32::MIN).router());
    let batch = |session: &str, count: usize| {
        let entry = json!({"message": "a", "context": {"session_id": session}});
        Value::Array(vec![entry; count]).to_string()
    };
    for (address, session, count, status) in [
        // All that a sender may save up.
        ("203.0.113.1:1", "s-1", 400, 202),
        ("203.0.113.1:2", "s-2", 40, 429),
        ("203.0.113.2:1", "s-1", 40, 429),
        ("203.0.113.3:1", "s-3", 40, 202),
    ] {
        let mut request = post("application/json", batch(session, count));
        let peer: std::net::SocketAddr = address.parse().expect("an address");
        request
            .extensions_mut()
            .insert(axum::extract::ConnectInfo(peer));
        let response = send(&app, request).await;
        assert_eq!(response.status(), status, "{address} {session}");
    }
}

#[tokio::test]
async fn only_allowed_origins_may_send() {
    let app: Router = Router::new().merge(
        FrontendLogs::new()
            .allow_origin("https://shop.example")
            .router(),
    );
    for (origin, status, echoed) in [
        (None, 202, None),
        (Some("https://api.example"), 202, None),
        (
            Some("https://shop.example"),
            202,
            Some("https://shop.example"),
        ),
        (Some("https://evil.example"), 403, None),
        (Some("null"), 403, None),
    ] {
        let mut request = post("text/plain", r#"{"message":"a"}"#);
        request
            .headers_mut()
            .insert("host", "api.example".parse().expect("value"));
        if let Some(origin) = origin {
            request
                .headers_mut()
                .insert("origin", origin.parse().expect("value"));
        }
        let response = send(&app, request).await;
        assert_eq!(response.status(), status, "{origin:?}");
        let allowed = response
            .headers()
            .get("access-control-allow-origin")
            .map(|value| value.to_str().expect("text"));
        assert_eq!(allowed, echoed, "{origin:?}");
    }
    let preflight = Request::options("/api/logs/frontend").header("origin", "https://shop.example");
    let response = send(&app, preflight.body(Body::empty()).expect("a request")).await;
    assert_eq!(response.status(), 204);
    assert_eq!(response.headers()["access-control-allow-methods"], "POST");
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,20}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let names = prop_oneof![
                Just("message".to_owned()),
                Just("level".to_owned()),
                Just("timestamp".to_owned()),
                Just("context".to_owned()),
                Just("extra".to_owned()),
                Just("event_type".to_owned()),
                "\\PC{0,8}",
            ];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec((names, inner), 0..6)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_sent_each_line_is_one_sound_line(values in proptest::collection::vec(value(), 0..5)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let log = capture();
            let response = runtime.block_on(send(&app(), post("application/json", Value::from(values).to_string())));
            prop_assert!(matches!(response.status().as_u16(), 202 | 400));
            for (stream, line) in log.sink.lines() {
                prop_assert!(!line.contains('\n'));
                let line: Value = serde_json::from_str(&line).expect("JSON");
                if stream == Stream::Frontend {
                    prop_assert!(line["timestamp"].is_string() && line["message"].is_string());
                    prop_assert_eq!(&line["source"], "frontend");
                }
            }
        }
    }
}
