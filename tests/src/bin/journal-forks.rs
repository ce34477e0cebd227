//! Opens a journal, forks, and logs on both sides.
//!
//! `journal-forks LOGS both`: parent and child write, and both end well.
//! `journal-forks LOGS idle`: the child ends without writing, while the parent goes on.
//! `journal-forks LOGS daemon`: the parent is gone at once, the child goes on.

use std::path::Path;
use std::process;
use std::time::Duration;

use anyhow::{Result, ensure};
use omnify_trace::journal::{Journal, JournalOptions};
use omnify_trace::schema::Stream;

const SOON: Duration = Duration::from_secs(10);

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [logs, mode] = arguments.as_slice() else {
        anyhow::bail!("LOGS MODE")
    };
    let (journal, _) = Journal::open(JournalOptions::new(Path::new(logs)))?;
    let _note = journal.in_flight(b"the parent's work");
    write(&journal, "before", 100)?;
    // SAFETY: the journal's thread holds no lock that the child needs: its own journal is new, and
    // the C library makes its allocator safe for a forked child.
    let child = unsafe { libc::fork() };
    ensure!(child >= 0, "no fork");
    if child == 0 {
        if mode != "idle" {
            write(&journal, "child", 1_000)?;
            journal.flush(SOON)?;
        }
        drop(journal);
        process::exit(0);
    }
    if mode == "daemon" {
        process::abort();
    }
    write(&journal, "parent", 1_000)?;
    let mut status = 0;
    // SAFETY: our own child, and a valid pointer.
    let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
    ensure!(
        waited == child && status == 0,
        "the child ended with {status}"
    );
    write(&journal, "after", 100)?;
    journal.close(SOON)?;
    Ok(())
}

fn write(journal: &Journal, who: &str, count: u32) -> Result<()> {
    for n in 0..count {
        journal.write(Stream::Backend, format!("{who} {n}").as_bytes())?;
    }
    Ok(())
}
