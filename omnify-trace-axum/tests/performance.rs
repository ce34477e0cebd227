//! Which requests are slow, what took their time, and how they are counted.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects"
)]

mod support;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, StatusCode};
use omnify_trace::operation;
use omnify_trace_axum::performance::{Budgets, Metrics};
use omnify_trace_axum::{PerformanceLayer, StackOptions, stack};
use serde_json::Value;
use support::{capture, get as request, send};
use tower::ServiceExt;

/// Every request of this service is slow, except where a route says otherwise.
fn slow(router: Router, metrics: &Metrics) -> Router {
    // What is told of requests that are still open has a test of its own.
    operation::Settings::new()
        .period(Duration::from_secs(600))
        .apply();
    let layer = PerformanceLayer::new()
        .budgets(Budgets::new(Duration::ZERO).route("/patient", Duration::from_secs(60)))
        .metrics(metrics.clone());
    stack(router, StackOptions::new().performance(layer))
}

fn a_while() -> impl Future<Output = ()> + Send {
    tokio::time::sleep(Duration::from_millis(2))
}

fn names(slow: &Value) -> Vec<&str> {
    slow["extra"]["operations"]
        .as_array()
        .expect("operations")
        .iter()
        .filter_map(|operation| operation["operation"].as_str())
        .collect()
}

#[tokio::test]
async fn a_slow_request_names_the_operations_that_took_its_time() {
    let log = capture();
    let router = Router::new().route(
        "/orders/{id}",
        get(|| async {
            for id in 0..3 {
                operation::db_query(format!("select * from orders where id = {id}"))
                    .run_any(a_while())
                    .await;
            }
            operation::external_api("crm", "GET", "/contacts/{id}")
                .run_any(a_while())
                .await;
            // Not for this request to wait for.
            let report = operation::step("report").start();
            tokio::spawn(async move {
                std::future::pending::<()>().await;
                drop(report);
            });
        }),
    );
    let app = slow(router, &Metrics::new());
    send(&app, request("/orders/7")).await;
    let events = log.of("slow_request");
    let [event] = &events[..] else {
        panic!("one slow request: {events:?}")
    };
    assert_eq!(event["extra"]["route"], "/orders/{id}");
    assert_eq!(event["context"], log.end()["context"]);
    let mut sorted = names(event);
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        [
            "crm GET /contacts/{id}",
            "report",
            "select * from orders where id = ?"
        ]
    );
    for operation in event["extra"]["operations"].as_array().expect("a list") {
        let (count, open) = match operation["operation_kind"].as_str() {
            Some("db_query") => (3, 0),
            Some("step") => (1, 1),
            _ => (1, 0),
        };
        assert_eq!(operation["count"], count, "{operation}");
        assert_eq!(operation["open"], open, "{operation}");
        assert!(operation["total_ms"].as_f64() > Some(0.0) || open == 1);
    }
}

#[tokio::test]
async fn the_operations_of_other_requests_are_not_blamed() {
    let log = capture();
    let router = Router::new()
        .route("/mine", get(|| operation::step("mine").run_any(a_while())))
        .route(
            "/patient",
            get(|| operation::step("not-mine").run_any(a_while())),
        );
    let app = slow(router, &Metrics::new());
    tokio::join!(
        send(&app, request("/patient")),
        send(&app, request("/mine"))
    );
    let events = log.of("slow_request");
    assert_eq!(events.len(), 1, "the patient route has a budget of its own");
    assert_eq!(names(&events[0]), ["mine"]);
}

#[tokio::test]
async fn a_slow_request_without_operations_says_nothing_of_them() {
    let log = capture();
    let app = slow(
        Router::new().route("/", get(|| async { "hello" })),
        &Metrics::new(),
    );
    send(&app, request("/")).await;
    assert_eq!(log.of("slow_request")[0]["extra"].get("operations"), None);
}

