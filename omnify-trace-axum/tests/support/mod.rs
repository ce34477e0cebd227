//! A scoped subscriber, and requests without a socket.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::expect_used, reason = "a test says what it expects")]

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use http_body_util::BodyExt;
use omnify_trace::layer::{JsonLayer, MemorySink};
use serde_json::Value;
use tower::ServiceExt;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt;

/// The lines of this thread, until dropped.
pub(crate) struct Captured {
    pub(crate) sink: MemorySink,
    _guard: DefaultGuard,
}

pub(crate) fn capture() -> Captured {
    let sink = MemorySink::new();
    let subscriber = tracing_subscriber::registry().with(JsonLayer::new(sink.clone()));
    Captured {
        sink,
        _guard: tracing::subscriber::set_default(subscriber),
    }
}

impl Captured {
    /// The events of this type, in order.
    pub(crate) fn of(&self, event_type: &str) -> Vec<Value> {
        self.sink
            .events()
            .into_iter()
            .filter(|event| event["event_type"] == event_type)
            .collect()
    }

    /// The types of all request events, in order.
    pub(crate) fn request_events(&self) -> Vec<String> {
        let types = self.sink.events();
        let types = types
            .iter()
            .filter_map(|event| event["event_type"].as_str());
        types
            .filter(|name| name.starts_with("request_"))
            .map(str::to_owned)
            .collect()
    }

    /// The one end of the one request.
    pub(crate) fn end(&self) -> Value {
        let events = self.sink.events();
        let mut ends = events.into_iter().filter(|event| {
            matches!(
                event["event_type"].as_str(),
                Some("request_complete" | "request_error" | "request_cancelled")
            )
        });
        let end = ends.next().expect("no end of a request");
        assert!(ends.next().is_none(), "more than one end");
        end
    }
}

pub(crate) fn get(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::empty()).expect("a request")
}

/// Sends a request and reads the whole answer.
pub(crate) async fn send(app: &Router, request: Request<Body>) -> Response<String> {
    let response = app.clone().oneshot(request).await.expect("infallible");
    let (parts, body) = response.into_parts();
    let bytes = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    Response::from_parts(parts, String::from_utf8_lossy(&bytes).into_owned())
}
