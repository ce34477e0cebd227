//! Setting up: what a start tells, and what stops it.

use std::{fs, time::Duration};

use omnify_trace::{
    Environment, Telemetry,
    journal::{Journal, JournalOptions},
    schema::Stream,
    setup::Console,
};
use serde_json::Value;
use tracing::{debug, info};

#[test]
fn a_log_directory_that_cannot_be_written_stops_the_start_and_is_named() {
    for directory in ["/dev/null/logs", "/proc/omnify-logs"] {
        let error = Telemetry::builder()
            .console(Console::Off)
            .log_dir(directory)
            .build()
            .map(drop)
            .unwrap_err();
        assert_eq!(error.code(), "OT0002");
        let text = error.to_string();
        assert!(text.contains(directory), "{text}");
        assert!(text.contains("OMNIFY_LOG_DIR"), "{text}");
    }
}

#[test]
fn lines_reach_the_stream_files_and_the_guard_flushes() {
    let directory = tempfile::tempdir().unwrap();
    let (telemetry, dispatch) = Telemetry::builder()
        .service_name("shop")
        .service_version("1.2.3")
        .instance("host-1")
        .environment(Environment::Test)
        .log_dir(directory.path())
        .build()
        .unwrap();
    tracing::dispatcher::with_default(&dispatch, || {
        debug!("the test preset writes DEBUG");
        info!(event_type = "workflow_start", "a run");
        assert!(omnify_trace::emit_line(
            Stream::Frontend,
            b"{\"message\":\"from a browser\"}"
        ));
    });
    assert!(telemetry.flush(Duration::from_secs(10)));
    assert_eq!(telemetry.stats().lost, 0);
    drop(telemetry);
    let read = |name: &str| -> Vec<Value> {
        let text = fs::read_to_string(directory.path().join(name)).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let backend = read("backend.log");
    assert_eq!(backend[1]["message"], "the test preset writes DEBUG");
    assert_eq!(
        backend[1]["service"],
        serde_json::json!({"name": "shop", "version": "1.2.3", "environment": "test", "instance": "host-1"})
    );
    assert_eq!(read("workflow.log")[0]["message"], "a run");
    assert_eq!(read("frontend.log")[0]["message"], "from a browser");
}

#[test]
fn a_run_that_did_not_end_cleanly_is_told_by_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(JournalOptions::new(directory.path())).unwrap();
    let note = journal.in_flight(br#"{"operation":"charge","run_id":"run-1"}"#);
    journal
        .write(Stream::Backend, br#"{"message":"last words"}"#)
        .unwrap();
    journal.flush(Duration::from_secs(10)).unwrap();
    // A copy of the ring file as a killed process would leave it.
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    drop((note, journal));
    let (telemetry, _dispatch) = Telemetry::builder()
        .console(Console::Off)
        .log_dir(copy.path())
        .build()
        .unwrap();
    drop(telemetry);
    let text = fs::read_to_string(copy.path().join("backend.log")).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told: Vec<_> = lines
        .iter()
        .filter(|line| line["event_type"] == "crash_detected")
        .collect();
    assert_eq!(told.len(), 1, "{text}");
    assert_eq!(told[0]["level"], "ERROR");
    assert_eq!(told[0]["extra"]["pid"], std::process::id());
    assert_eq!(told[0]["extra"]["in_flight"][0]["run_id"], "run-1");
    assert!(
        told[0]["extra"]["started_at"]
            .as_str()
            .unwrap()
            .ends_with('Z')
    );
    assert_eq!(
        lines
            .iter()
            .filter(|line| line["message"] == "last words")
            .count(),
        1
    );
}