#[tokio::test]
async fn a_request_that_is_given_up_still_says_what_it_waited_for() {
    let log = capture();
    let router = Router::new().route(
        "/hang",
        get(|| {
            operation::external_api("crm", "GET", "/slow").run_any(std::future::pending::<()>())
        }),
    );
    let future = slow(router, &Metrics::new()).oneshot(request("/hang"));
    let waited = tokio::time::timeout(Duration::from_millis(2), future).await;
    assert!(waited.is_err());
    assert_eq!(names(&log.of("slow_request")[0]), ["crm GET /slow"]);
}

#[tokio::test]
async fn requests_under_way_are_counted_until_their_bodies_end() {
    let metrics = Metrics::new();
    let router = Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route("/fail", get(|| async { StatusCode::BAD_GATEWAY }));
    let app = slow(router, &metrics);
    let active = || {
        let text = metrics.prometheus();
        let line = text.lines().find(|line| {
            line.starts_with("http_server_active_requests{") && line.contains("/hello")
        });
        line.and_then(|line| line.rsplit(' ').next().map(str::to_owned))
    };
    let response = app
        .clone()
        .oneshot(request("/hello"))
        .await
        .expect("infallible");
    assert_eq!(active().as_deref(), Some("1"));
    drop(response.into_body());
    assert_eq!(active().as_deref(), Some("0"));
    send(&app, request("/hello")).await;
    send(&app, request("/fail")).await;
    let text = metrics.prometheus();
    for line in [
        r#"http_server_request_duration_seconds_count{http_request_method="GET",http_route="/hello",http_response_status_class="cancelled"} 1"#,
        r#"http_server_request_duration_seconds_count{http_request_method="GET",http_route="/hello",http_response_status_class="2xx"} 1"#,
        r#"http_server_request_duration_seconds_count{http_request_method="GET",http_route="/fail",http_response_status_class="5xx"} 1"#,
        r#"http_server_slow_requests_total{http_request_method="GET",http_route="/hello"} 2"#,
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn metrics_are_openmetrics_with_exemplars_for_those_who_accept_it() {
    let _log = capture();
    let metrics = Metrics::new();
    let router = Router::new().route("/hello", get(|| async { "hello" }));
    let app = slow(router, &metrics).merge(metrics.router());
    let mut call = request("/hello");
    call.headers_mut().insert(
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            .parse()
            .expect("value"),
    );
    send(&app, call).await;
    let scrape = |accept: &'static str| {
        let call = Request::get("/metrics").header("accept", accept);
        let call = call.body(Body::empty()).expect("a request");
        send(&app, call)
    };
    let plain = scrape("text/plain").await;
    assert_eq!(
        plain.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    assert!(!plain.body().contains("trace_id") && !plain.body().contains("# EOF"));
    let open = scrape("application/openmetrics-text;version=1.0.0,text/plain;q=0.5").await;
    assert_eq!(
        open.headers()["content-type"],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert!(open.body().ends_with("# EOF\n"));
    // Which bucket has it is the machine's affair.
    let example = r#"} 1 # {trace_id="0af7651916cd43dd8448eb211c80319c"} "#;
    assert!(open.body().contains(example), "{}", open.body());
    assert_is_exposition(plain.body());
    assert_is_exposition(open.body().trim_end_matches("# EOF\n"));
}

/// Every sample belongs to a family that was introduced, and buckets are cumulative.
fn assert_is_exposition(text: &str) {
    let mut family = "";
    let mut bucket = (String::new(), 0);
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.split(' ');
            let word = words.next();
            family = words.next().expect("a family");
            assert!(matches!(word, Some("HELP" | "TYPE")), "{line}");
            continue;
        }
        assert!(line.starts_with(family), "{line} is not of {family}");
        let sample = line.split(" # ").next().expect("a sample");
        let (name, value) = sample.rsplit_once(' ').expect("a value");
        assert!(value.parse::<f64>().is_ok(), "{line}");
        if let Some((series, _)) = name.split_once(",le=") {
            let count: u64 = value.parse().expect("a count");
            assert!(bucket.0 != series || bucket.1 <= count, "{line}");
            bucket = (series.to_owned(), count);
        }
    }
}
