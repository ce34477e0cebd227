//! What can be chosen, and what is chosen when nothing is said.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::JournalError;
use super::{frame, ring};

/// What a full ring does to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// Waits up to this long for room, then drops the line. Once one caller has waited in vain, the
    /// others do not wait until something is drained again: a dead disk does not stop the service.
    Block(Duration),
    /// Drops the line at once.
    Drop,
}

/// When a file is set aside for a new one, besides [`JournalOptions::max_file_bytes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rotation {
    /// By size alone.
    Never,
    /// At the first line of a new UTC hour.
    Hourly,
    /// At the first line of a new UTC day.
    #[default]
    Daily,
}

/// How long rotated files are kept. What nothing limits stays for ever.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    /// Files whose last line is older than this go.
    pub max_age: Option<Duration>,
    /// So many rotated files of each stream stay.
    pub max_files: Option<usize>,
    /// Rotated files of all streams together take no more than this.
    pub max_total_bytes: Option<u64>,
}

/// What happens to rotated files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// They stay as they are.
    #[default]
    None,
    /// All but the newest of each stream are gzipped: `backend.<timestamp>.log.gz`. The newest
    /// stays plain, for those who still follow it.
    Gzip,
}

/// How to open a [`Journal`](super::Journal).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JournalOptions {
    pub(super) dir: PathBuf,
    pub(super) ring_dir: Option<PathBuf>,
    pub(super) ring_bytes: usize,
    pub(super) max_line: usize,
    pub(super) when_full: WhenFull,
    pub(super) rotation: Rotation,
    pub(super) max_file_bytes: u64,
    pub(super) retention: Retention,
    pub(super) compression: Compression,
    pub(super) service: Option<String>,
}

impl JournalOptions {
    /// Files in `dir`, everything else by default.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            ring_dir: None,
            ring_bytes: 8 << 20,
            max_line: 1 << 20,
            when_full: WhenFull::Block(Duration::from_millis(100)),
            rotation: Rotation::default(),
            max_file_bytes: 128 << 20,
            retention: Retention::default(),
            compression: Compression::default(),
            service: None,
        }
    }

    /// Where the ring file lies. On a memory file system the ring costs no disk writes at all, and
    /// does not survive a reboot. Processes that share a log directory must share this one too.
    /// Defaults to the log directory.
    #[must_use]
    pub fn ring_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.ring_dir = Some(dir.into());
        self
    }

    /// Bytes of lines that may wait to be drained, rounded up to a power of two. Defaults to 8 MiB.
    #[must_use]
    pub fn ring_bytes(mut self, bytes: usize) -> Self {
        self.ring_bytes = bytes;
        self
    }

    /// The longest line; longer ones are dropped and counted. At most a quarter of the ring and
    /// 16 MiB. Defaults to 1 MiB.
    #[must_use]
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.max_line = bytes;
        self
    }

    /// What a full ring does to the caller. Defaults to waiting up to 100 ms.
    #[must_use]
    pub fn when_full(mut self, policy: WhenFull) -> Self {
        self.when_full = policy;
        self
    }

    /// When a new file begins. Defaults to daily.
    #[must_use]
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.rotation = rotation;
        self
    }

    /// How large a file grows before a new one begins. Defaults to 128 MiB.
    #[must_use]
    pub fn max_file_bytes(mut self, bytes: u64) -> Self {
        self.max_file_bytes = bytes;
        self
    }

    /// How long rotated files stay. Defaults to for ever.
    #[must_use]
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// What happens to rotated files. Defaults to nothing.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// The `service` object, as JSON, for the lines that the journal itself writes (`log_loss`).
    /// Defaults to none.
    #[must_use]
    pub fn service(mut self, json: impl Into<String>) -> Self {
        self.service = Some(json.into());
        self
    }

    /// Where the log files are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.dir
    }

    pub(super) fn rings(&self) -> &Path {
        self.ring_dir.as_deref().unwrap_or(&self.dir)
    }

    pub(super) fn capacity(&self) -> usize {
        self.ring_bytes
            .clamp(ring::MIN_CAPACITY, ring::MAX_CAPACITY)
            .next_power_of_two()
    }

    pub(super) fn longest_line(&self) -> usize {
        self.max_line.min(self.capacity() / 4).min(frame::MAX_LINE)
    }

    pub(super) fn check(&self) -> Result<(), JournalError> {
        let problem = |option, problem: String| Err(JournalError::Option { option, problem });
        if self.ring_bytes > ring::MAX_CAPACITY {
            let most = ring::MAX_CAPACITY;
            return problem(
                "ring_bytes",
                format!("{} is more than {most}", self.ring_bytes),
            );
        }
        if self.max_file_bytes == 0 {
            return problem(
                "max_file_bytes",
                "0 would begin a new file for every line".into(),
            );
        }
        if self.max_line == 0 {
            return problem("max_line", "0 would drop every line".into());
        }
        Ok(())
    }
}
