//! What an earlier run left in its ring goes into its files, each line exactly once.
//!
//! The checkpoint says how long the files were when everything before its tail was in them. What is
//! behind that length in a file is a prefix of the lines from the tail on, in their order: it is
//! compared with those lines, and only the rest is appended. The file never shrinks, so that
//! those who follow it notice nothing. A kill during recovery changes nothing: the files and
//! lengths that it begins with are in the ring's checkpoint before its first byte is written, so
//! the next one finds the same ring and longer files.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::error::Dropped;
use super::files::{end_line, mark_of, open_append, stage, stem};
use super::header::{Checkpoint, MAGIC, Mark};
use super::loss;
use super::ring::{DATA_AT, Ring};
use super::slot::Slot;
use crate::schema::Stream;

/// What was found when a journal was opened.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Recovery {
    /// The slot of the new journal: 0 writes `backend.log`, n writes `backend.<n>.log`.
    pub slot: u32,
    /// Why the ring lies in plain memory and would not survive a crash, if it does.
    pub volatile: Option<String>,
    /// Earlier runs whose rings were found, the new journal's own slot first.
    pub runs: Vec<EarlierRun>,
    /// Slots whose rings could not be drained now. They stay for the next start.
    pub failed: Vec<(u32, String)>,
}

impl Recovery {
    /// Whether an earlier run ended without closing its journal.
    #[must_use]
    pub fn unclean(&self) -> bool {
        self.runs.iter().any(|run| run.unclean)
    }

    /// Lines that were drained for earlier runs.
    #[must_use]
    pub fn recovered_lines(&self) -> u64 {
        self.runs.iter().map(|run| run.recovered_lines).sum()
    }
}

/// A run that ended before this one began.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EarlierRun {
    /// Its slot.
    pub slot: u32,
    /// Its process.
    pub pid: u32,
    /// When it opened its journal.
    pub started_at: SystemTime,
    /// Whether it ended without closing its journal: killed, crashed, or exited in a hurry.
    pub unclean: bool,
    /// The fatal signal that ended it, if it was one that a process can notice: not SIGKILL.
    pub signal: Option<i32>,
    /// Lines that were still in its ring and are in its files now.
    pub recovered_lines: u64,
    /// Words of the ring that made no sense: more than 0 only after a power cut or a bad disk.
    pub damaged_words: u64,
    /// Lines that it had lost and not told of. The new journal tells.
    pub untold_losses: Vec<(Dropped, u64)>,
    /// The notes of what was in flight: see [`InFlight`](super::InFlight).
    pub in_flight: Vec<Vec<u8>>,
}

/// The ring of a slot that was just taken, if there is one and it is whole.
pub(super) fn open_ring(slot: &Slot) -> io::Result<Option<Ring>> {
    let file = slot.file()?;
    let len = file.metadata()?.len();
    let Some(capacity) = len.checked_sub(DATA_AT as u64).filter(|size| *size > 0) else {
        return Ok(None);
    };
    let Ok(ring) = Ring::map(file, capacity as usize) else {
        return Ok(None);
    };
    let header = ring.header();
    let whole = header.magic.load(Relaxed) == MAGIC && header.capacity.load(Relaxed) == capacity;
    Ok(whole.then_some(ring))
}

/// Drains an earlier run's ring into its files.
pub(super) fn recover(ring: &mut Ring, dir: &Path, slot: u32) -> io::Result<EarlierRun> {
    let header = ring.header();
    let unclean = header.clean.load(Relaxed) != 1;
    let checkpoint = header.checkpoint();
    let mut run = EarlierRun {
        slot,
        pid: header.pid.load(Relaxed) as u32,
        started_at: UNIX_EPOCH + Duration::from_nanos(header.started.load(Relaxed)),
        unclean,
        signal: i32::try_from(header.signal.load(Relaxed))
            .ok()
            .filter(|signal| unclean && *signal != 0),
        recovered_lines: 0,
        damaged_words: 0,
        untold_losses: loss::untold(header)
            .map(|loss| (loss.reason, loss.count))
            .collect(),
        in_flight: if unclean { ring.notes() } else { Vec::new() },
    };
    let Some(checkpoint) = checkpoint else {
        run.damaged_words = 1;
        return Ok(run);
    };
    let mut lines = [const { Vec::new() }; 3];
    let mut count = 0;
    run.damaged_words = ring.scan(checkpoint.tail, |stream, first, second| {
        stage(&mut lines[stream as usize], [first, second]);
        count += 1;
    });
    run.recovered_lines = count;
    append_all(ring, &lines, checkpoint, dir, slot)?;
    Ok(run)
}

