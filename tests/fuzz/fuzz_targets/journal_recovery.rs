//! Any bytes in the ring file: the next start does not panic, and writes no wrong line.
//!
//! The input edits the ring of a dead process: each six bytes are a place, a length and a byte.
#![no_main]

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use omnify_trace::journal::{Journal, JournalOptions, WhenFull};
use omnify_trace::schema::Stream;

/// Bytes before the lines in a ring file: header and table of what is in flight.
const DATA_AT: usize = 4096 + 1024 * 512;
const RING: usize = 4096;

static LINES: LazyLock<Vec<String>> = LazyLock::new(|| {
    (0..40_usize)
        .map(|n| format!("{n} {}", "abc".repeat(n % 30)))
        .collect()
});

/// The ring of a process whose disk was full, so that nothing was drained.
static DEAD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("a directory");
    symlink("/dev/full", dir.path().join("backend.log")).expect("a link");
    let (journal, _) = Journal::open(options(&dir)).expect("a journal");
    for line in &*LINES {
        let _ = journal.write(Stream::Backend, line.as_bytes());
    }
    let dead = fs::read(dir.path().join(".journal-0.ring")).expect("a ring");
    fs::remove_file(dir.path().join("backend.log")).expect("the link");
    dead
});

fn options(dir: &tempfile::TempDir) -> JournalOptions {
    JournalOptions::new(dir.path())
        .ring_bytes(RING)
        .when_full(WhenFull::Drop)
}

fuzz_target!(|input: &[u8]| {
    let mut ring = DEAD.clone();
    for edit in input.as_chunks::<6>().0 {
        let place = u32::from_le_bytes([edit[0], edit[1], edit[2], 0]) as usize;
        // Half of the edits go to the first page, half to the lines.
        let at = if place % 2 == 0 {
            place / 2 % 1_536
        } else {
            DATA_AT + place / 2 % RING
        };
        let end = (at + 1 + usize::from(edit[3]) % 64).min(ring.len());
        ring[at..end].fill(edit[4]);
        ring[at] = edit[5];
    }
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join(".journal-0.ring"), ring).expect("a ring");
    let (journal, _) = Journal::open(options(&dir)).expect("a journal");
    journal.close(Duration::from_secs(10)).expect("closed");
    drop(journal);
    let text = fs::read_to_string(dir.path().join("backend.log")).unwrap_or_default();
    let mut seen = HashSet::new();
    for line in text.lines().filter(|line| !line.contains("log_loss")) {
        assert!(
            LINES.iter().any(|known| known == line),
            "a wrong line: {line}"
        );
        assert!(seen.insert(line), "twice: {line}");
    }
});
