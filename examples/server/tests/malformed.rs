//! A malformed line in a log file is kept, searchable as raw text, and counted.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says so and stops"
)]

mod harness;

use std::{fs::OpenOptions, io::Write as _, time::Duration};

use harness::{Server, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_line_is_kept_searchable_and_counted() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let server = Server::start(home.path(), "serve", &[]).await;
    let before = server.admin("health").await["store"]["malformed"]
        .as_u64()
        .expect("a count");
    let line = r#"{"timestamp":"2026-01-01T00:00:00Z","message":"cut off in the mid"#;
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(server.log_dir().join("another-service.log"))
        .expect("opened");
    writeln!(file, "{line}").expect("written");

    eventually(
        "the line is found by its text",
        Duration::from_secs(10),
        async || {
            let page = server
                .admin("logs?timeRange=1h&search=%22cut%20off%20in%20the%20mid%22")
                .await;
            let logs = page["logs"].as_array().expect("logs");
            logs.iter()
                .any(|log| log["event_type"] == "malformed_line" && log["message"] == line)
        },
    )
    .await;
    let after = server.admin("health").await["store"]["malformed"]
        .as_u64()
        .expect("a count");
    assert_eq!(after, before + 1);
    server.stop().await;
}