fn append_all(
    ring: &Ring,
    lines: &[Vec<u8>; 3],
    mut checkpoint: Checkpoint,
    dir: &Path,
    slot: u32,
) -> io::Result<()> {
    let mut files = Vec::new();
    for stream in Stream::ALL {
        let lines = &lines[stream as usize];
        if !lines.is_empty() {
            let mark = &mut checkpoint.marks[stream as usize];
            let (file, from) = file_of(dir, stream, slot, *mark)?;
            *mark = Mark {
                len: from,
                ..mark_of(&file.metadata()?)
            };
            files.push((file, from, lines));
        }
    }
    // A run that died before its first batch has named no files: now they are named.
    ring.header().publish(&checkpoint);
    for (mut file, from, lines) in files {
        append_rest(&mut file, from, lines)?;
    }
    Ok(())
}

/// The file that a mark names, under whatever name it has now, and where the lines begin in it.
/// If it is gone, the stream's current file, at its end.
fn file_of(dir: &Path, stream: Stream, slot: u32, mark: Mark) -> io::Result<(File, u64)> {
    let stem = stem(stream, slot);
    let is_it = |meta: &fs::Metadata| {
        meta.is_file() && meta.dev() == mark.device && meta.ino() == mark.inode
    };
    let mut paths = vec![dir.join(format!("{stem}.log"))];
    if mark.inode != 0 {
        let named = |entry: &fs::DirEntry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(stream.as_str()) && !name.ends_with(".gz")
        };
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        paths.extend(entries.filter(named).map(|entry| entry.path()));
        for path in &paths {
            if fs::metadata(path).is_ok_and(|meta| is_it(&meta)) {
                let file = open_append(path)?;
                let len = mark_of(&file.metadata()?).len;
                return Ok((file, mark.len.min(len)));
            }
        }
    }
    fs::create_dir_all(dir)?;
    let mut file = open_append(&paths[0])?;
    end_line(&mut file)?;
    let len = file.metadata()?.len();
    Ok((file, len))
}

/// Appends to `file` what of `lines` is not behind `from` already.
fn append_rest(file: &mut File, from: u64, lines: &[u8]) -> io::Result<()> {
    let mut present = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    file.take(lines.len() as u64 + 1)
        .read_to_end(&mut present)?;
    let common = present
        .iter()
        .zip(lines)
        .take_while(|(a, b)| a == b)
        .count();
    if common == present.len() {
        if common == 0 {
            end_line(file)?;
        }
        return file.write_all(&lines[common..]);
    }
    // Somebody else wrote here: whole lines of ours count, and what follows is not ours.
    let whole = lines[..common]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    end_line(file)?;
    file.write_all(&lines[whole..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(present: &[u8], from: u64, lines: &[u8]) -> Vec<u8> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(present).unwrap();
        // A plain file does not append, so go to the end as append mode would.
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        fs::write(&path, present).unwrap();
        append_rest(&mut open_append(&path).unwrap(), from, lines).unwrap();
        fs::read(path).unwrap()
    }

    #[test]
    fn only_what_is_missing_is_appended() {
        let lines = b"one\ntwo\nthree\n";
        let whole = b"zero\none\ntwo\nthree\n";
        for cut in 5..=whole.len() {
            assert_eq!(rest(&whole[..cut], 5, lines), whole, "cut at {cut}");
        }
        for cut in 0..=lines.len() {
            assert_eq!(rest(&lines[..cut], 0, lines), lines, "cut at {cut}");
        }
    }

    #[test]
    fn foreign_bytes_are_not_ours() {
        assert_eq!(
            rest(b"zero\none\ntwfoo", 5, b"one\ntwo\n"),
            b"zero\none\ntwfoo\ntwo\n"
        );
        assert_eq!(
            rest(b"zero\none\ntwo\nfoo\n", 5, b"one\ntwo\n"),
            b"zero\none\ntwo\nfoo\n"
        );
        assert_eq!(rest(b"zero", 4, b"one\n"), b"zero\none\n");
    }
}
