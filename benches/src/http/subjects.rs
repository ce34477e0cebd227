//! The services that are compared.

use std::hint::black_box;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::{Router, body::Body, routing::get};
use http::Request;
use http_body_util::BodyExt as _;
use omnify_trace::layer::{JsonLayer, NoSink, Service};
use omnify_trace_axum::{
    IdentityLayer, PerformanceLayer, SecurityLayer, StackOptions, TracingLayer,
    stack as omnify_stack,
};
use tower::ServiceExt as _;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::trace::{DefaultMakeSpan, DefaultOnRequest, DefaultOnResponse, TraceLayer};
use tracing::{Dispatch, Level};
use tracing_subscriber::layer::SubscriberExt as _;

type Measure<'a> = &'a mut dyn FnMut(&mut dyn FnMut(u64));

/// Both events at INFO, as ours has them.
macro_rules! trace_http {
    () => {
        TraceLayer::new_for_http()
            .make_span_with(DefaultMakeSpan::new().level(Level::INFO))
            .on_request(DefaultOnRequest::new().level(Level::INFO))
            .on_response(DefaultOnResponse::new().level(Level::INFO))
    };
}

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

fn app() -> Router {
    Router::new().route("/hello/{name}", get(|| async { "hello" }))
}

fn ours() -> Dispatch {
    let layer = JsonLayer::new(NoSink).service(&Service::new("bench"));
    tracing_subscriber::registry().with(layer).into()
}

fn fmt_json() -> Dispatch {
    let layer = tracing_subscriber::fmt::layer()
        .json()
        .with_writer(std::io::sink);
    tracing_subscriber::registry().with(layer).into()
}

/// Sends so many requests, each like a browser's first: made anew, answered, its body read.
fn requests(measure: Measure<'_>, app: &Router, dispatch: Option<Dispatch>, token: Option<&str>) {
    if let Some(dispatch) = dispatch {
        // A global subscriber, as services have.
        let _ = tracing::dispatcher::set_global_default(dispatch);
    }
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else {
        return;
    };
    measure(&mut |turns| {
        runtime.block_on(async {
            for _ in 0..turns {
                let mut request = Request::get("/hello/jo").header("user-agent", "bench/1.0");
                if let Some(token) = token {
                    request = request.header("authorization", token);
                }
                let Ok(request) = request.body(Body::empty()) else {
                    return;
                };
                let Ok(response) = app.clone().oneshot(request).await;
                let _ = black_box(response.into_body().collect().await);
            }
        });
    });
}

pub(super) fn bare(measure: Measure<'_>) {
    requests(measure, &app(), None, None);
}

pub(super) fn tracing_layer(measure: Measure<'_>) {
    requests(
        measure,
        &app().layer(TracingLayer::new()),
        Some(ours()),
        None,
    );
}

pub(super) fn tracing_layer_off(measure: Measure<'_>) {
    requests(measure, &app().layer(TracingLayer::new()), None, None);
}

pub(super) fn performance_layer(measure: Measure<'_>) {
    requests(
        measure,
        &app().layer(PerformanceLayer::new()),
        Some(ours()),
        None,
    );
}

pub(super) fn security_layer(measure: Measure<'_>) {
    requests(
        measure,
        &app().layer(SecurityLayer::new()),
        Some(ours()),
        None,
    );
}

pub(super) fn identity_layer(measure: Measure<'_>) {
    let app = app().layer(IdentityLayer::hs256(SECRET));
    requests(measure, &app, Some(ours()), Some(&token()));
}

pub(super) fn stack(measure: Measure<'_>) {
    let app = omnify_stack(
        app(),
        StackOptions::new().identity(IdentityLayer::hs256(SECRET)),
    );
    requests(measure, &app, Some(ours()), Some(&token()));
}

pub(super) fn trace_layer(measure: Measure<'_>) {
    requests(measure, &app().layer(trace_http!()), Some(fmt_json()), None);
}

pub(super) fn trace_layer_with_request_id(measure: Measure<'_>) {
    let app = app()
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(trace_http!())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid));
    requests(measure, &app, Some(fmt_json()), None);
}

/// A token that is good for an hour.
fn token() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let claims = serde_json::json!({"sub": "u-1", "org_id": "acme", "exp": now + 3600});
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET);
    let token = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key);
    format!("Bearer {}", token.unwrap_or_default())
}
