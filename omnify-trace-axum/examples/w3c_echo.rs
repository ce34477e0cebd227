//! A service for the W3C Trace Context conformance suite: `cargo run -p omnify-trace-axum
//! --features reqwest --example w3c_echo`, then point the suite at `http://127.0.0.1:5000/test`.
//!
//! It takes a JSON array of `{"url", "arguments"}`, and for each sends `arguments` to `url` with
//! the current context: a span of its own per call. It forwards to any address, so it is an
//! example, never part of a service.

use axum::extract::State;
use axum::{Json, Router, routing::post};
use http::StatusCode;
use omnify_trace_axum::client::ClientMiddleware;
use omnify_trace_axum::{TracingLayer, problem::Problem};
use reqwest_middleware::ClientWithMiddleware;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Order {
    url: String,
    arguments: Value,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _guard = omnify_trace::init()?;
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:5000".to_owned());
    let client =
        reqwest_middleware::ClientBuilder::new(reqwest::Client::builder().no_proxy().build()?)
            .with(ClientMiddleware::new())
            .build();
    let app = Router::new()
        .route("/test", post(test))
        .with_state(client)
        .layer(TracingLayer::new());
    let listener = tokio::net::TcpListener::bind(address).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    axum::serve(listener, app).await?;
    Ok(())
}

async fn test(
    State(client): State<ClientWithMiddleware>,
    Json(orders): Json<Vec<Order>>,
) -> Result<&'static str, Problem> {
    for Order { url, arguments } in orders {
        client
            .post(&url)
            .json(&arguments)
            .send()
            .await
            .map_err(|error| {
                Problem::new(StatusCode::BAD_GATEWAY, "OT0204", "Call failed")
                    .detail(error.to_string())
            })?;
    }
    Ok("ok")
}
