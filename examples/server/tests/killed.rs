//! kill -9 under load: what had reached the files is in the store exactly once, and runs that
//! were in flight are shown as interrupted.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says so and stops"
)]

mod harness;

use std::{collections::HashMap, fs, path::Path, time::Duration};

use harness::{Server, eventually};
use serde_json::{Value, json};

/// Every line of every log file that was complete before the server came back.
fn lines_before(log_dir: &Path, end: &str) -> HashMap<String, u64> {
    let mut lines = HashMap::new();
    for entry in fs::read_dir(log_dir).expect("log directory") {
        let path = entry.expect("entry").path();
        let name = path
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        if name.starts_with('.') || path.extension().is_none_or(|e| e != "log") {
            continue;
        }
        for line in fs::read_to_string(&path).expect("a log file").lines() {
            let value: Value =
                serde_json::from_str(line).unwrap_or_else(|e| panic!("{name}: {e}: {line}"));
            if value["timestamp"].as_str().expect("a timestamp") < end {
                *lines.entry(value.to_string()).or_default() += 1;
            }
        }
    }
    lines
}

/// The same lines as the store tells them.
async fn lines_stored(server: &Server, end: &str) -> HashMap<String, u64> {
    let mut lines = HashMap::new();
    let mut cursor = String::new();
    loop {
        let page = server
            .admin(&format!(
                "logs?from=2020-01-01T00:00:00Z&to={end}&limit=1000&order=oldest{cursor}"
            ))
            .await;
        for line in page["logs"].as_array().expect("logs") {
            let mut line = line.clone();
            let fields = line.as_object_mut().expect("an object");
            fields.shift_remove("id");
            fields.shift_remove("file");
            *lines.entry(line.to_string()).or_default() += 1;
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return lines,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_under_load_every_line_is_stored_exactly_once_and_open_runs_are_interrupted() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut server = Server::start(home.path(), "demo", &[]).await;

    // A run that will never end by itself, and steady load beside it.
    let input = json!({"company": "Tarpit Industries", "email": "a@b.example", "plan": "growth"});
    let run = server
        .post("/api/workflows/client-onboarding/runs", &input)
        .await;
    let run_id = run["run_id"].as_str().expect("a run").to_owned();
    let load: Vec<_> = (0..8)
        .map(|_| {
            let client = server.client.clone();
            let url = format!("{}/api/customers?limit=5", server.base);
            tokio::spawn(async move {
                while let Ok(answer) = client.get(&url).send().await {
                    let _ = answer.bytes().await;
                }
            })
        })
        .collect();
    eventually(
        "some lines are stored",
        Duration::from_secs(30),
        async || {
            let page = server
                .admin("logs?timeRange=1h&eventType=request_complete&limit=1000")
                .await;
            let enough = page["logs"]
                .as_array()
                .is_some_and(|logs| logs.len() >= 500);
            let started = server
                .admin(&format!(
                    "logs?timeRange=1h&runId={run_id}&eventType=workflow_step"
                ))
                .await;
            enough
                && started["logs"]
                    .as_array()
                    .is_some_and(|logs| !logs.is_empty())
        },
    )
    .await;
    server.kill().await;
    for task in load {
        let _ = task.await;
    }

    let server = Server::start(home.path(), "serve", &[]).await;
    let end = harness::now();
    // The recovered lines reach the files first, then the store.
    eventually(
        "the store holds what the files hold",
        Duration::from_secs(60),
        async || {
            lines_stored(&server, &end).await.values().sum::<u64>()
                >= lines_before(&server.log_dir(), &end).values().sum::<u64>()
        },
    )
    .await;
    let in_files = lines_before(&server.log_dir(), &end);
    let in_store = lines_stored(&server, &end).await;
    let missing: Vec<_> = in_files
        .iter()
        .filter(|(line, n)| in_store.get(*line) != Some(n))
        .take(3)
        .collect();
    assert!(
        missing.is_empty(),
        "in the files but not exactly as often in the store: {missing:#?}"
    );
    let added: Vec<_> = in_store
        .iter()
        .filter(|(line, n)| in_files.get(*line) != Some(n))
        .take(3)
        .collect();
    assert!(
        added.is_empty(),
        "in the store but not exactly as often in the files: {added:#?}"
    );

    eventually(
        "the run is shown as interrupted",
        Duration::from_secs(20),
        async || server.admin(&format!("runs/{run_id}")).await["status"] == "interrupted",
    )
    .await;
    server.stop().await;
}
