//! What a request leaves in the log, whatever becomes of it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects"
)]

mod support;

use axum::Router;
use axum::body::Body;
use axum::routing::{any, get};
use bytes::Bytes;
use futures_util::stream;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use omnify_trace::CorrelationContext;
use omnify_trace_axum::classify::Outcome;
use omnify_trace_axum::tracing::{End, Start};
use omnify_trace_axum::{TracingLayer, TrustedProxies};
use support::{capture, get as request, send};
use tower::ServiceExt;

fn app() -> Router {
    Router::new()
        .route("/hello/{name}", get(|| async { "hello" }))
        .route(
            "/ids",
            get(|| async { format!("{:?}", CorrelationContext::current()) }),
        )
        .route("/fail", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route("/empty", get(|| async { StatusCode::NO_CONTENT }))
        .route(
            "/panic",
            get(|| async {
                if true {
                    panic!("out of cheese")
                }
            }),
        )
        .route("/healthz", get(|| async { "ok" }))
        .route("/hang", get(std::future::pending::<()>))
        .route("/chunks", get(|| async { Body::from_stream(chunks(3)) }))
        .route(
            "/broken",
            get(|| async {
                Body::from_stream(stream::iter([
                    Ok(Bytes::from("a")),
                    Err(std::io::Error::other("disk gone")),
                ]))
            }),
        )
        .route(
            "/events",
            get(|| async {
                (
                    [("content-type", "text/event-stream")],
                    Body::from_stream(chunks(1000)),
                )
            }),
        )
        .route(
            "/upgrade",
            any(|| async { StatusCode::SWITCHING_PROTOCOLS }),
        )
        .layer(TracingLayer::new())
}

fn chunks(
    count: usize,
) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    stream::iter((0..count).map(|_| Ok(Bytes::from_static(b"data: 0123\n\n"))))
}

#[tokio::test]
async fn a_request_has_a_start_and_an_end_with_one_span() {
    let log = capture();
    let response = send(&app(), request("/hello/jo?page=2&token=s3cret")).await;
    assert_eq!(response.body(), "hello");
    assert_eq!(log.request_events(), ["request_start", "request_complete"]);
    let (start, end) = (&log.of("request_start")[0], log.end());
    assert_eq!(start["extra"]["method"], "GET");
    assert_eq!(start["extra"]["route"], "/hello/{name}");
    assert_eq!(start["extra"]["path"], "/hello/jo");
    assert_eq!(start["extra"]["query"], "page=2&token=REDACTED");
    assert_eq!(end["extra"]["status_code"], 200);
    assert_eq!(end["extra"]["response_bytes"], 5);
    assert!(end["extra"]["duration_ms"].as_f64() >= end["extra"]["ttfb_ms"].as_f64());
    assert_eq!(start["context"], end["context"]);
    let id = response.headers()["x-request-id"].to_str().expect("text");
    assert_eq!(end["context"]["request_id"], id);
    assert_eq!(end["context"]["trace_id"].as_str().map(str::len), Some(32));
    assert_eq!(end["context"].get("parent_span_id"), None);
}

#[tokio::test]
async fn the_callers_ids_are_kept_and_inside_they_are_the_current_context() {
    let log = capture();
    let mut call = request("/ids");
    let headers = call.headers_mut();
    headers.insert("x-request-id", "caller-1".parse().expect("value"));
    headers.insert(
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            .parse()
            .expect("value"),
    );
    let response = send(&app(), call).await;
    assert_eq!(response.headers()["x-request-id"], "caller-1");
    let end = log.end();
    assert_eq!(
        end["context"]["trace_id"],
        "0af7651916cd43dd8448eb211c80319c"
    );
    assert_eq!(end["context"]["parent_span_id"], "b7ad6b7169203331");
    assert_eq!(end["context"]["request_id"], "caller-1");
    let span = end["context"]["span_id"]
        .as_str()
        .expect("a span of its own");
    assert_ne!(span, "b7ad6b7169203331");
    assert!(response.body().contains(span), "{}", response.body());
}

#[tokio::test]
async fn a_dangerous_request_id_is_replaced() {
    let log = capture();
    let mut call = request("/ids");
    call.headers_mut()
        .insert("x-request-id", "a b<script>".parse().expect("value"));
    let response = send(&app(), call).await;
    let id = response.headers()["x-request-id"].to_str().expect("text");
    assert_eq!(id.len(), 36, "{id}");
    assert_eq!(log.end()["context"]["request_id"], id);
}

#[tokio::test]
async fn a_broken_traceparent_begins_a_new_trace() {
    let log = capture();
    let mut call = request("/ids");
    call.headers_mut()
        .insert("traceparent", "00-xyz".parse().expect("value"));
    send(&app(), call).await;
    let context = &log.end()["context"];
    assert_eq!(context["trace_id"].as_str().map(str::len), Some(32));
    assert_eq!(context.get("parent_span_id"), None);
}

