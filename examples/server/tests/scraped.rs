//! What Prometheus reads from a running server.

#![allow(clippy::expect_used, reason = "a test says so and stops")]

mod harness;

use harness::Server;

#[tokio::test]
async fn metrics_tell_of_routes_and_store_with_exemplars_for_those_who_accept_them() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let server = Server::start(home.path(), "serve", &[]).await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let health = format!("{}/healthz", server.base);
    let request = server.client.get(health);
    let request = request.header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"));
    request.send().await.expect("an answer");
    let scrape = async |accept: &str| {
        let request = server.client.get(format!("{}/metrics", server.base));
        let answer = request.header("accept", accept).send().await;
        let answer = answer.expect("an answer");
        let kind = answer.headers()["content-type"].to_str().expect("text");
        (kind.to_owned(), answer.text().await.expect("a body"))
    };
    let series = r#"http_server_request_duration_seconds_count{http_request_method="GET",http_route="/healthz""#;
    let (kind, text) = scrape("text/plain").await;
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    for part in [
        series,
        "omnify_store_lines ",
        "http_server_active_requests{",
    ] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    assert!(!text.contains(trace));
    let (kind, text) = scrape("application/openmetrics-text;version=1.0.0").await;
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    assert!(text.contains(series) && text.ends_with("# EOF\n"), "{text}");
    assert!(
        text.contains(&format!("# {{trace_id=\"{trace}\"}}")),
        "{text}"
    );
}
