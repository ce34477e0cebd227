//! The embedded engine: follows the log files and keeps their lines in Parquet segments.
//!
//! A *tailer* thread reads new lines and cuts them into columns; they are searchable at once,
//! from memory. When enough have come or some minutes have passed, *sealer* threads write them
//! as a segment. A segment's footer names the files and byte ranges its rows came from, so the
//! segments themselves are the tailer's checkpoint: a line is stored exactly once, whatever
//! happens between.
//!
//! | module | what lives there |
//! |---|---|
//! | `source`, `files`, `follow`, `tailer`, `ranges` | files: identity, finding, reading, what was read |
//! | `shape`, `fast`, `chunk` | lines cut into columns, and put together again |
//! | `segment`, `index` | Parquet files, checksums; what spares reading them |
//! | `options` | how it works |
//! | `shared`, `tend` | the searchable state; sealing; joining, retention, quarantine |
//! | `far` | segments on an object store |
//! | `kept` | columns that were decoded, and parts of answers, not long ago |
//! | `exec`, `threads` | queries |

mod chunk;
mod exec;
mod far;
mod fast;
pub(super) mod files;
mod follow;
mod index;
mod kept;
mod options;
mod ranges;
mod segment;
mod shape;
mod shared;
pub(super) mod source;
mod tailer;
mod tend;
#[cfg(test)]
mod tests;
mod threads;

use std::{fs::File, path::Path, sync::Arc, thread::JoinHandle};

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::broadcast;

pub use self::options::StoreOptions;
use self::{chunk::Chunk, shared::Shared, source::Catalog, tailer::Tailer};
use super::{
    Facets, Histogram, Line, Lines, LogStore, Numbers, Page, Query, StoreError, StoreStats, Texts,
};

/// The embedded log store. Dropping it stops it at once, which loses nothing, as the lines are
/// in the files; [`close`](Self::close) seals first, so that the next start has less to read.
#[derive(Debug)]
pub struct EmbeddedStore {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Holds the lock on the data directory.
    _lock: File,
}

impl EmbeddedStore {
    /// Opens the segments and starts following the log files.
    ///
    /// # Errors
    /// If a directory cannot be made or read, or another process has the data directory.
    pub fn open(options: StoreOptions) -> Result<Self, StoreError> {
        for directory in [&options.log_dir, &options.data_dir] {
            std::fs::create_dir_all(directory).map_err(io("create", directory))?;
        }
        let lock = lock(&options.data_dir)?;
        let opened = tend::open_all(&options.data_dir, options.far.as_ref())?;
        let mut catalog = Catalog::default();
        for extent in opened
            .segments
            .iter()
            .flat_map(|segment| &segment.meta.sources)
        {
            catalog.add(extent);
        }
        for extent in &tend::read_retired(&options.data_dir) {
            catalog.add(extent);
        }
        let sealers = options.sealers.max(1);
        let shared = Arc::new(Shared::new(
            options,
            catalog,
            opened.segments,
            opened.quarantined,
        ));
        *shared.gone.lock() = opened.gone;
        let mut threads = Vec::with_capacity(3 + sealers);
        for number in 0..sealers {
            let shared = shared.clone();
            threads.push(thread(&format!("store-seal-{number}"), move || {
                shared.seal_all();
            })?);
        }
        let tended = shared.clone();
        threads.push(thread("store-tend", move || tend::run(&tended))?);
        if let Some(objects) = shared.options.far.clone() {
            let sent = shared.clone();
            threads.push(thread("store-send", move || far::run(&sent, &*objects))?);
        }
        let tailed = shared.clone();
        threads.push(thread("store-tail", move || {
            Tailer::new(tailed.clone()).run();
            tailed.finish();
        })?);
        Ok(Self {
            shared,
            threads: Mutex::new(threads),
            _lock: lock,
        })
    }

