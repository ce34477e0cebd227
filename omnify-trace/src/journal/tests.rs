//! The journal from outside.

mod recovery;
mod trouble;

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::*;

const SOON: Duration = Duration::from_secs(10);

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path)
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn lines_of_many_threads_arrive_whole_in_order_and_in_their_streams() {
    let dir = tempfile::tempdir().unwrap();
    let options = JournalOptions::new(dir.path()).ring_bytes(16 * 1024);
    let (journal, recovery) = Journal::open(options).unwrap();
    assert!(!recovery.unclean());
    thread::scope(|scope| {
        for writer in 0..4 {
            let journal = journal.clone();
            scope.spawn(move || {
                for n in 0..2_000_usize {
                    let stream = Stream::ALL[n % 3];
                    let line = format!("{writer} {n} {}", "x".repeat(n % 200));
                    while journal.write(stream, line.as_bytes()).is_err() {}
                }
            });
        }
    });
    journal.close(SOON).unwrap();
    for stream in Stream::ALL {
        let lines = lines(&dir.path().join(format!("{}.log", stream.as_str())));
        for writer in 0..4 {
            let prefix = format!("{writer} ");
            let seen: Vec<usize> = lines
                .iter()
                .filter_map(|line| line.strip_prefix(&prefix))
                .map(|rest| {
                    let (n, tail) = rest.split_once(' ').unwrap();
                    let n: usize = n.parse().unwrap();
                    assert_eq!(tail.len(), n % 200);
                    n
                })
                .collect();
            let expected: Vec<usize> = (0..2_000)
                .filter(|n| Stream::ALL[n % 3] == stream)
                .collect();
            assert_eq!(seen, expected);
        }
    }
}

#[test]
fn a_line_is_in_its_file_soon_after_it_was_written_also_after_a_silence() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(JournalOptions::new(dir.path())).unwrap();
    let file = dir.path().join("backend.log");
    for (n, silence) in [0, 0, 1_500].into_iter().enumerate() {
        thread::sleep(Duration::from_millis(silence));
        journal.write(Stream::Backend, b"x").unwrap();
        let begin = Instant::now();
        while lines(&file).len() != n + 1 {
            assert!(begin.elapsed() < SOON, "line {n} is not in the file");
            thread::yield_now();
        }
    }
}

#[test]
fn flush_returns_when_the_lines_are_in_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(JournalOptions::new(dir.path())).unwrap();
    for n in 1..=20 {
        journal.write(Stream::Workflow, b"{}").unwrap();
        journal.flush(SOON).unwrap();
        assert_eq!(lines(&dir.path().join("workflow.log")).len(), n);
    }
    assert_eq!(journal.stats().lines, 20);
    assert_eq!(journal.stats().bytes, 60);
}

#[test]
fn two_journals_in_one_directory_do_not_mix() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Journal::open(JournalOptions::new(dir.path())).unwrap();
    let ((first, a), (second, b)) = (open(), open());
    assert_eq!((a.slot, b.slot), (0, 1));
    first.write(Stream::Backend, b"first").unwrap();
    second.write(Stream::Backend, b"second").unwrap();
    drop(first);
    let (third, recovery) = open();
    assert_eq!(recovery.slot, 0);
    assert!(!recovery.unclean());
    drop((second, third));
    assert_eq!(lines(&dir.path().join("backend.log")), ["first"]);
    assert_eq!(lines(&dir.path().join("backend.1.log")), ["second"]);
}

#[test]
fn what_cannot_be_taken_is_counted_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let options = JournalOptions::new(dir.path())
        .max_line(100)
        .service(r#"{"name":"shop"}"#);
    let (journal, _) = Journal::open(options).unwrap();
    assert_eq!(
        journal.write(Stream::Backend, &[b'x'; 101]),
        Err(Dropped::TooLarge)
    );
    assert_eq!(journal.write(Stream::Backend, b"multi\nple\rlines"), Ok(()));
    let clone = journal.clone();
    journal.close(SOON).unwrap();
    assert_eq!(clone.write(Stream::Backend, b"late"), Err(Dropped::Closed));
    let lines = lines(&dir.path().join("backend.log"));
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines.contains(&"multi ple lines".to_owned()));
    let told = lines.iter().find(|line| line.contains("log_loss")).unwrap();
    let told: serde_json::Value = serde_json::from_str(told).unwrap();
    assert_eq!(told["extra"]["reason"], "too_large");
    assert_eq!(told["service"]["name"], "shop");
    assert_eq!(clone.stats().lost(), 2);
    // The one that came too late is told by the next run.
    drop((journal, clone));
    let (journal, recovery) = Journal::open(JournalOptions::new(dir.path())).unwrap();
    assert!(!recovery.unclean());
    assert_eq!(recovery.runs[0].untold_losses, [(Dropped::Closed, 1)]);
    journal.close(SOON).unwrap();
    let text = fs::read_to_string(dir.path().join("backend.log")).unwrap();
    assert!(text.contains(r#""reason":"closed""#), "{text}");
}

#[test]
fn large_lines_pass() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(JournalOptions::new(dir.path())).unwrap();
    let large = "y".repeat(1 << 20);
    for _ in 0..12 {
        journal.write(Stream::Backend, large.as_bytes()).unwrap();
    }
    journal.close(SOON).unwrap();
    assert!(
        lines(&dir.path().join("backend.log"))
            .iter()
            .all(|line| *line == large)
    );
}