#[tokio::test]
async fn failures_are_errors_and_client_errors_are_warnings() {
    let log = capture();
    send(&app(), request("/fail")).await;
    let end = log.end();
    assert_eq!(
        (end["event_type"].as_str(), end["level"].as_str()),
        (Some("request_error"), Some("ERROR"))
    );
    log.sink.clear();
    let app = app()
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(TracingLayer::new());
    send(&app, request("/nowhere")).await;
    let end = log.end();
    assert_eq!(
        (end["event_type"].as_str(), end["level"].as_str()),
        (Some("request_complete"), Some("WARN"))
    );
    assert_eq!(
        end["extra"].get("route"),
        None,
        "the raw path is never a route"
    );
}

#[tokio::test]
async fn a_panic_is_answered_with_a_problem_that_names_the_request() {
    let log = capture();
    let response = send(&app(), request("/panic")).await;
    assert_eq!(response.status(), 500);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let problem: serde_json::Value = serde_json::from_str(response.body()).expect("JSON");
    let end = log.end();
    assert_eq!(problem["request_id"], end["context"]["request_id"]);
    assert_eq!(problem["trace_id"], end["context"]["trace_id"]);
    assert_eq!(problem["code"], "OT0201");
    assert!(
        !response.body().contains("cheese"),
        "what went wrong is not for the client"
    );
    assert_eq!(end["event_type"], "request_error");
    assert_eq!(end["extra"]["error"], "panic: out of cheese");
}

#[tokio::test]
async fn a_client_that_leaves_before_the_head_has_cancelled() {
    let log = capture();
    let future = app().oneshot(request("/hang"));
    let waited = tokio::time::timeout(std::time::Duration::from_millis(1), future).await;
    assert!(waited.is_err());
    assert_eq!(log.request_events(), ["request_start", "request_cancelled"]);
}

#[tokio::test]
async fn a_client_that_leaves_within_the_body_has_cancelled() {
    let log = capture();
    let response = app().oneshot(request("/chunks")).await.expect("infallible");
    let mut body = response.into_body();
    assert!(body.frame().await.is_some());
    assert_eq!(log.request_events(), ["request_start"]);
    drop(body);
    let end = log.end();
    assert_eq!(end["event_type"], "request_cancelled");
    assert_eq!(end["extra"]["response_bytes"], 12);
}

#[tokio::test]
async fn a_streamed_body_ends_when_it_is_sent() {
    let log = capture();
    send(&app(), request("/chunks")).await;
    assert_eq!(log.end()["extra"]["response_bytes"], 36);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error() {
    let log = capture();
    send(&app(), request("/broken")).await;
    let end = log.end();
    assert_eq!(end["event_type"], "request_error");
    assert_eq!(end["extra"]["error"], "disk gone");
}

#[tokio::test]
async fn leaving_is_how_server_sent_events_end() {
    let log = capture();
    let mut body = app()
        .oneshot(request("/events"))
        .await
        .expect("infallible")
        .into_body();
    assert!(body.frame().await.is_some());
    drop(body);
    let end = log.end();
    assert_eq!(
        (end["event_type"].as_str(), end["extra"]["stream"].as_str()),
        (Some("request_complete"), Some("event_stream"))
    );
}

#[tokio::test]
async fn answers_whose_body_nobody_polls_end_with_their_head() {
    for (method, uri) in [("HEAD", "/chunks"), ("GET", "/empty"), ("GET", "/upgrade")] {
        let log = capture();
        let call = Request::builder()
            .method(method)
            .uri(uri)
            .body(Body::empty())
            .expect("a request");
        let response = app().oneshot(call).await.expect("infallible");
        assert_eq!(
            log.request_events(),
            ["request_start", "request_complete"],
            "{method} {uri}"
        );
        drop(response);
        log.end();
    }
}

#[tokio::test]
async fn health_checks_are_quiet_until_they_fail() {
    let log = capture();
    send(&app(), request("/healthz")).await;
    assert_eq!(log.end()["level"], "DEBUG");
    log.sink.clear();
    let failing = Router::new()
        .route(
            "/healthz",
            get(|| async { StatusCode::SERVICE_UNAVAILABLE }),
        )
        .layer(TracingLayer::new());
    send(&failing, request("/healthz")).await;
    assert_eq!(log.end()["level"], "ERROR");
}

#[tokio::test]
async fn the_clients_address_comes_through_trusted_proxies_only() {
    let log = capture();
    let app = Router::new()
        .route("/", get(|| async {}))
        .layer(TracingLayer::new().trusted_proxies(TrustedProxies::private()));
    for (peer, expected) in [("10.0.0.1:1", "9.9.9.9"), ("8.8.8.8:1", "8.8.8.8")] {
        let mut call = request("/");
        call.headers_mut()
            .insert("x-forwarded-for", "9.9.9.9".parse().expect("value"));
        let peer: std::net::SocketAddr = peer.parse().expect("an address");
        call.extensions_mut()
            .insert(axum::extract::ConnectInfo(peer));
        send(&app, call).await;
        assert_eq!(
            log.of("request_start")[0]["extra"]["client_address"],
            expected
        );
        log.sink.clear();
    }
}

#[tokio::test]
async fn hooks_and_classifier_can_be_replaced_or_left_out() {
    let log = capture();
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let (starts, ends) = (seen.clone(), seen.clone());
    let app = Router::new()
        .route("/{x}", get(|| async { StatusCode::IM_A_TEAPOT }))
        .layer(
            TracingLayer::new()
                .classify(|status: StatusCode, _: &http::HeaderMap| {
                    if status == 418 {
                        Outcome::Failure
                    } else {
                        Outcome::Success
                    }
                })
                .on_request(move |start: &Start<'_>| {
                    starts
                        .lock()
                        .expect("lock")
                        .push(format!("{:?}", start.route));
                })
                .on_end(move |end: &End<'_>| {
                    ends.lock()
                        .expect("lock")
                        .push(format!("{:?}", end.outcome));
                }),
        );
    send(&app, request("/a")).await;
    assert_eq!(*seen.lock().expect("lock"), ["Some(\"/{x}\")", "Failure"]);
    assert!(log.sink.events().is_empty());
    let silent = Router::new()
        .route("/", get(|| async {}))
        .layer(TracingLayer::new().on_request(()).on_end(()));
    send(&silent, request("/")).await;
    assert!(log.sink.events().is_empty());
}

