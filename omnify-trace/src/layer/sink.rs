//! Where finished lines go.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;

use crate::{journal::InFlight, schema::Stream};

/// Takes finished lines. Called on the thread that logs: it must be quick and must not log.
pub trait Sink: Send + Sync + 'static {
    /// Takes one line, its `\n` included.
    fn write(&self, stream: Stream, line: &[u8]);

    /// Waits until everything taken so far is where it belongs. False if that took too long.
    fn flush(&self, timeout: Duration) -> bool {
        let _ = timeout;
        true
    }

    /// Takes no more lines and marks the end as clean. False if that took too long.
    fn close(&self, timeout: Duration) -> bool {
        self.flush(timeout)
    }

    /// How many lines were lost, for whatever reason.
    fn lost(&self) -> u64 {
        0
    }

    /// Notes that something is in flight, until the handle is dropped: the next start after a
    /// crash tells of it. `None` where nothing survives a crash.
    fn in_flight(&self, note: &[u8]) -> Option<InFlight> {
        let _ = note;
        None
    }
}

impl<T: Sink + ?Sized> Sink for Arc<T> {
    fn write(&self, stream: Stream, line: &[u8]) {
        (**self).write(stream, line);
    }

    fn flush(&self, timeout: Duration) -> bool {
        (**self).flush(timeout)
    }

    fn close(&self, timeout: Duration) -> bool {
        (**self).close(timeout)
    }

    fn lost(&self) -> u64 {
        (**self).lost()
    }

    fn in_flight(&self, note: &[u8]) -> Option<InFlight> {
        (**self).in_flight(note)
    }
}

/// Discards every line: for measuring, or when only the console is wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSink;

impl Sink for NoSink {
    fn write(&self, _: Stream, _: &[u8]) {}
}

/// Keeps lines in memory: for tests.
#[derive(Debug, Clone, Default)]
pub struct MemorySink {
    lines: Arc<Mutex<Vec<(Stream, String)>>>,
}

impl MemorySink {
    /// An empty one; clones share their lines.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The lines so far, without their line breaks.
    #[must_use]
    pub fn lines(&self) -> Vec<(Stream, String)> {
        self.lines.lock().clone()
    }

    /// The lines so far, parsed.
    #[must_use]
    pub fn events(&self) -> Vec<serde_json::Value> {
        let parse = |(_, line): &(Stream, String)| {
            serde_json::from_str(line).unwrap_or_else(
                |error| serde_json::json!({"unparsable": line, "error": error.to_string()}),
            )
        };
        self.lines.lock().iter().map(parse).collect()
    }

    /// How many lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.lock().len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.lock().is_empty()
    }

    /// Forgets the lines that `keep` does not want.
    pub fn retain(&self, mut keep: impl FnMut(&str) -> bool) {
        self.lines.lock().retain(|(_, line)| keep(line));
    }

    /// Forgets the lines so far.
    pub fn clear(&self) {
        self.lines.lock().clear();
    }
}

impl Sink for MemorySink {
    fn write(&self, stream: Stream, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let line = line.strip_suffix('\n').unwrap_or(&line).to_owned();
        self.lines.lock().push((stream, line));
    }
}

/// Appends to `backend.log`, `frontend.log` and `workflow.log` under a lock, a system call a line.
#[derive(Debug)]
pub struct FileSink {
    files: [Mutex<File>; 3],
    lost: AtomicU64,
}

impl FileSink {
    /// Opens or creates the three files.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn open(directory: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let open = |stream: Stream| {
            OpenOptions::new()
                .create(true)
                .append(true)
                .open(directory.join(format!("{}.log", stream.as_str())))
                .map(Mutex::new)
        };
        Ok(Self {
            files: [
                open(Stream::Backend)?,
                open(Stream::Frontend)?,
                open(Stream::Workflow)?,
            ],
            lost: AtomicU64::new(0),
        })
    }
}

impl Sink for FileSink {
    fn write(&self, stream: Stream, line: &[u8]) {
        let mut file = self.files[stream as usize].lock();
        if file.write_all(line).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}
