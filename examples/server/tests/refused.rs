//! Bad input at the start: a message that names the setting, its value and what is allowed.

#![allow(clippy::expect_used, reason = "a test says so and stops")]

mod harness;

use std::{fs, process::Output};

async fn refused(environment: &[(&str, &str)]) -> String {
    let home = tempfile::tempdir().expect("a temporary folder");
    refused_in(home.path(), environment).await
}

async fn refused_in(home: &std::path::Path, environment: &[(&str, &str)]) -> String {
    let run = harness::command(home, "serve", environment).output();
    let Output { status, stderr, .. } =
        tokio::time::timeout(std::time::Duration::from_secs(20), run)
            .await
            .expect("ends by itself")
            .expect("ran");
    let message = String::from_utf8_lossy(&stderr).into_owned();
    assert!(!status.success(), "it started: {message}");
    message
}

#[tokio::test]
async fn a_wrong_setting_is_named_with_its_value_and_what_is_allowed() {
    let cases = [
        ("OMNIFY_LISTEN", "everywhere", "127.0.0.1:8000"),
        ("OMNIFY_ENV", "staging-ish", "production"),
        ("OMNIFY_LOG", "omnify=loud", "debug"),
        ("DATABASE_URL", "oracle://x", "sqlite:"),
        ("OMNIFY_AGENTKIT_URL", "not a url", "https://"),
        (
            "OMNIFY_WORKFLOW_DIR",
            "/does/not/exist",
            "a folder that exists",
        ),
        ("LOKI_URL", "loki:3100", "http://127.0.0.1:3100"),
        ("LOKI_SHIP", "perhaps", "on"),
        ("REDIS_URL", "http://127.0.0.1", "redis://host:port"),
        ("SENTRY_DSN", "https://key@sentry.example/1", "unset it"),
    ];
    for (variable, value, allowed) in cases {
        let message = refused(&[(variable, value)]).await;
        for part in [variable, value.split(':').next().unwrap_or(value), allowed] {
            assert!(
                message.contains(part),
                "{variable}={value}: no {part:?} in: {message}"
            );
        }
    }
}

#[tokio::test]
async fn a_redis_that_is_not_there_is_named_and_its_cause_told_once() {
    let message = refused(&[("REDIS_URL", "redis://127.0.0.1:1")]).await;
    assert!(message.contains("REDIS_URL"), "{message}");
    assert_eq!(
        message.matches("Connection refused").count(),
        1,
        "{message}"
    );
}

#[tokio::test]
async fn a_log_directory_that_cannot_be_written_is_named() {
    let home = tempfile::tempdir().expect("a temporary folder");
    // A file where the directory should be stops root too, whom permissions would not.
    let in_the_way = home.path().join("logs");
    fs::write(&in_the_way, "in the way").expect("written");
    let message = refused_in(home.path(), &[]).await;
    assert!(
        message.contains(&in_the_way.display().to_string()),
        "{message}"
    );
}

#[tokio::test]
async fn a_workflow_that_cannot_run_stops_the_start_and_says_which_and_why() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let workflows = home.path().join("workflows");
    fs::create_dir(&workflows).expect("made");
    let text = "workflow_id: mine\nname: Mine\nsteps:\n- {step_id: a, agent_type: transform, depends_on: [b]}\n- {step_id: b, agent_type: transform, depends_on: [a]}";
    fs::write(workflows.join("mine.yaml"), text).expect("written");
    let message = refused_in(
        home.path(),
        &[("OMNIFY_WORKFLOW_DIR", workflows.to_str().expect("text"))],
    )
    .await;
    assert!(
        message.contains("mine.yaml") && message.contains("a, b wait for each other"),
        "{message}"
    );
}
