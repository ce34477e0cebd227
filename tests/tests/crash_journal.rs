//! Every way to die, at full load: no line whose writing returned is missing, none is doubled, none
//! is torn. `OMNIFY_TRIALS=50` for the long run.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests")]

use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use omnify_tests::crash::{self, Found};
use omnify_trace::journal::{Journal, JournalOptions};

#[test]
fn kill_9() {
    each_on_its_own("kill");
}

#[test]
fn abort() {
    each_on_its_own("abort");
}

#[test]
fn process_exit() {
    each_on_its_own("exit");
}

#[test]
fn panic_in_a_thread() {
    each_on_its_own("panic");
}

#[test]
fn stack_overflow() {
    each_on_its_own("overflow");
}

#[test]
fn out_of_memory() {
    each_on_its_own("memory");
}

/// One directory, death upon death: also while recovering from the one before, while rotating,
/// and with a ring that is full all the time.
#[test]
fn one_death_after_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, counts) = (dir.path().join("logs"), dir.path());
    let runs = crash::trials(6) * 3;
    for run in 0..runs {
        let death = ["kill", "kill early", "abort", "exit"][run as usize % 4];
        let ring = if run % 2 == 0 { 64 << 10 } else { 1 << 20 };
        victim(
            &logs,
            counts,
            run,
            death,
            random_below(30_000),
            ring,
            200_000,
        );
    }
    let found = recovered(&logs, counts, runs);
    assert!(found.acknowledged > 0);
}

fn each_on_its_own(death: &str) {
    let mut sum = Found::default();
    for trial in 0..crash::trials(3) {
        let dir = tempfile::tempdir().unwrap();
        let logs = dir.path().join("logs");
        let ring = [8 << 20, 1 << 20, 128 << 10][trial as usize % 3];
        let after = 20_000 + random_below(60_000);
        victim(&logs, dir.path(), 0, death, after, ring, 4 << 20);
        let found = recovered(&logs, dir.path(), 1);
        sum.lines += found.lines;
        sum.acknowledged += found.acknowledged;
    }
    println!("{death}: {sum:?}");
    assert!(
        sum.acknowledged > 0,
        "the victims wrote nothing: this proves nothing"
    );
}

/// Runs a victim to its end. It is killed so many microseconds after its first line, or after its
/// start if `early`.
fn victim(logs: &Path, counts: &Path, run: u32, death: &str, after: u64, ring: u64, file: u64) {
    crash::prepare(counts, run).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_journal-victim"))
        .args([logs, counts])
        .args([&run.to_string(), death, &after.to_string()])
        .args([ring.to_string(), file.to_string()])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    if death == "kill" {
        crash::wait_until_begun(counts, run).unwrap();
    }
    if death.starts_with("kill") {
        thread::sleep(Duration::from_micros(after));
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    assert_eq!(
        status.success(),
        matches!(death, "exit" | "panic"),
        "{death}: {status}"
    );
}

fn recovered(logs: &Path, counts: &Path, runs: u32) -> Found {
    let (journal, recovery) = Journal::open(JournalOptions::new(logs)).unwrap();
    assert!(
        recovery.failed.is_empty() && recovery.volatile.is_none(),
        "{recovery:?}"
    );
    for earlier in &recovery.runs {
        assert!(earlier.unclean, "{earlier:?}");
        assert_eq!(earlier.damaged_words, 0, "{earlier:?}");
    }
    journal.close(Duration::from_secs(10)).unwrap();
    crash::check(logs, counts, runs).unwrap()
}

fn random_below(limit: u64) -> u64 {
    RandomState::new().hash_one(0) % limit
}