#[tokio::test]
async fn the_session_comes_from_header_baggage_or_the_cookie_that_was_named() {
    let log = capture();
    let app = |layer: TracingLayer| {
        Router::new()
            .route("/", get(|| async { tracing::info!("inside") }))
            .layer(layer)
    };
    let cookie = ("cookie", "sid=secret; browser_session=\"c-1\"");
    for (headers, layer, expected) in [
        (
            &[("x-session-id", "s-1")][..],
            TracingLayer::new(),
            Some("s-1"),
        ),
        (
            &[("baggage", "session.id=s-2")][..],
            TracingLayer::new(),
            Some("s-2"),
        ),
        (&[cookie][..], TracingLayer::new(), None),
        (
            &[cookie][..],
            TracingLayer::new().session_cookie("browser_session"),
            Some("c-1"),
        ),
        (
            &[cookie, ("x-session-id", "s-1")][..],
            TracingLayer::new().session_cookie("browser_session"),
            Some("s-1"),
        ),
        (
            &[("x-session-id", "<script>")][..],
            TracingLayer::new(),
            None,
        ),
    ] {
        let mut call = request("/");
        for (name, value) in headers {
            call.headers_mut()
                .insert(*name, value.parse().expect("value"));
        }
        send(&app(layer), call).await;
        let events = log.sink.events();
        assert_eq!(events.len(), 3);
        for event in events {
            assert_eq!(
                event["context"]
                    .get("session_id")
                    .and_then(|id| id.as_str()),
                expected,
                "{headers:?}"
            );
            assert!(!event.to_string().contains("secret"));
        }
        log.sink.clear();
    }
}

#[tokio::test]
async fn every_recorded_field_was_declared() {
    let log = capture();
    let app = Router::new()
        .route(
            "/",
            get(|| async {
                let span = tracing::Span::current();
                span.record("user_id", "u-1");
                span.record("organization_id", "o-1");
            }),
        )
        .layer(TracingLayer::new());
    send(&app, request("/")).await;
    assert_eq!(log.end()["context"]["user_id"], "u-1");
    assert_eq!(log.end()["context"]["organization_id"], "o-1");
}

#[tokio::test]
async fn a_request_of_a_pages_run_belongs_to_that_run() {
    let log = capture();
    for (baggage, run, workflow) in [
        (
            "omnify.run_id=0199-aa,omnify.workflow_id=client%2Donboarding,tier=gold",
            Some("0199-aa"),
            Some("client-onboarding"),
        ),
        ("omnify.run_id=not%20an%20id%0A,tier=gold", None, None),
    ] {
        let mut call = request("/hello/jo");
        call.headers_mut()
            .insert("baggage", baggage.parse().expect("value"));
        send(&app(), call).await;
        let events = log.of("request_complete");
        let context = &events.last().expect("the end")["context"];
        assert_eq!(context["run_id"].as_str(), run, "{baggage}");
        assert_eq!(context["workflow_id"].as_str(), workflow, "{baggage}");
    }
}
