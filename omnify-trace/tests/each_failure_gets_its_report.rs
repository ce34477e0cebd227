//! Runs each example program of a failure and finds exactly its report, with the right ids, in
//! time, and none of the others.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(40);
const REPORTS: [&str; 8] = [
    "operation_stalled",
    "operation_recovered",
    "deadlock_detected",
    "runtime_stalled",
    "panic",
    "incomplete_code",
    "crash_detected",
    "log_loss",
];

/// An example program at work, its log files in a directory of their own.
struct Example {
    child: Child,
    logs: PathBuf,
}

fn program(name: &str) -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    let examples = deps.parent().unwrap().parent().unwrap().join("examples");
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        // `cargo test` has built them; `cargo test --test …` leaves what an earlier build left there.
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--workspace", "--examples"])
            .status();
        assert!(built.unwrap().success());
    });
    examples.join(name)
}

fn start(name: &str, logs: &Path) -> Example {
    start_program(&program(name), logs)
}

fn start_program(program: &Path, logs: &Path) -> Example {
    let child = Command::new(program)
        .env("OMNIFY_LOG_DIR", logs)
        .env("OMNIFY_ENV", "production")
        .env_remove("RUST_LOG")
        .env_remove("OMNIFY_LOG")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Example {
        child,
        logs: logs.to_owned(),
    }
}

impl Example {
    fn events(&self) -> Vec<Value> {
        events(&self.logs)
    }

