//! Calls that go out: followed, numbered, and known to the other side.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects"
)]

mod support;

use std::convert::Infallible;

use axum::body::Body;
use http::{Request, Response, StatusCode};
use omnify_trace::propagation::extract;
use omnify_trace_axum::client::{ApiCall, Call, ClientLayer, ClientOptions};
use serde_json::Value;
use support::{Captured, capture};
use tower::{Layer, Service, ServiceExt, service_fn};

fn call_events(log: &Captured) -> Vec<Value> {
    log.of("external_api_call")
}

fn request(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::empty()).expect("a request")
}

/// A service that answers with the headers it got.
fn echo(
    status: StatusCode,
) -> impl Service<Request<Body>, Response = Response<http::HeaderMap>, Error = Infallible> + Clone {
    service_fn(move |request: Request<Body>| async move {
        let mut response = Response::new(request.headers().clone());
        *response.status_mut() = status;
        Ok::<_, Infallible>(response)
    })
}

#[tokio::test]
async fn a_call_carries_its_own_span_and_is_logged() {
    let log = capture();
    let span = tracing::info_span!(
        "request",
        request_id = "req-1",
        trace_id = "0af7651916cd43dd8448eb211c80319c"
    );
    let _entered = span.enter();
    let service = ClientLayer::new()
        .options(ClientOptions::new().api("crm.example", "crm"))
        .layer(echo(StatusCode::OK));
    let response = service
        .oneshot(request("http://crm.example:81/contacts/4711"))
        .await
        .expect("infallible");
    let extraction = extract(response.body());
    let remote = extraction.trace.remote().expect("a trace");
    assert_eq!(
        format!("{:032x}", remote.trace_id),
        "0af7651916cd43dd8448eb211c80319c"
    );
    assert_eq!(extraction.request_id.valid(), Some("req-1"));
    let event = &call_events(&log)[0];
    assert_eq!(
        event["context"]["span_id"],
        format!("{:016x}", remote.parent_span_id.expect("a span"))
    );
    let extra = &event["extra"];
    assert_eq!(extra["api"], "crm");
    assert_eq!(extra["host"], "crm.example:81");
    assert_eq!(extra["method"], "GET");
    assert_eq!(extra["route"], "/contacts/{id}");
    assert_eq!(extra["status_code"], 200);
    assert_eq!(extra["attempt"], 1);
    assert!(extra["duration_ms"].is_number());
}

#[tokio::test]
async fn attempts_of_one_call_are_numbered_and_have_spans_of_their_own() {
    let log = capture();
    let service = ClientLayer::new().layer(echo(StatusCode::SERVICE_UNAVAILABLE));
    let mut spans = Vec::new();
    let one = Call::new();
    for _ in 0..3 {
        let mut request = request("http://crm.example/x");
        request.extensions_mut().insert(ApiCall::new("crm", "/x"));
        request.extensions_mut().insert(one.clone());
        let response = service.clone().oneshot(request).await.expect("infallible");
        spans.push(
            extract(response.body())
                .trace
                .remote()
                .and_then(|remote| remote.parent_span_id),
        );
    }
    spans.dedup();
    assert_eq!(spans.len(), 3);
    let events = call_events(&log);
    let attempts: Vec<_> = events
        .iter()
        .map(|event| event["extra"]["attempt"].as_u64())
        .collect();
    assert_eq!(attempts, [Some(1), Some(2), Some(3)]);
    assert!(
        events
            .iter()
            .all(|event| event["extra"]["error"] == "HTTP 503"),
        "{events:?}"
    );
}

#[tokio::test]
async fn a_call_that_is_given_up_is_logged_once() {
    let log = capture();
    let hang =
        service_fn(|_: Request<Body>| std::future::pending::<Result<Response<()>, Infallible>>());
    let future = ClientLayer::new()
        .layer(hang)
        .oneshot(request("http://crm.example/x"));
    assert!(
        tokio::time::timeout(std::time::Duration::from_millis(1), future)
            .await
            .is_err()
    );
    assert_eq!(call_events(&log).len(), 1);
}

#[tokio::test]
async fn baggage_stays_at_home_unless_the_host_may_have_it() {
    let _log = capture();
    let context = omnify_trace::CorrelationContext::builder()
        .baggage("tier", "gold")
        .build();
    let span = context.span("request");
    let _entered = span.enter();
    let layer = ClientLayer::new().options(ClientOptions::new().baggage_to("billing.internal"));
    for (uri, expected) in [
        ("http://billing.internal/x", Some("tier=gold")),
        ("http://api.example/x", None),
    ] {
        let response = layer
            .layer(echo(StatusCode::OK))
            .oneshot(request(uri))
            .await
            .expect("infallible");
        let baggage = response
            .body()
            .get("baggage")
            .map(|value| value.to_str().expect("text"));
        assert_eq!(baggage, expected, "{uri}");
    }
}
