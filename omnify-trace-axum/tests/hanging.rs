//! A request that hangs is told of while it hangs. In a file of its own, because the watchdog's
//! period is the process's.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects"
)]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use omnify_trace::operation::{self, Settings};
use omnify_trace_axum::performance::{Budgets, Metrics};
use omnify_trace_axum::{PerformanceLayer, StackOptions, stack};
use serde_json::Value;
use support::{Captured, capture, get as request, send};
use tokio::sync::Notify;

/// Nothing here takes longer, even on a machine that has other things to do.
const DEADLINE: Duration = Duration::from_secs(20);

async fn slow_requests(log: &Captured, count: usize) -> Vec<Value> {
    let begin = Instant::now();
    loop {
        let events = log.of("slow_request");
        if events.len() >= count {
            return events;
        }
        assert!(begin.elapsed() < DEADLINE, "{count} awaited: {events:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_request_past_its_budget_is_told_of_while_it_is_open_and_again_at_its_end() {
    Settings::new().period(Duration::from_millis(20)).apply();
    let log = capture();
    let go_on = Arc::new(Notify::new());
    let signal = Arc::clone(&go_on);
    let router = Router::new().route(
        "/reports/{id}",
        get(move || async move {
            let query = operation::db_query("select * from reports");
            query.run_any(signal.notified()).await;
            "done"
        }),
    );
    let budgets = Budgets::new(Duration::from_millis(30));
    let layer = PerformanceLayer::new()
        .budgets(budgets)
        .metrics(Metrics::new());
    let app = stack(router, StackOptions::new().performance(layer));
    let client = tokio::spawn(async move { send(&app, request("/reports/7")).await });

    let told = slow_requests(&log, 1).await;
    assert_eq!(log.request_events(), ["request_start"], "it has not ended");
    let extra = &told[0]["extra"];
    assert_eq!(extra["open"], true);
    assert_eq!(extra["route"], "/reports/{id}");
    assert_eq!(extra["budget_ms"].as_f64(), Some(30.0));
    assert!(extra["duration_ms"].as_f64() > Some(30.0), "{extra}");
    assert_eq!(extra["status_code"], Value::Null);
    let operation = &extra["operations"][0];
    assert_eq!(operation["operation"], "select * from reports");
    assert_eq!(operation["open"], 1);

    go_on.notify_one();
    client.await.expect("answered");
    let told = slow_requests(&log, 2).await;
    assert_eq!(told.len(), 2, "once while it is open, once at its end");
    assert_eq!(told[1]["extra"]["open"], Value::Null);
    assert_eq!(told[1]["extra"]["status_code"], 200);
    assert_eq!(told[0]["context"], log.end()["context"]);
}