    /// Polls until such a line is there.
    fn until(&self, event_type: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self
                .events()
                .into_iter()
                .find(|event| event["event_type"] == event_type);
            if let Some(found) = found {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "no {event_type} in {:#?}",
                self.events()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn ends(mut self) -> Vec<Value> {
        let deadline = Instant::now() + PATIENCE;
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
        self.events()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn events(logs: &Path) -> Vec<Value> {
    let mut events = vec![];
    for stream in ["backend.log", "workflow.log"] {
        let text = std::fs::read_to_string(logs.join(stream)).unwrap_or_default();
        // The last line may still be on its way.
        events.extend(
            text.lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok()),
        );
    }
    events
}

fn reports(events: &[Value]) -> Vec<&str> {
    let types = events
        .iter()
        .filter_map(|event| event["event_type"].as_str());
    types
        .filter(|event_type| REPORTS.contains(event_type))
        .collect()
}

/// Milliseconds between two lines.
fn between(from: &Value, to: &Value) -> f64 {
    let second = |event: &Value| {
        let time = &event["timestamp"].as_str().unwrap()[11..29];
        let part = |range: std::ops::Range<usize>| time[range].parse::<f64>().unwrap();
        part(0..2) * 3600.0 + part(3..5) * 60.0 + part(6..18)
    };
    (second(to) - second(from)).rem_euclid(86_400.0) * 1e3
}

fn logs() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn an_ordinary_run_gets_none() {
    let logs = logs();
    let events = start("ordinary", logs.path()).ends();
    assert!(reports(&events).is_empty(), "{events:#?}");
    assert!(
        events
            .iter()
            .any(|event| event["event_type"] == "workflow_complete")
    );
}

#[test]
fn a_hanging_step() {
    let logs = logs();
    let example = start("step_hangs", logs.path());
    let report = example.until("operation_stalled");
    assert_eq!(report["context"]["run_id"], "run-hangs");
    assert_eq!(report["context"]["step_id"], "charge");
    assert_eq!(report["extra"]["wait_kind"], "io");
    let age = report["extra"]["age_ms"].as_f64().unwrap();
    assert!((300.0..=1_300.0).contains(&age), "{age}");
    assert_eq!(reports(&example.events()), ["operation_stalled"]);
}

#[test]
fn two_tasks_in_a_deadlock() {
    let logs = logs();
    let example = start("deadlock_of_tasks", logs.path());
    let report = example.until("deadlock_detected");
    let parties = report["extra"]["parties"].as_array().unwrap();
    let mut runs: Vec<_> = parties
        .iter()
        .map(|p| p["context"]["run_id"].as_str().unwrap())
        .collect();
    runs.sort_unstable();
    assert_eq!(runs, ["run-back", "run-there"]);
    for party in parties {
        assert!(party["waits_ms"].as_f64().unwrap() <= 1_000.0, "{party}");
        assert!(
            party["held_at"]
                .as_str()
                .unwrap()
                .contains("deadlock_of_tasks.rs:12:")
        );
        assert!(
            party["waits_at"]
                .as_str()
                .unwrap()
                .contains("deadlock_of_tasks.rs:14:")
        );
    }
    assert_eq!(reports(&example.events()), ["deadlock_detected"]);
}

#[test]
fn two_threads_in_a_deadlock() {
    let logs = logs();
    let example = start("deadlock_of_threads", logs.path());
    let report = example.until("deadlock_detected");
    let parties = report["extra"]["parties"].as_array().unwrap();
    let mut runs: Vec<_> = parties
        .iter()
        .map(|p| p["context"]["run_id"].as_str().unwrap())
        .collect();
    runs.sort_unstable();
    assert_eq!(runs, ["run-counts", "run-sells"]);
    assert!(
        parties
            .iter()
            .all(|p| p["waits_ms"].as_f64().unwrap() <= 1_000.0),
        "{parties:#?}"
    );
    assert_eq!(reports(&example.events()), ["deadlock_detected"]);
}

#[test]
fn a_blocked_executor() {
    let logs = logs();
    let events = start("blocked_executor", logs.path()).ends();
    assert_eq!(reports(&events), ["runtime_stalled"], "{events:#?}");
    let report = events
        .iter()
        .find(|event| event["event_type"] == "runtime_stalled")
        .unwrap();
    assert_eq!(report["context"]["run_id"], "run-blocks");
    assert_eq!(report["extra"]["operations"][0]["step_id"], "render");
    let started = events
        .iter()
        .find(|event| event["event_type"] == "workflow_step")
        .unwrap();
    assert!(between(started, report) <= 2_000.0, "{started} {report}");
}

#[test]
fn unfinished_code() {
    let logs = logs();
    let events = start("unfinished_code", logs.path()).ends();
    assert_eq!(reports(&events), ["incomplete_code"]);
    let report = events
        .iter()
        .find(|event| event["event_type"] == "incomplete_code")
        .unwrap();
    assert_eq!(report["context"]["run_id"], "run-unfinished");
    assert_eq!(report["context"]["step_id"], "pay-back");
    assert_eq!(report["extra"]["kind"], "todo");
    assert!(
        report["extra"]["location"]
            .as_str()
            .unwrap()
            .contains("unfinished_code.rs:9:")
    );
    assert!(
        report["exception"]["message"]
            .as_str()
            .unwrap()
            .contains("refunds over 100 EUR")
    );
}

#[test]
fn a_panic_in_a_spawned_task() {
    let logs = logs();
    let events = start("panic_in_a_task", logs.path()).ends();
    assert_eq!(reports(&events), ["panic"]);
    let report = events
        .iter()
        .find(|event| event["event_type"] == "panic")
        .unwrap();
    assert_eq!(report["context"]["run_id"], "run-panics");
    assert_eq!(report["context"]["step_id"], "count");
    assert_eq!(report["exception"]["type"], "panic");
    assert!(
        report["exception"]["stacktrace"]
            .as_str()
            .unwrap()
            .contains("panic_in_a_task")
    );
    let failed = events
        .iter()
        .find(|event| event["event_type"] == "workflow_error")
        .unwrap();
    assert_eq!(failed["extra"]["failed_step"], "count");
}

fn a_death(name: &str, run: &str, signal: Option<&str>) {
    let logs = logs();
    let events = start(name, logs.path()).ends();
    assert!(reports(&events).is_empty());
    told_by_the_next_start(&logs, run, signal);
}

fn told_by_the_next_start(logs: &tempfile::TempDir, run: &str, signal: Option<&str>) {
    let earlier = reports(&events(logs.path())).len();
    let events = start("ordinary", logs.path()).ends();
    assert_eq!(
        &reports(&events)[earlier..],
        ["crash_detected"],
        "{events:#?}"
    );
    let report = events
        .iter()
        .find(|event| event["event_type"] == "crash_detected")
        .unwrap();
    assert_eq!(report["extra"]["signal"].as_str(), signal);
    let in_flight = report["extra"]["in_flight"].as_array().unwrap();
    let kinds: Vec<_> = in_flight
        .iter()
        .map(|op| op["operation_kind"].as_str().unwrap())
        .collect();
    assert!(
        kinds.contains(&"workflow") && kinds.contains(&"step"),
        "{in_flight:#?}"
    );
    for op in in_flight {
        assert_eq!(op["run_id"], run);
        assert_eq!(op["workflow_id"], "order");
        assert!(op["started_at"].as_str().unwrap().starts_with("20"));
    }
    assert_eq!(in_flight.len(), 2);
    // A clean end is a clean end.
    let before = events.len();
    let events = start("ordinary", logs.path()).ends();
    assert!(events.len() > before);
    assert_eq!(&reports(&events)[earlier..], ["crash_detected"]);
}

#[test]
fn a_segmentation_fault_is_told_by_the_next_start() {
    a_death("segmentation_fault", "run-segv", Some("SIGSEGV"));
}

#[test]
fn a_kill_is_told_by_the_next_start() {
    a_death("killed", "run-killed", None);
}

#[test]
fn a_panic_that_panics_is_told_by_the_next_start() {
    a_death("panic_in_the_report", "run-odd", Some("SIGABRT"));
}

/// The example again, built to abort on a panic, against the library as this test has it.
fn built_to_abort(to: &Path) -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    let deps = deps.parent().unwrap();
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libomnify_trace-") && name.ends_with(".rlib")
    };
    let entries = std::fs::read_dir(deps).unwrap();
    let mut ours: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(is_ours)
        .collect();
    ours.sort_by_key(|path| std::cmp::Reverse(path.metadata().unwrap().modified().unwrap()));
    let program = to.join("panic_aborts");
    let built = ours.iter().any(|library| {
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/panic_aborts.rs"))
            .args(["--edition=2024", "-Cpanic=abort", "-L"])
            .arg(format!("dependency={}", deps.display()))
            .arg(format!("--extern=omnify_trace={}", library.display()))
            .arg("-o")
            .arg(&program)
            .stderr(Stdio::null());
        rustc.status().unwrap().success()
    });
    assert!(built, "none of {ours:?} fits");
    program
}

#[test]
fn a_panic_that_aborts_is_told_at_once_and_by_the_next_start() {
    let logs = logs();
    let program = built_to_abort(logs.path());
    let first = start_program(&program, logs.path()).ends();
    assert!(
        !first
            .iter()
            .any(|event| event["event_type"] == "workflow_error")
    );
    // What the ring held when the process died is in the files after the next start.
    start("ordinary", logs.path()).ends();
    let events = events(logs.path());
    let report = events
        .iter()
        .find(|event| event["event_type"] == "panic")
        .unwrap();
    assert_eq!(report["context"]["step_id"], "charge");
    assert_eq!(report["exception"]["category"], "unwrap_on_err");
    let crash = events
        .iter()
        .find(|event| event["event_type"] == "crash_detected")
        .unwrap();
    assert_eq!(crash["extra"]["signal"], "SIGABRT");
    assert_eq!(crash["extra"]["in_flight"].as_array().unwrap().len(), 2);
    assert_eq!(crash["extra"]["in_flight"][0]["run_id"], "run-aborts");
    let mut told = reports(&events);
    told.sort_unstable();
    assert_eq!(told, ["crash_detected", "panic"]);
}

#[test]
fn waiting_for_approval_gets_none() {
    let logs = logs();
    let events = start("waits_for_approval", logs.path()).ends();
    assert!(reports(&events).is_empty(), "{events:#?}");
    let states: Vec<_> = events
        .iter()
        .filter(|event| event["event_type"] == "workflow_step")
        .map(|event| event["extra"]["status"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["started", "waiting", "started", "completed"]);
}
