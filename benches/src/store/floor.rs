//! What anybody could do without a store: read the file and look for the bytes.

use std::{fs::File, io::Read, path::Path, time::Instant};

use anyhow::Result;

use super::AREA;
use crate::report::Report;

/// Scans the file for what some of the questions look for.
pub(super) fn run(log: &Path, request_id: &str, report: &mut Report) -> Result<()> {
    for (case, word) in [
        ("Q1c rare substring, 7 days", "quarantine of"),
        ("Q1d absent substring, 7 days", "zebra crossing"),
        ("Q7 one request id", request_id),
    ] {
        let started = Instant::now();
        let found = scan(log, word.as_bytes())?;
        let milliseconds = started.elapsed().as_secs_f64() * 1000.0;
        report.add(AREA, case, "plain scan of the file", milliseconds, "ms");
        report.note(format!("{case}, plain scan: {found} places"));
    }
    Ok(())
}

/// How often the word is in the file.
fn scan(log: &Path, word: &[u8]) -> Result<usize> {
    let finder = memchr::memmem::Finder::new(word);
    let mut file = File::open(log)?;
    let mut block = vec![0; 1 << 20];
    let (mut kept, mut found) = (0, 0);
    loop {
        let read = file.read(&mut block[kept..])?;
        if read == 0 {
            return Ok(found);
        }
        let end = kept + read;
        found += finder.find_iter(&block[..end]).count();
        // A word may lie across two blocks.
        kept = (word.len() - 1).min(end);
        block.copy_within(end - kept..end, 0);
    }
}
