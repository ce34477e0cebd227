//! The services that are compared.

use std::hint::black_box;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::{Router, body::Body, routing::get};
use axum_tracing_opentelemetry::middleware::{OtelAxumLayer, OtelInResponseLayer};
use http::Request;
use http_body_util::BodyExt as _;
use omnify_trace::layer::{JsonLayer, NoSink, Service};
use omnify_trace_axum::{
    IdentityLayer, PerformanceLayer, SecurityLayer, StackOptions, TracingLayer,
    stack as omnify_stack,
};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
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
fn requests(measure: Measure<'_>, app: &Router, dispatch: Option<Dispatch>) {
    if std::env::args().any(|argument| argument == "--bare") {
        // Valgrind, which counts then, hides what the watchdog's first look would ask for the time.
        let never = std::time::Duration::from_secs(3600);
        omnify_trace::operation::Settings::new()
            .period(never)
            .apply();
    }
    let token = token();
    // As `axum::serve` does: without it, every request would build its route and layers anew.
    let app = app.clone().with_state(());
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
                let request = Request::get("/hello/jo")
                    .header("user-agent", "bench/1.0")
                    .header("authorization", &token)
                    .body(Body::empty());
                let Ok(request) = request else {
                    return;
                };
                let Ok(response) = app.clone().oneshot(request).await;
                let _ = black_box(response.into_body().collect().await);
            }
        });
    });
}

/// A service and what listens to it.
struct Setup {
    app: Router,
    dispatch: Option<Dispatch>,
}

impl Setup {
    const fn new(app: Router, dispatch: Option<Dispatch>) -> Self {
        Self { app, dispatch }
    }
}

/// A subject as a server for real connections, its subscriber made the process's own.
pub(super) fn server(subject: &str) -> Option<(Router, String)> {
    let setup = match subject {
        super::BARE => Setup::new(app(), None),
        super::OURS => with_tracing_layer(),
        super::STACK => with_stack(),
        super::FMT => with_trace_layer(),
        _ => return None,
    };
    if let Some(dispatch) = setup.dispatch {
        let _ = tracing::dispatcher::set_global_default(dispatch);
    }
    Some((setup.app, token()))
}

fn with_tracing_layer() -> Setup {
    Setup::new(app().layer(TracingLayer::new()), Some(ours()))
}

fn with_stack() -> Setup {
    let options = StackOptions::new().identity(IdentityLayer::hs256(SECRET));
    Setup::new(omnify_stack(app(), options), Some(ours()))
}

fn with_trace_layer() -> Setup {
    Setup::new(app().layer(trace_http!()), Some(fmt_json()))
}

fn measured(measure: Measure<'_>, setup: Setup) {
    requests(measure, &setup.app, setup.dispatch);
}

pub(super) fn bare(measure: Measure<'_>) {
    requests(measure, &app(), None);
}

/// What `Router::layer` costs whatever the layer does.
pub(super) fn empty_layer(measure: Measure<'_>) {
    let layer = tower::layer::util::Identity::new();
    requests(measure, &app().layer(layer), None);
}

pub(super) fn tracing_layer(measure: Measure<'_>) {
    measured(measure, with_tracing_layer());
}

pub(super) fn tracing_layer_off(measure: Measure<'_>) {
    requests(measure, &app().layer(TracingLayer::new()), None);
}

pub(super) fn performance_layer(measure: Measure<'_>) {
    let app = app().layer(PerformanceLayer::new());
    requests(measure, &app, Some(ours()));
}

pub(super) fn security_layer(measure: Measure<'_>) {
    let app = app().layer(SecurityLayer::new());
    requests(measure, &app, Some(ours()));
}

pub(super) fn identity_layer(measure: Measure<'_>) {
    let app = app().layer(IdentityLayer::hs256(SECRET));
    requests(measure, &app, Some(ours()));
}

pub(super) fn stack(measure: Measure<'_>) {
    measured(measure, with_stack());
}

pub(super) fn trace_layer(measure: Measure<'_>) {
    measured(measure, with_trace_layer());
}

pub(super) fn trace_layer_with_request_id(measure: Measure<'_>) {
    let app = app()
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(trace_http!())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid));
    requests(measure, &app, Some(fmt_json()));
}

/// Its spans as OpenTelemetry's, continued and answered; the two events written by the handler.
pub(super) fn opentelemetry(measure: Measure<'_>) {
    async fn hello() -> &'static str {
        tracing::info!(
            method = "GET",
            path = "/hello/jo",
            "started processing request"
        );
        tracing::info!(
            latency_ms = 0.0,
            status = 200_u16,
            "finished processing request"
        );
        "hello"
    }
    let provider = SdkTracerProvider::builder().build();
    let otel = tracing_opentelemetry::layer().with_tracer(provider.tracer("bench"));
    let fmt = tracing_subscriber::fmt::layer()
        .json()
        .with_writer(std::io::sink);
    let dispatch = tracing_subscriber::registry().with(otel).with(fmt);
    let app = Router::new()
        .route("/hello/{name}", get(hello))
        .layer(OtelInResponseLayer)
        .layer(OtelAxumLayer::default());
    measured(measure, Setup::new(app, Some(dispatch.into())));
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
