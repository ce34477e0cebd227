//! A service for the W3C Trace Context conformance suite: `cargo run -p omnify-trace-axum
//! --example w3c_echo`, then point the suite at `http://127.0.0.1:5000/test`.
//!
//! It takes a JSON array of `{"url", "arguments"}`, and for each sends `arguments` to `url` with
//! the current context: a span of its own per call. It forwards to any address, so it is an
//! example, never part of a service.

use axum::body::Body;
use axum::extract::State;
use axum::{Json, Router, routing::post};
use http::{Request, StatusCode};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use omnify_trace_axum::client::{ClientLayer, ClientService};
use omnify_trace_axum::{Problem, TracingLayer};
use serde::Deserialize;
use serde_json::Value;
use tower::{Layer, ServiceExt};

type Http = ClientService<Client<HttpConnector, Body>>;

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
    let client = ClientLayer::new().layer(Client::builder(TokioExecutor::new()).build_http());
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
    State(client): State<Http>,
    Json(orders): Json<Vec<Order>>,
) -> Result<&'static str, Problem> {
    for Order { url, arguments } in orders {
        let call = Request::post(&url)
            .header("content-type", "application/json")
            .body(Body::from(arguments.to_string()))
            .map_err(|error| failed(StatusCode::BAD_REQUEST, &error))?;
        client
            .clone()
            .oneshot(call)
            .await
            .map_err(|error| failed(StatusCode::BAD_GATEWAY, &error))?;
    }
    Ok("ok")
}

fn failed(status: StatusCode, error: &dyn std::error::Error) -> Problem {
    Problem::new(status, "OT0204", "Call failed").detail(error.to_string())
}
