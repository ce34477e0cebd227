//! Crash trials: the lines that a victim writes, and the check that none is missing, doubled or torn.
//!
//! A victim's line says run, writer and number; its length and its filling follow from those, so
//! that the reader can make the very same line and compare. After each `write()` that returned, the
//! victim counts up a number in shared memory: what it counted must be in the files.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use memmap2::MmapRaw;
use omnify_trace::schema::Stream;

/// The most writers that a victim has.
pub const WRITERS: usize = 8;

/// How often each kind of death is tried: `OMNIFY_TRIALS`, or the given few.
#[must_use]
pub fn trials(few: u32) -> u32 {
    std::env::var("OMNIFY_TRIALS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(few)
}

/// The line that a writer of a run writes as its `number`th.
#[must_use]
pub fn line(run: u32, writer: usize, number: u64) -> String {
    let mix = number.wrapping_mul(7_919).wrapping_add(writer as u64);
    let len = if mix.is_multiple_of(97) {
        9_000 + mix % 5_000
    } else {
        mix % 700
    };
    let letter = (mix % 26) as usize;
    let pad = "abcdefghijklmnopqrstuvwxyz"[letter..=letter].repeat(len as usize);
    format!(r#"{{"run":{run},"writer":{writer},"number":{number},"pad":"{pad}"}}"#)
}

/// The stream that the line goes to.
#[must_use]
pub fn stream(number: u64) -> Stream {
    Stream::ALL[(number % 3) as usize]
}

/// The file in which a run counts what it has written.
#[must_use]
pub fn acknowledged_path(dir: &Path, run: u32) -> PathBuf {
    dir.join(format!("acknowledged-{run}"))
}

/// Makes the file in which a run counts.
///
/// # Errors
/// If it cannot be written.
pub fn prepare(dir: &Path, run: u32) -> Result<()> {
    fs::write(acknowledged_path(dir, run), [0_u8; WRITERS * 8])?;
    Ok(())
}

/// Numbers in a shared file: they outlive the process, and cost no system call.
pub struct Acknowledged(pub &'static [AtomicU64; WRITERS]);

impl Acknowledged {
    /// Opens what [`prepare`] made.
    ///
    /// # Errors
    /// If it is not there.
    pub fn open(dir: &Path, run: u32) -> Result<Self> {
        let path = acknowledged_path(dir, run);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .context("prepared?")?;
        let map = Box::leak(Box::new(MmapRaw::map_raw(&file)?));
        // SAFETY: the file is `WRITERS * 8` bytes long, mapped for ever, and page-aligned.
        Ok(Self(unsafe { &*map.as_mut_ptr().cast() }))
    }
}

/// Waits until a run's first line was acknowledged, so that its death meets it at work.
///
/// # Errors
/// If it has not begun within half a minute.
pub fn wait_until_begun(dir: &Path, run: u32) -> Result<()> {
    let counts = acknowledged_path(dir, run);
    let deadline = Instant::now() + Duration::from_secs(30);
    while fs::read(&counts)?.iter().all(|&byte| byte == 0) {
        ensure!(Instant::now() < deadline, "the victim wrote nothing");
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// What a check found.
#[derive(Debug, Default, Clone, Copy)]
pub struct Found {
    /// Lines in the files.
    pub lines: u64,
    /// Lines whose writing had returned.
    pub acknowledged: u64,
}

/// Checks every line of every log file in `logs` against what the runs counted in `counts`.
///
/// # Errors
/// Says which line is missing, doubled, torn or foreign.
pub fn check(logs: &Path, counts: &Path, runs: u32) -> Result<Found> {
    check_by(logs, counts, runs, read)
}

/// As [`check`], for events that were logged through `tracing`; other lines must be whole.
///
/// # Errors
/// As [`check`].
pub fn check_events(logs: &Path, counts: &Path, runs: u32) -> Result<Found> {
    check_by(logs, counts, runs, |text| {
        let value: serde_json::Value = serde_json::from_str(text)?;
        let get = |name: &str| value["extra"][name].as_u64();
        let (Some(run), Some(writer), Some(number)) = (get("run"), get("writer"), get("number"))
        else {
            return Ok(None);
        };
        let message = format!("event {number} of {writer}\nin run {run}");
        let user = writer.to_string();
        ensure!(value["message"] == message && value["context"]["user_id"] == user.as_str());
        Ok(Some((run as u32, writer as usize, number)))
    })
}

type Event = (u32, usize, u64);

fn check_by(
    logs: &Path,
    counts: &Path,
    runs: u32,
    read: impl Fn(&str) -> Result<Option<Event>>,
) -> Result<Found> {
    let mut seen: BTreeMap<(u32, usize), Vec<u64>> = BTreeMap::new();
    let mut found = Found::default();
    for entry in fs::read_dir(logs)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            let text = fs::read_to_string(&path)?;
            ensure!(
                text.is_empty() || text.ends_with('\n'),
                "{path:?} ends in a torn line"
            );
            let mut last: BTreeMap<(u32, usize), u64> = BTreeMap::new();
            for text in text.lines() {
                let event = read(text)
                    .with_context(|| format!("{path:?} holds a foreign or torn line: {text}"))?;
                let Some((run, writer, number)) = event else {
                    continue;
                };
                if let Some(before) = last.insert((run, writer), number) {
                    ensure!(
                        before < number,
                        "{path:?}: {run}/{writer}: {number} after {before}"
                    );
                }
                seen.entry((run, writer)).or_default().push(number);
                found.lines += 1;
            }
        }
    }
    for run in 0..runs {
        let counts = fs::read(acknowledged_path(counts, run))?;
        for (writer, count) in counts.as_chunks::<8>().0.iter().enumerate() {
            let count = u64::from_ne_bytes(*count);
            found.acknowledged += count;
            let mut numbers = seen.remove(&(run, writer)).unwrap_or_default();
            numbers.sort_unstable();
            for (expected, number) in numbers.iter().enumerate() {
                let kind = if *number < expected as u64 {
                    "doubled"
                } else {
                    "missing"
                };
                ensure!(
                    *number == expected as u64,
                    "run {run} writer {writer}: near {number} one is {kind}"
                );
            }
            let written = numbers.len() as u64;
            ensure!(
                written >= count,
                "run {run} writer {writer}: {written} of {count} lines"
            );
            ensure!(
                written <= count + 1,
                "run {run} writer {writer}: {written} for {count} lines"
            );
        }
    }
    if let Some((run, _)) = seen.keys().next() {
        bail!("lines of a run {run} that never was");
    }
    Ok(found)
}

/// Reads a victim's line, if it is exactly that. `None` for a line by which the journal itself
/// tells of a loss: on a busy machine a writer may have been refused, and tried again.
fn read(text: &str) -> Result<Option<Event>> {
    let value: serde_json::Value = serde_json::from_str(text)?;
    if value["event_type"] == "log_loss" {
        return Ok(None);
    }
    let get = |name: &str| value[name].as_u64().context("no number");
    let (run, writer, number) = (get("run")? as u32, get("writer")? as usize, get("number")?);
    ensure!(
        line(run, writer, number) == text,
        "not the line that was written"
    );
    Ok(Some((run, writer, number)))
}
