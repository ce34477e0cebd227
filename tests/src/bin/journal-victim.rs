//! Writes lines at full speed until it dies in the way that it was told to.

use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::Ordering::Release;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use omnify_tests::crash::{Acknowledged, line, stream};
use omnify_trace::journal::{Journal, JournalOptions};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [logs, counts, run, death, after, ring_bytes, file_bytes] = arguments.as_slice() else {
        anyhow::bail!("LOGS COUNTS RUN DEATH AFTER_MICROSECONDS RING_BYTES FILE_BYTES");
    };
    let run: u32 = run.parse()?;
    let after = Duration::from_micros(after.parse()?);
    let death = death.clone();
    let acknowledged = Acknowledged::open(Path::new(counts), run)?;
    let options = JournalOptions::new(logs)
        .ring_bytes(ring_bytes.parse()?)
        .max_file_bytes(file_bytes.parse()?);
    let (journal, _) = Journal::open(options)?;
    let panicking = death == "panic";
    thread::scope(|scope| {
        for writer in 0..4 {
            let (journal, acknowledged) = (journal.clone(), &acknowledged);
            scope.spawn(move || {
                for number in 0.. {
                    let text = line(run, writer, number);
                    while journal.write(stream(number), text.as_bytes()).is_err() {}
                    acknowledged.0[writer].store(number + 1, Release);
                    assert!(!(panicking && writer == 0 && number > 500), "as ordered");
                }
            });
        }
        thread::sleep(after);
        die(&death);
    });
    Ok(())
}

fn die(how: &str) {
    match how {
        "abort" => std::process::abort(),
        "exit" | "panic" => std::process::exit(0),
        "overflow" => {
            black_box(overflow(1));
        }
        "memory" => exhaust(),
        _ => thread::sleep(Duration::from_secs(60)),
    }
}

/// Deeper than any stack.
#[expect(unconditional_recursion, reason = "that is the point")]
fn overflow(depth: u64) -> u64 {
    let here = black_box([depth; 64]);
    overflow(here[0] + 1) + here[1]
}

/// Takes memory until there is none.
fn exhaust() {
    let limit = rustix::process::Rlimit {
        current: Some(512 << 20),
        maximum: Some(512 << 20),
    };
    let _ = rustix::process::setrlimit(rustix::process::Resource::As, limit);
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        hoard.push(vec![1; 16 << 20]);
        black_box(&hoard);
    }
}
