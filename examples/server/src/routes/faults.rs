//! Things that go wrong on purpose, in the demo only: each is what a real service does one day.
#![expect(
    clippy::panic,
    clippy::todo,
    reason = "this module exists to show what a panic and a `todo!` look like in the log"
)]

use std::time::Duration;

use axum::{
    Json, Router,
    extract::Query,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{App, Problem};

/// The longest that a slow answer takes.
const MAX_SLOW_MS: u64 = 30_000;

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/api/demo/slow", get(slow))
        .route("/api/demo/panic", post(panics))
        .route("/api/demo/unfinished", post(unfinished))
        .route("/api/demo/broken", get(broken))
}

#[derive(Deserialize)]
struct Slow {
    ms: Option<u64>,
}

async fn slow(Query(slow): Query<Slow>) -> Json<Value> {
    let ms = slow.ms.unwrap_or(1_500).min(MAX_SLOW_MS);
    tokio::time::sleep(Duration::from_millis(ms)).await;
    Json(json!({ "slept_ms": ms }))
}

async fn panics(Json(order): Json<Value>) -> Json<Value> {
    let Some(total) = order["total"].as_f64() else {
        panic!("order without a total");
    };
    Json(json!({ "total": total }))
}

async fn unfinished() -> Json<Value> {
    todo!("refunds in foreign currencies")
}

async fn broken() -> Result<Json<Value>, Problem> {
    let error = std::io::Error::new(
        std::io::ErrorKind::ConnectionReset,
        "the ledger closed the connection",
    );
    tracing::error!(
        error = &error as &dyn std::error::Error,
        "The ledger did not answer"
    );
    Err(Problem::new(
        axum::http::StatusCode::BAD_GATEWAY,
        "OT0745",
        "the ledger did not answer; try again",
    ))
}
