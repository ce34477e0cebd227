//! The journal from outside.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

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
