//! Forks, full disks, and other troubles that need a process or a file system of their own.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use omnify_trace::journal::{Journal, JournalOptions, WhenFull};
use omnify_trace::schema::Stream;

const SOON: Duration = Duration::from_secs(10);

#[test]
fn a_forked_child_logs_for_itself_and_leaves_its_parents_lines_alone() {
    let dir = tempfile::tempdir().unwrap();
    assert!(forks(dir.path(), "both"));
    let [parent, child] =
        ["backend.log", "backend.1.log"].map(|name| counts(&dir.path().join(name)));
    assert_eq!(
        parent,
        counted(&[("after", 100), ("before", 100), ("parent", 1_000)])
    );
    assert_eq!(child, counted(&[("child", 1_000)]));
    // Both ended well: the child's own journal too.
    let (_, recovery) = Journal::open(JournalOptions::new(dir.path())).unwrap();
    assert_eq!(recovery.recovered_lines(), 0);
}

#[test]
fn a_forked_child_that_ends_does_not_close_its_parents_journal() {
    let dir = tempfile::tempdir().unwrap();
    assert!(forks(dir.path(), "idle"));
    let parent = counts(&dir.path().join("backend.log"));
    assert_eq!(
        parent,
        counted(&[("after", 100), ("before", 100), ("parent", 1_000)])
    );
}

#[test]
fn a_daemons_lines_and_those_of_its_dead_parent_are_all_there() {
    let dir = tempfile::tempdir().unwrap();
    assert!(!forks(dir.path(), "daemon"));
    // The child is an orphan now: nobody tells when it has ended, but its lines do.
    let begin = Instant::now();
    loop {
        let (journal, _) = Journal::open(JournalOptions::new(dir.path())).unwrap();
        journal.close(SOON).unwrap();
        let mut all = BTreeMap::new();
        for entry in fs::read_dir(dir.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "log") {
                for (who, count) in counts(&path) {
                    *all.entry(who).or_default() += count;
                }
            }
        }
        if all == counted(&[("before", 100), ("child", 1_000)]) {
            break;
        }
        assert!(begin.elapsed() < SOON, "{all:?}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn while_the_disk_is_full_lines_wait_and_the_service_runs() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("backend.log");
    symlink("/dev/full", &file).unwrap();
    let options = JournalOptions::new(dir.path())
        .ring_bytes(64 << 10)
        .when_full(WhenFull::Drop);
    let (journal, _) = Journal::open(options).unwrap();
    let taken: Vec<u32> = (0..10_000).filter(|n| write(&journal, *n)).collect();
    assert!(taken.len() < 10_000);
    let begin = Instant::now();
    while journal.stats().failures == 0 {
        assert!(begin.elapsed() < SOON);
        thread::yield_now();
    }
    fs::remove_file(&file).unwrap();
    journal.close(SOON).unwrap();
    arrived(&file, &taken, 10_000 - taken.len() as u64);
}

/// A real file system of 1 MiB, which takes part of a batch before it is full. Needs the right to
/// mount; where there is none, `/dev/full` above has to do.
#[test]
fn a_batch_that_fits_in_part_is_completed_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let disk = dir.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "none"])
        .arg(&disk)
        .output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        return;
    }
    fs::write(disk.join("ballast"), vec![0; 700 << 10]).unwrap();
    let options = JournalOptions::new(&disk)
        .ring_dir(dir.path().join("ring"))
        .ring_bytes(256 << 10)
        .when_full(WhenFull::Block(Duration::from_millis(50)));
    let (journal, _) = Journal::open(options).unwrap();
    let taken: Vec<u32> = (0..10_000).filter(|n| write(&journal, *n)).collect();
    let lost = 10_000 - taken.len() as u64;
    let failures = journal.stats().failures;
    fs::remove_file(disk.join("ballast")).unwrap();
    let closed = journal.close(SOON);
    let file = dir.path().join("backend.log");
    fs::copy(disk.join("backend.log"), &file).unwrap();
    drop(journal);
    assert!(
        Command::new("umount")
            .arg("-l")
            .arg(&disk)
            .status()
            .unwrap()
            .success()
    );
    closed.unwrap();
    assert!(
        failures > 0 && lost > 0,
        "the disk never filled: {failures} {lost}"
    );
    arrived(&file, &taken, lost);
}

/// A file made read-only under the journal. Who may, makes it immutable, which refuses writes
/// through open handles too, and the renaming of the file; for others it cannot be opened anew.
#[test]
fn a_file_made_read_only_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("backend.log");
    let options = JournalOptions::new(dir.path())
        .ring_bytes(64 << 10)
        .when_full(WhenFull::Drop);
    let (journal, _) = Journal::open(options).unwrap();
    let mut taken: Vec<u32> = (0..10).filter(|n| write(&journal, *n)).collect();
    journal.flush(SOON).unwrap();
    let writable = fs::metadata(&file).unwrap().permissions();
    let mut read_only = writable.clone();
    read_only.set_readonly(true);
    fs::set_permissions(&file, read_only).unwrap();
    let immutable = attribute("+i", &file);
    taken.extend((10..10_000).filter(|n| write(&journal, *n)));
    let begin = Instant::now();
    while immutable && journal.stats().failures == 0 && begin.elapsed() < SOON {
        thread::yield_now();
    }
    let stats = journal.stats();
    assert!(attribute("-i", &file) || !immutable);
    fs::set_permissions(&file, writable).unwrap();
    journal.close(SOON).unwrap();
    if immutable {
        assert!(stats.failures > 0 && stats.lost() > 0, "{stats:?}");
    }
    arrived(&file, &taken, 10_000 - taken.len() as u64);
}

fn attribute(change: &str, file: &Path) -> bool {
    let changed = Command::new("chattr").arg(change).arg(file).output();
    changed.is_ok_and(|output| output.status.success())
}

fn write(journal: &Journal, n: u32) -> bool {
    journal
        .write(Stream::Backend, format!("{n:0100}").as_bytes())
        .is_ok()
}

/// Exactly the lines that were taken are there, in order, and the loss of the others is told.
fn arrived(file: &Path, taken: &[u32], lost: u64) {
    let text = fs::read_to_string(file).unwrap();
    let (losses, lines): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.contains("log_loss"));
    let numbers: Vec<u32> = lines.iter().map(|line| line.parse().unwrap()).collect();
    assert!(
        numbers == taken,
        "{} of {} lines",
        numbers.len(),
        taken.len()
    );
    let told: u64 = losses
        .iter()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|line| line["extra"]["count"].as_u64().unwrap())
        .sum();
    assert_eq!(told, lost);
}

fn forks(logs: &Path, mode: &str) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_journal-forks"));
    command.arg(logs).arg(mode).status().unwrap().success()
}

/// How many lines each writer has in a file, which must count up from 0.
fn counts(file: &Path) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for line in fs::read_to_string(file).unwrap().lines() {
        let Some((who, number)) = line.split_once(' ') else {
            panic!("{line}")
        };
        let count: &mut u32 = counts.entry(who.to_owned()).or_default();
        assert_eq!(number.parse::<u32>().unwrap(), *count, "{file:?}: {who}");
        *count += 1;
    }
    counts
}

fn counted(expected: &[(&str, u32)]) -> BTreeMap<String, u32> {
    expected
        .iter()
        .map(|(who, count)| ((*who).to_owned(), *count))
        .collect()
}
