//! The engine as its users see it.

#[cfg(feature = "failpoints")]
mod crash;
mod differential;
mod far;
mod faults;
mod files;
mod full;
mod reference;
mod tend;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{EmbeddedStore, StoreOptions};
use crate::store::{Line, LogStore, Order, Page, Query, StoreError, StoreStats};

/// A store over temporary directories.
pub(super) struct World {
    #[cfg_attr(
        not(feature = "failpoints"),
        expect(dead_code, reason = "removed when dropped")
    )]
    pub(super) dir: TempDir,
    pub(super) store: Option<EmbeddedStore>,
    pub(super) options: StoreOptions,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(|options| options)
    }

    pub(super) fn with(change: impl FnOnce(StoreOptions) -> StoreOptions) -> Self {
        let dir = TempDir::new().unwrap();
        let options = StoreOptions::new(dir.path().join("logs"), dir.path().join("store"))
            .poll(Duration::from_millis(5));
        let options = change(options);
        std::fs::create_dir_all(&options.log_dir).unwrap();
        Self {
            dir,
            store: Some(EmbeddedStore::open(options.clone()).unwrap()),
            options,
        }
    }

    pub(super) fn logs(&self) -> &Path {
        &self.options.log_dir
    }

    pub(super) fn append(&self, file: &str, text: &str) {
        use std::io::Write;
        let path = self.logs().join(file);
        let file = std::fs::File::options()
            .append(true)
            .create(true)
            .open(path);
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }

    pub(super) fn store(&self) -> &EmbeddedStore {
        self.store.as_ref().unwrap()
    }

    /// Stops as a kill would: nothing is sealed.
    pub(super) fn crash(&mut self) {
        self.store = None;
    }

    pub(super) async fn close(&mut self) {
        if let Some(store) = self.store.take() {
            store.close().await;
        }
    }

    pub(super) fn reopen(&mut self) {
        let end = Instant::now() + Duration::from_secs(20);
        let opened = loop {
            match EmbeddedStore::open(self.options.clone()) {
                // A process that another test starts has our lock too, until it is itself.
                Err(StoreError::InUse(_)) if Instant::now() < end => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                opened => break opened,
            }
        };
        self.store = Some(opened.unwrap());
    }

    pub(super) async fn all(&self) -> Vec<Line> {
        let page = Page {
            limit: 100_000,
            cursor: None,
            order: Order::Oldest,
        };
        self.store()
            .search(&Query::default(), &page)
            .await
            .unwrap()
            .lines
    }

    pub(super) async fn raws(&self) -> Vec<String> {
        self.all()
            .await
            .iter()
            .map(|line| line.raw.to_string())
            .collect()
    }

    /// Looks until it is so; fails once the time is over.
    pub(super) async fn until(
        &self,
        limit: Duration,
        what: &str,
        is_so: impl Fn(&StoreStats) -> bool,
    ) -> StoreStats {
        let end = Instant::now() + limit;
        loop {
            let stats = self.store().stats().await.unwrap();
            if is_so(&stats) {
                return stats;
            }
            assert!(Instant::now() < end, "{what}: {stats:?}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Waits until so many lines are searchable, whatever else is still to be read.
    pub(super) async fn settle_at(&self, lines: u64) {
        let end = Instant::now() + Duration::from_secs(20);
        while self.store().stats().await.unwrap().lines < lines {
            assert!(Instant::now() < end, "{lines} lines expected");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        tokio::time::sleep(self.options.poll * 4).await;
    }

    /// Waits until so many lines are searchable, then a moment more for any that must not come.
    pub(super) async fn settle(&self, lines: u64) {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let stats = self.store().stats().await.unwrap();
            if stats.lines >= lines && stats.behind_bytes == 0 {
                break;
            }
            assert!(
                Instant::now() < end,
                "{lines} lines expected, there are {stats:?}"
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        tokio::time::sleep(self.options.poll * 4).await;
    }
}

/// A line of our schema at a second of 2026.
pub(super) fn json_line(second: usize, message: &str) -> String {
    let (minute, second) = (second / 60 % 60, second % 60);
    format!(
        r#"{{"timestamp":"2026-01-01T00:{minute:02}:{second:02}.000000001Z","level":"INFO","message":"{message}","context":{{"user_id":"u{second}"}}}}"#
    )
}

/// Numbered lines: as a file has them, and one by one.
pub(super) fn lines(range: std::ops::Range<usize>) -> (String, Vec<String>) {
    let lines: Vec<String> = range.map(|n| json_line(n, &format!("line {n}"))).collect();
    let text = lines.iter().map(|line| format!("{line}\n")).collect();
    (text, lines)
}
