//! What `init()` makes of the environment: each case is a process of its own.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::{
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use tracing::{debug, info, warn};

/// What the other tests run, with an environment of theirs.
#[test]
#[ignore = "the service that the other tests start"]
fn service() {
    match omnify_trace::init() {
        Ok(_guard) => {
            debug!("looked closely");
            info!(password = "hunter2", "cart opened");
            warn!(items = 3, "cart is odd");
        }
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(2);
        }
    }
}

/// Runs the service in `directory`, with these variables and none of ours.
fn run(directory: &Path, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--ignored", "--exact", "service", "--nocapture"])
        .current_dir(directory)
        .env("NO_COLOR", "1");
    for (name, _) in std::env::vars() {
        if name.starts_with("OMNIFY_") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command.envs(variables.iter().copied()).output().unwrap()
}

/// The service's own events among lines of JSON.
fn events(text: &str) -> Vec<Value> {
    text.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["target"] == "environment")
        .collect()
}

fn messages(file: &Path) -> Vec<String> {
    let events = events(&std::fs::read_to_string(file).unwrap());
    let message = |event: &Value| event["message"].as_str().unwrap().to_owned();
    events.iter().map(message).collect()
}

#[test]
fn without_variables_it_is_development() {
    let directory = tempfile::tempdir().unwrap();
    let output = run(directory.path(), &[]);
    let file = directory.path().join("data/logs/backend.log");
    assert_eq!(messages(&file), ["cart opened", "cart is odd"]);
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(
        shown.contains(" WARN environment  cart is odd items=3"),
        "{shown}"
    );
    assert!(shown.contains("password=[redacted]"), "{shown}");
    assert!(!shown.contains("looked closely"), "{shown}");
}

#[test]
fn every_variable_is_followed() {
    let directory = tempfile::tempdir().unwrap();
    let logs = directory.path().join("elsewhere");
    let output = run(
        directory.path(),
        &[
            ("OMNIFY_ENV", "production"),
            ("OMNIFY_LOG_DIR", logs.to_str().unwrap()),
            ("OMNIFY_DATA_DIR", "unused"),
            ("OMNIFY_CONSOLE", "json"),
            ("OMNIFY_SERVICE_NAME", "shop"),
            ("OMNIFY_SERVICE_VERSION", "1.2.3"),
            ("OMNIFY_INSTANCE", "host-1"),
            ("RUST_LOG", "warn"),
        ],
    );
    assert_eq!(messages(&logs.join("backend.log")), ["cart is odd"]);
    assert!(!directory.path().join("unused").exists());
    let shown = events(&String::from_utf8_lossy(&output.stdout));
    assert_eq!(shown.len(), 1, "the console has the same lines");
    let service = serde_json::json!({"name": "shop", "version": "1.2.3", "environment": "production", "instance": "host-1"});
    assert_eq!(shown[0]["service"], service);
}

#[test]
fn tests_look_closely_and_show_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let variables = [
        ("OMNIFY_ENV", "test"),
        ("OMNIFY_DATA_DIR", "state"),
        ("OMNIFY_LOG", "environment=debug"),
        ("RUST_LOG", "off"),
    ];
    let output = run(directory.path(), &variables);
    let file = directory.path().join("state/logs/backend.log");
    assert_eq!(
        messages(&file),
        ["looked closely", "cart opened", "cart is odd"]
    );
    let shown = [output.stdout, output.stderr].concat();
    assert!(!String::from_utf8_lossy(&shown).contains("cart"));
}

#[test]
fn a_bad_value_stops_the_start_and_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let output = run(directory.path(), &[("OMNIFY_ENV", "prod")]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("OT0001: OMNIFY_ENV=\"prod\" is not valid"),
        "{said}"
    );
    assert!(!directory.path().join("data").exists());
}
