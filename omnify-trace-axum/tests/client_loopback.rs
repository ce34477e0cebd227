//! Calls that really go out, to a server on loopback: through a tower client and through reqwest.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects"
)]

mod support;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use http::{HeaderMap, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use omnify_trace::CorrelationContext;
use omnify_trace::propagation::extract;
use omnify_trace_axum::client::{ApiCall, CallLayer, ClientLayer, ClientOptions};
use serde_json::Value;
use support::{Captured, capture};
use tower::{Service, ServiceBuilder, ServiceExt};

/// A service that is busy so many times, and remembers the headers of every call.
#[derive(Clone, Default)]
struct Busy {
    times: usize,
    calls: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Busy {
    async fn start(times: usize) -> (Self, SocketAddr) {
        let busy = Self {
            times,
            ..Self::default()
        };
        let app = Router::new().fallback(answer).with_state(busy.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async { axum::serve(listener, app).await });
        (busy, address)
    }

    fn calls(&self) -> Vec<HeaderMap> {
        self.calls.lock().expect("lock").clone()
    }
}

async fn answer(State(busy): State<Busy>, request: Request) -> StatusCode {
    let mut calls = busy.calls.lock().expect("lock");
    calls.push(request.headers().clone());
    if calls.len() > busy.times {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

/// The span of a request with an id, a trace and baggage, as an inbound layer would have made it.
fn inbound() -> tracing::Span {
    CorrelationContext::builder()
        .request_id(omnify_trace::context::RequestId::new("req-1").ok())
        .baggage("tier", "gold")
        .build()
        .span("request")
}

/// Checks what one call, tried three times, left in the log and on the wire.
fn assert_three_attempts(log: &Captured, calls: &[HeaderMap], address: SocketAddr) {
    let events = log.of("external_api_call");
    assert_eq!((events.len(), calls.len()), (3, 3));
    let host = address.to_string();
    let call_id = events[0]["extra"]["call_id"].as_str().expect("a call id");
    let mut spans = Vec::new();
    for (index, (event, headers)) in events.iter().zip(calls).enumerate() {
        let extra = &event["extra"];
        assert_eq!(extra["api"], "crm");
        assert_eq!(extra["host"], host.as_str());
        assert_eq!(extra["method"], "GET");
        assert_eq!(extra["route"], "/contacts/{id}");
        assert_eq!(extra["attempt"], index + 1);
        assert_eq!(extra["call_id"], call_id);
        assert_eq!(extra["status_code"], if index < 2 { 503 } else { 200 });
        assert!(extra["duration_ms"].as_f64() > Some(0.0), "{extra}");
        let error = (index < 2).then_some("HTTP 503");
        assert_eq!(extra.get("error").and_then(Value::as_str), error);
        // What the other side saw names this attempt as the parent.
        let extraction = extract(headers);
        let remote = extraction.trace.remote().expect("a trace");
        let span = remote.parent_span_id.expect("a span");
        assert_eq!(event["context"]["span_id"], format!("{span:016x}"));
        assert_eq!(
            event["context"]["trace_id"],
            format!("{:032x}", remote.trace_id)
        );
        assert_eq!(extraction.request_id.valid(), Some("req-1"));
        assert_eq!(
            headers.get("baggage"),
            None,
            "baggage goes to allowed hosts only"
        );
        spans.push(span);
    }
    spans.sort_unstable();
    spans.dedup();
    assert_eq!(spans.len(), 3, "each attempt has a span of its own");
}

/// Tries again whatever was busy.
#[derive(Clone)]
struct Retry;

impl<B, E> tower::retry::Policy<Request<Body>, http::Response<B>, E> for Retry {
    type Future = std::future::Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<Body>,
        result: &mut Result<http::Response<B>, E>,
    ) -> Option<Self::Future> {
        let busy = |response: &http::Response<_>| response.status() == 503;
        result
            .as_ref()
            .is_ok_and(busy)
            .then(|| std::future::ready(()))
    }

    fn clone_request(&mut self, request: &Request<Body>) -> Option<Request<Body>> {
        let mut copy = Request::get(request.uri().clone())
            .body(Body::empty())
            .ok()?;
        *copy.extensions_mut() = request.extensions().clone();
        Some(copy)
    }
}

#[tokio::test]
async fn attempts_through_a_tower_client_are_those_of_one_call() {
    let log = capture();
    let (busy, address) = Busy::start(2).await;
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let mut client = ServiceBuilder::new()
        .layer(CallLayer)
        .retry(Retry)
        .layer(ClientLayer::new())
        .service(client);
    let mut request = support::get(&format!("http://{address}/contacts/4711"));
    request
        .extensions_mut()
        .insert(ApiCall::new("crm", "/contacts/{id}"));
    let sent = async {
        let client = client.ready().await.expect("ready");
        client.call(request).await.expect("an answer")
    };
    let response = tracing::Instrument::instrument(sent, inbound()).await;
    assert_eq!(response.status(), 200);
    assert_three_attempts(&log, &busy.calls(), address);
}

#[tokio::test]
async fn baggage_goes_over_the_wire_to_a_host_that_may_have_it() {
    let _log = capture();
    let (busy, address) = Busy::start(0).await;
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let options = ClientOptions::new().baggage_to("127.0.0.1");
    let client = ServiceBuilder::new()
        .layer(ClientLayer::new().options(options))
        .service(client);
    let call = client.oneshot(support::get(&format!("http://{address}/")));
    tracing::Instrument::instrument(call, inbound())
        .await
        .expect("an answer");
    assert_eq!(busy.calls()[0]["baggage"], "tier=gold");
}

#[tokio::test]
async fn a_call_that_reaches_nobody_is_logged_with_its_reason() {
    let log = capture();
    // A port that was free a moment ago.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let client = ServiceBuilder::new()
        .layer(ClientLayer::new())
        .service(client);
    let call = client.oneshot(support::get(&format!("http://{address}/x?token=s3cret")));
    assert!(call.await.is_err());
    let event = &log.of("external_api_call")[0];
    assert_eq!(event["level"], "ERROR");
    assert_eq!(event["extra"].get("status_code"), None);
    assert!(event["extra"]["error"].is_string(), "{event}");
    assert!(!event.to_string().contains("s3cret"));
}

#[cfg(feature = "reqwest")]
mod with_reqwest {
    use super::*;
    use http::Extensions;
    use omnify_trace_axum::client::ClientMiddleware;
    use reqwest_middleware::{ClientBuilder, Middleware, Next, Result};

    fn client() -> reqwest::Client {
        let _ = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::new()
    }

    /// Tries again whatever was busy.
    struct Again;

    #[async_trait::async_trait]
    impl Middleware for Again {
        async fn handle(
            &self,
            request: reqwest::Request,
            extensions: &mut Extensions,
            next: Next<'_>,
        ) -> Result<reqwest::Response> {
            loop {
                let copy = request.try_clone().expect("a body that can be sent again");
                let response = next.clone().run(copy, extensions).await?;
                if response.status() != 503 {
                    return Ok(response);
                }
            }
        }
    }

    #[tokio::test]
    async fn attempts_through_reqwest_are_those_of_one_call() {
        let log = capture();
        let (busy, address) = Busy::start(2).await;
        let client = ClientBuilder::new(client())
            .with(Again)
            .with(ClientMiddleware::new())
            .build();
        let call = client
            .get(format!("http://{address}/contacts/4711"))
            .with_extension(ApiCall::new("crm", "/contacts/{id}"));
        let response = tracing::Instrument::instrument(call.send(), inbound())
            .await
            .expect("an answer");
        assert_eq!(response.status(), 200);
        assert_three_attempts(&log, &busy.calls(), address);
    }

    #[tokio::test]
    async fn reqwests_errors_are_logged_without_the_address_that_may_hold_secrets() {
        let log = capture();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        let client = ClientBuilder::new(client())
            .with(ClientMiddleware::new())
            .build();
        let call = client
            .get(format!("http://{address}/x?token=s3cret"))
            .send();
        let error = call.await.expect_err("nobody listens");
        assert!(
            error.to_string().contains("s3cret"),
            "else this test proves nothing"
        );
        let event = &log.of("external_api_call")[0];
        let text = event["extra"]["error"].as_str().expect("a reason");
        assert!(
            text.contains("error sending request") && !text.contains("s3cret"),
            "{text}"
        );
        assert!(!event.to_string().contains("s3cret"), "{event}");
    }

    #[tokio::test]
    async fn baggage_goes_through_reqwest_to_a_host_that_may_have_it() {
        let _log = capture();
        let (busy, address) = Busy::start(0).await;
        let options = ClientOptions::new().baggage_to("127.0.0.1");
        let client = ClientBuilder::new(client())
            .with(ClientMiddleware::new().options(options))
            .build();
        let call = client.get(format!("http://{address}/"));
        tracing::Instrument::instrument(call.send(), inbound())
            .await
            .expect("an answer");
        assert_eq!(busy.calls()[0]["baggage"], "tier=gold");
    }
}