    /// Reads what is left in the files, seals it, and stops.
    pub async fn close(&self) {
        self.shared.close();
        let threads = std::mem::take(&mut *self.threads.lock());
        let shared = self.shared.clone();
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                let _ = thread.join();
            }
            if let Some(objects) = &shared.options.far {
                far::send(&shared, &**objects);
            }
        });
        let _ = joined.await;
    }

    /// What went wrong last in the background (a full disk, say), if it still stands.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        self.shared.last_error()
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl Fn(&Shared, &exec::Stop) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = self.shared.clone();
        let stop = exec::Stop::default();
        let guard = stop.on_drop();
        let ask = move || {
            for _ in 0..8 {
                match work(&shared, &stop) {
                    // Without the damaged segment the answer is right again as soon as the
                    // tailer has read its lines once more.
                    Err(StoreError::Damaged { path, .. }) => {
                        tend::quarantine(&shared, Path::new(&path))?;
                    }
                    answer => return answer,
                }
            }
            work(&shared, &stop)
        };
        let done = tokio::task::spawn_blocking(ask).await;
        drop(guard);
        done.map_err(|error| StoreError::Unavailable(error.to_string()))?
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        if !self.threads.lock().is_empty() {
            self.shared.abandon();
            for thread in std::mem::take(&mut *self.threads.lock()) {
                let _ = thread.join();
            }
        }
    }
}

#[async_trait]
impl LogStore for EmbeddedStore {
    async fn search(&self, query: &Query, page: &Page) -> Result<Lines, StoreError> {
        let (query, page) = (query.clone(), page.clone());
        self.run(move |shared, stop| exec::search(&shared.view(), &query, &page, stop))
            .await
    }

    async fn get(&self, id: &str) -> Result<Option<Line>, StoreError> {
        let id = id.to_owned();
        self.run(move |shared, stop| exec::get(&shared.view(), &id, stop))
            .await
    }

    async fn context(
        &self,
        id: &str,
        before: usize,
        after: usize,
    ) -> Result<Vec<Line>, StoreError> {
        let id = id.to_owned();
        self.run(move |shared, stop| exec::context(&shared.view(), &id, before, after, stop))
            .await
    }

    async fn histogram(
        &self,
        query: &Query,
        step_ns: i64,
        by: Option<&str>,
    ) -> Result<Histogram, StoreError> {
        let (query, by) = (query.clone(), by.map(str::to_owned));
        self.run(move |shared, stop| {
            exec::histogram(&shared.view(), &query, step_ns, by.as_deref(), stop)
        })
        .await
    }

    async fn facets(
        &self,
        query: &Query,
        fields: &[&str],
        top: usize,
    ) -> Result<Facets, StoreError> {
        let query = query.clone();
        let fields: Vec<String> = fields.iter().map(|&field| field.to_owned()).collect();
        self.run(move |shared, stop| exec::facets(&shared.view(), &query, &fields, top, stop))
            .await
    }

    async fn numbers(
        &self,
        query: &Query,
        value: &str,
        group_by: &[&str],
        step_ns: Option<i64>,
    ) -> Result<Numbers, StoreError> {
        let (query, value) = (query.clone(), value.to_owned());
        let group_by: Vec<String> = group_by.iter().map(|&field| field.to_owned()).collect();
        self.run(move |shared, stop| {
            exec::numbers(&shared.view(), &query, &value, &group_by, step_ns, stop)
        })
        .await
    }

    async fn texts(
        &self,
        query: &Query,
        fields: &[&str],
        most: usize,
    ) -> Result<Texts, StoreError> {
        let query = query.clone();
        let fields: Vec<String> = fields.iter().map(|&field| field.to_owned()).collect();
        self.run(move |shared, stop| exec::texts(&shared.view(), &query, &fields, most, stop))
            .await
    }

    fn tail(&self) -> broadcast::Receiver<Arc<Line>> {
        self.shared.live.subscribe()
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        Ok(exec::stats(&self.shared))
    }

    async fn close(&self) {
        Self::close(self).await;
    }
}

/// The line of a row.
fn line(chunk: &Chunk, row: usize) -> Line {
    let source = chunk.source_of(row);
    Line {
        id: write_id(source.id, chunk.offset.value(row)),
        timestamp: chunk.time.value(row),
        raw: chunk.raw(row).into(),
        is_json: chunk.is_json(row),
        file: source.name.clone(),
    }
}

/// The id of a line: its source, and where it stands there.
fn write_id(source: u64, offset: u64) -> String {
    format!("{source:016x}-{offset:x}")
}

fn lock(directory: &Path) -> Result<File, StoreError> {
    let path = directory.join(".lock");
    let file = File::create(&path).map_err(io("create", &path))?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| StoreError::InUse(directory.display().to_string()))?;
    Ok(file)
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    // Our own threads speak to nobody: a line about reading lines would be read again.
    let quiet =
        || tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::new(), work);
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(quiet)
        .map_err(|error| StoreError::Unavailable(format!("no thread {name}: {error}")))
}

fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> StoreError + 'a {
    move |source| StoreError::Io {
        action,
        path: path.display().to_string(),
        source,
    }
}
