//! What the next start makes of a ring that a dead process left behind.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use proptest::prelude::*;

use super::super::files::{mark_of, open_append};
use super::super::header::Checkpoint;
use super::super::ring::{DATA_AT, Ring};
use super::super::slot::{self, Slot};
use super::super::{Journal, JournalOptions, Recovery, open, recover};
use super::{SOON, lines};
use crate::schema::Stream;

const CAPACITY: usize = 4096;
const NAMES: [&str; 3] = ["backend.log", "frontend.log", "workflow.log"];

/// A dead process: its ring holds `queued`, its files hold "before" and then the first `cut` bytes
/// of the batch that it was writing. `lap` bytes went through the ring before.
fn dead(dir: &Path, queued: &[(Stream, String)], cut: usize, lap: u64) {
    let slot = Slot::take(dir, 0).unwrap().unwrap();
    let ring = open::new_ring(&slot, CAPACITY).unwrap();
    let header = ring.header();
    header.head.store(lap, std::sync::atomic::Ordering::Relaxed);
    header.tail.store(lap, std::sync::atomic::Ordering::Relaxed);
    let mut left = cut;
    let marks = Stream::ALL.map(|stream| {
        let mut file = open_append(&dir.join(NAMES[stream as usize])).unwrap();
        file.write_all(b"before\n").unwrap();
        let mark = mark_of(&file.metadata().unwrap());
        let batch = expected(queued, stream);
        let part = left.min(batch.len());
        left -= part;
        file.write_all(&batch.as_bytes()[..part]).unwrap();
        mark
    });
    header.publish(&Checkpoint { tail: lap, marks });
    for (stream, line) in queued {
        ring.push(*stream, line.as_bytes()).unwrap();
    }
    ring.note(b"an operation").unwrap();
}

fn expected(queued: &[(Stream, String)], of: Stream) -> String {
    let of = queued.iter().filter(|(stream, _)| *stream == of);
    of.map(|(_, line)| format!("{line}\n")).collect()
}

fn queue() -> Vec<(Stream, String)> {
    (0..12)
        .map(|n| (Stream::ALL[n % 3], format!("{n}{}", "abc".repeat(n))))
        .collect()
}

fn start(dir: &Path) -> Recovery {
    let options = JournalOptions::new(dir).ring_bytes(CAPACITY);
    let (journal, recovery) = Journal::open(options).unwrap();
    journal.close(SOON).unwrap();
    recovery
}

#[test]
fn a_kill_at_any_byte_of_a_batch_leaves_every_line_exactly_once() {
    let queued = queue();
    let total: usize = queued.iter().map(|(_, line)| line.len() + 1).sum();
    for cut in 0..=total {
        let dir = tempfile::tempdir().unwrap();
        // Close to the end of the ring, so that lines wrap.
        dead(dir.path(), &queued, cut, 8 * CAPACITY as u64 - 64);
        let recovery = start(dir.path());
        assert!(recovery.unclean());
        assert_eq!(recovery.recovered_lines(), 12);
        assert_eq!(recovery.runs[0].pid, std::process::id());
        assert_eq!(recovery.runs[0].in_flight, [b"an operation"]);
        for again in [false, true] {
            if again {
                let recovery = start(dir.path());
                assert!(!recovery.unclean() && recovery.recovered_lines() == 0);
            }
            for stream in Stream::ALL {
                let text = fs::read_to_string(dir.path().join(NAMES[stream as usize])).unwrap();
                assert_eq!(
                    text,
                    format!("before\n{}", expected(&queued, stream)),
                    "cut {cut}"
                );
            }
        }
    }
}

#[test]
fn a_kill_in_the_recovery_of_a_run_without_a_batch_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let queued = queue();
    dead(dir.path(), &queued, 0, 0);
    let slot = Slot::take(dir.path(), 0).unwrap().unwrap();
    let mut ring = recover::open_ring(&slot).unwrap().unwrap();
    // Its drainer had not come to name the files.
    ring.header().publish(&Checkpoint::default());
    // The first of these ends before the ring is anew.
    for _ in 0..2 {
        recover::recover(&mut ring, dir.path(), 0).unwrap();
    }
    for stream in Stream::ALL {
        let text = fs::read_to_string(dir.path().join(NAMES[stream as usize])).unwrap();
        assert_eq!(text, format!("before\n{}", expected(&queued, stream)));
    }
}

