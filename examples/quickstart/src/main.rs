//! The smallest traced axum service: `cargo run -p quickstart`, then
//! `curl -i http://127.0.0.1:3000/hello/world` and look into `data/logs/backend.log`.

use axum::{Router, extract::Path, routing::get};
use omnify_trace_axum::{StackOptions, stack};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _guard = omnify_trace::init()?;

    let app = Router::new().route("/hello/{name}", get(hello));
    let app = stack(app, StackOptions::default());

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    axum::serve(listener, app)
        .with_graceful_shutdown(stopped())
        .await?;
    Ok(())
}

/// Every line in here carries the request's id and trace, without being told.
async fn hello(Path(name): Path<String>) -> String {
    tracing::info!(name, "greeting");
    format!("Hello, {name}!")
}

async fn stopped() {
    let _ = tokio::signal::ctrl_c().await;
}
