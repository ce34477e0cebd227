//! The whole emit path under kill -9 and abort: no event whose macro returned is missing, none is
//! doubled, none is torn; and the next start says what was in flight.

use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use omnify_tests::crash;
use omnify_trace::{Environment, Telemetry};

#[test]
fn events_survive_death_upon_death() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, counts) = (dir.path().join("logs"), dir.path());
    let runs = crash::trials(4);
    for run in 0..runs {
        crash::prepare(counts, run).unwrap();
        let death = ["kill", "abort"][run as usize % 2];
        let after = 30_000 + RandomState::new().hash_one(run) % 60_000;
        let mut child = Command::new(env!("CARGO_BIN_EXE_telemetry-victim"))
            .args([&logs, counts])
            .args([&run.to_string(), death, &after.to_string()])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        if death == "kill" {
            thread::sleep(Duration::from_micros(after));
            child.kill().unwrap();
        }
        assert!(!child.wait().unwrap().success());
    }
    let telemetry = Telemetry::builder()
        .environment(Environment::Production)
        .log_dir(&logs);
    drop(telemetry.install().unwrap());
    let found = crash::check_events(&logs, counts, runs).unwrap();
    assert!(
        found.acknowledged > 0,
        "the victims wrote nothing: this proves nothing"
    );
    let backend = fs::read_to_string(logs.join("backend.log")).unwrap();
    let crashes: Vec<_> = backend
        .lines()
        .filter(|line| line.contains("crash_detected"))
        .collect();
    let last = format!("run-{}", runs - 1);
    assert!(
        crashes.iter().any(|line| line.contains(&last)),
        "{crashes:?}"
    );
}