#[test]
fn a_file_that_was_moved_while_nobody_looked_is_completed_under_its_new_name() {
    let dir = tempfile::tempdir().unwrap();
    let queued = queue();
    dead(dir.path(), &queued, 10, 0);
    let moved = dir.path().join("backend.20261121T091011Z.log");
    fs::rename(dir.path().join("backend.log"), &moved).unwrap();
    start(dir.path());
    let text = fs::read_to_string(moved).unwrap();
    assert_eq!(
        text,
        format!("before\n{}", expected(&queued, Stream::Backend))
    );
}

#[test]
fn a_dead_process_in_another_slot_is_recovered_too() {
    let dir = tempfile::tempdir().unwrap();
    dead(dir.path(), &queue(), 0, 0);
    // Its slot is 3 from now on.
    fs::rename(slot::path(dir.path(), 0), slot::path(dir.path(), 3)).unwrap();
    let recovery = start(dir.path());
    assert_eq!(
        (
            recovery.slot,
            recovery.runs[0].slot,
            recovery.recovered_lines()
        ),
        (0, 3, 12)
    );
    assert_eq!(fs::metadata(slot::path(dir.path(), 3)).unwrap().len(), 0);
    assert_eq!(lines(&dir.path().join("backend.log")).len(), 5);
    assert_eq!(start(dir.path()).recovered_lines(), 0);
}

#[test]
fn reservations_that_were_never_finished_are_skipped() {
    let mut ring = Ring::heap(CAPACITY).unwrap();
    ring.initialise(7);
    ring.push(Stream::Backend, b"one").unwrap();
    let head = &ring.header().head;
    // One that got as far as moving `head`, and no further.
    head.fetch_add(48, std::sync::atomic::Ordering::Relaxed);
    ring.push(Stream::Frontend, b"two").unwrap();
    let mut seen = Vec::new();
    let damaged = ring.scan(0, |stream, first, _| seen.push((stream, first.to_vec())));
    assert_eq!(damaged, 0);
    assert_eq!(
        seen,
        [
            (Stream::Backend, b"one".to_vec()),
            (Stream::Frontend, b"two".to_vec())
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever becomes of the ring file, the next start does not panic, and writes no line that
    /// was not written, and none twice.
    #[test]
    fn any_bytes_in_the_ring_file_yield_no_wrong_line(
        lap in 0_u64..4,
        cut in 0_usize..300,
        harm in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), prop::collection::vec(any::<u8>(), 1..64)), 1..6),
        truncated in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let queued = queue();
        dead(dir.path(), &queued, cut, lap * 1_000);
        let path = slot::path(dir.path(), 0);
        let mut bytes = fs::read(&path).unwrap();
        for (at, in_header, harm) in &harm {
            // The first page and the data; the table between is mere notes.
            let at = if *in_header { at.index(1_536) } else { DATA_AT + at.index(CAPACITY) };
            let end = (at + harm.len()).min(bytes.len());
            bytes[at..end].copy_from_slice(&harm[..end - at]);
        }
        if let Some(at) = truncated {
            bytes.truncate(at.index(bytes.len()));
        }
        fs::write(&path, bytes).unwrap();
        start(dir.path());
        for stream in Stream::ALL {
            let mut lines = lines(&dir.path().join(NAMES[stream as usize]));
            prop_assert_eq!(lines.remove(0), "before");
            lines.retain(|line| !line.contains("log_loss"));
            let whole = expected(&queued, stream);
            let whole: Vec<&str> = whole.lines().collect();
            // What is there is in order and complete; a torn last line of the batch may have been
            // ended where it stood.
            let mut from = 0;
            for line in &lines {
                let found = whole[from..].iter().position(|other| other == line);
                let torn = whole.iter().any(|other| other.starts_with(line.as_str()));
                prop_assert!(found.is_some() || torn, "{:?} in {:?}", line, lines);
                from += found.map_or(0, |found| found + 1);
            }
        }
    }
}
