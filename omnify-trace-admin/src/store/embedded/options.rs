//! How the embedded store works.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::far;
#[cfg(feature = "object-store")]
use crate::store::StoreError;

/// How the embedded store works. `StoreOptions::new(log_dir, data_dir)` is useful as it stands.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoreOptions {
    /// Where the log files are.
    pub log_dir: PathBuf,
    /// Where the segments go; no other process may use it.
    pub data_dir: PathBuf,
    /// How often the files are looked at. Defaults to 100 ms.
    pub poll: Duration,
    /// How long lines stay in memory only. Defaults to 5 minutes.
    pub seal_interval: Duration,
    /// How many lines make a segment. Defaults to 131,072.
    pub seal_rows: usize,
    /// How many bytes of lines make a segment. Defaults to 96 MiB.
    pub seal_bytes: usize,
    /// Threads that write segments. Defaults to 2.
    pub sealers: usize,
    /// How old lines may become. Defaults to no limit.
    pub max_age: Option<Duration>,
    /// How many bytes the segments may have in all; the oldest go first. Defaults to no limit.
    pub max_bytes: Option<u64>,
    /// How many bytes of decoded columns and parts of answers are kept for the next question. Defaults to 64 MiB.
    pub keep_bytes: usize,
    /// How many bytes of segments stay in the data directory that the object store has too.
    /// Defaults to no limit.
    pub near_bytes: Option<u64>,
    /// Where sealed segments are sent.
    pub(crate) far: Option<Arc<dyn far::Objects>>,
}

impl StoreOptions {
    /// The defaults for these directories.
    #[must_use]
    pub fn new(log_dir: impl Into<PathBuf>, data_dir: impl Into<PathBuf>) -> Self {
        Self {
            log_dir: log_dir.into(),
            data_dir: data_dir.into(),
            poll: Duration::from_millis(100),
            seal_interval: Duration::from_secs(300),
            seal_rows: 131_072,
            seal_bytes: 96 << 20,
            sealers: 2,
            max_age: None,
            max_bytes: None,
            keep_bytes: 64 << 20,
            near_bytes: None,
            far: None,
        }
    }

    /// How often the files are looked at. Defaults to 100 ms.
    #[must_use]
    pub fn poll(mut self, poll: Duration) -> Self {
        self.poll = poll;
        self
    }

    /// How long lines stay in memory only. Defaults to 5 minutes.
    #[must_use]
    pub fn seal_interval(mut self, interval: Duration) -> Self {
        self.seal_interval = interval;
        self
    }

    /// How old lines may become before their segment is removed; the log files stay. Defaults
    /// to no limit.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// How many bytes the segments may have in all; the oldest go first. Defaults to no limit.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// How many bytes of decoded columns and parts of answers are kept for the next question. Defaults to 64 MiB.
    #[must_use]
    pub fn keep_bytes(mut self, bytes: usize) -> Self {
        self.keep_bytes = bytes;
        self
    }

    /// How many bytes of segments stay in the data directory that the object store has too; of
    /// others the rows are fetched when a question wants them. Defaults to no limit.
    #[must_use]
    pub fn near_bytes(mut self, bytes: u64) -> Self {
        self.near_bytes = Some(bytes);
        self
    }

    /// Also keeps the sealed segments on the object store of an address, such as
    /// `s3://bucket/folder` (each cloud is a feature of this crate) or `file:///mnt/share/folder`;
    /// keys and regions come from the environment, by the names that the cloud's own tools use.
    /// No other store may use the same folder. Defaults to the data directory alone.
    ///
    /// # Errors
    /// If the address is not one, or of a cloud that was not compiled in (OT0309).
    #[cfg(feature = "object-store")]
    pub fn segments_url(mut self, address: &str) -> Result<Self, StoreError> {
        let bad = |reason| StoreError::BadSegmentsUrl {
            address: crate::state::without_password(address),
            reason,
        };
        self.far = Some(Arc::new(far::Cloud::at(address).map_err(bad)?));
        Ok(self)
    }

    /// Also keeps the sealed segments on this object store. Defaults to the data directory alone.
    ///
    /// # Errors
    /// If no thread can be started for it.
    #[cfg(feature = "object-store")]
    pub fn segments_on(
        mut self,
        store: Arc<dyn object_store::ObjectStore>,
    ) -> Result<Self, StoreError> {
        let failed = |error: std::io::Error| StoreError::Unavailable(error.to_string());
        self.far = Some(Arc::new(far::Cloud::new(store).map_err(failed)?));
        Ok(self)
    }

    /// How many lines make a segment. Defaults to 131,072, which is also the most.
    #[must_use]
    pub fn seal_rows(mut self, rows: usize) -> Self {
        self.seal_rows = rows.clamp(1, 131_072);
        self
    }
}
