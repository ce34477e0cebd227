//! What the tailer, the sealers and the queries share.

use std::{
    collections::BTreeMap,
    io::Write,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use fail::fail_point;
use parking_lot::{Condvar, Mutex, RwLock};
use tokio::sync::broadcast;

use super::{
    StoreOptions,
    chunk::Chunk,
    kept::{self, Kept},
    segment::{self, Segment},
    source::{Catalog, Extent, Mark, Source},
};
use crate::store::{Line, Reading, StoreError};

/// Lines that a slow receiver of the live tail may lag behind.
const TAIL_CAPACITY: usize = 8192;

/// A chunk of so many rows is large enough: joining it to its neighbours would only copy it.
const MERGED_ROWS: usize = if cfg!(test) { 32 } else { 16_384 };

/// What can go wrong in the background.
const SEAL: &str = "seal a segment";

/// Rows on their way into one segment.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
    pub(crate) born: Option<Instant>,
    pub(crate) extents: Vec<Extent>,
    chunks: Vec<Arc<Chunk>>,
    number: u64,
}

/// Everything that is searchable at one instant.
#[derive(Debug, Clone, Default)]
pub(crate) struct View {
    pub(crate) segments: Vec<Arc<Segment>>,
    /// Parts being sealed.
    pub(crate) sealing: Vec<(u64, Vec<Arc<Chunk>>)>,
    /// The growing part.
    pub(crate) memory: Vec<Arc<Chunk>>,
    pub(crate) kept: Arc<Kept>,
}

impl View {
    /// Chunks that are in memory only.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = &Arc<Chunk>> {
        self.sealing
            .iter()
            .flat_map(|(_, chunks)| chunks)
            .chain(&self.memory)
    }
}

#[derive(Debug, Default)]
struct Queue {
    parts: Vec<Part>,
    busy: usize,
    finished: bool,
}

/// The store's state.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: StoreOptions,
    pub(crate) catalog: Mutex<Catalog>,
    view: RwLock<Arc<View>>,
    pub(crate) live: broadcast::Sender<Arc<Line>>,
    queue: Mutex<Queue>,
    changed: Condvar,
    closing: Mutex<bool>,
    wake: Condvar,
    abandoned: AtomicBool,
    reading: Mutex<Vec<Reading>>,
    next_part: AtomicU64,
    pub(crate) quarantined: AtomicU64,
    /// Held while segments are joined, removed or set aside: two at once would store rows twice.
    pub(crate) tending: Mutex<()>,
    /// Objects to remove from the object store.
    pub(crate) gone: Mutex<Vec<String>>,
    /// Tells the tailer that lines have to be read again.
    pub(crate) reread: AtomicBool,
    /// By what could not be done.
    errors: Mutex<BTreeMap<&'static str, String>>,
}

impl Shared {
    pub(crate) fn new(
        options: StoreOptions,
        catalog: Catalog,
        segments: Vec<Arc<Segment>>,
        quarantined: u64,
    ) -> Self {
        let kept = Arc::new(Kept::new(options.keep_bytes));
        Self {
            options,
            catalog: Mutex::new(catalog),
            view: RwLock::new(Arc::new(View {
                segments,
                kept,
                ..View::default()
            })),
            live: broadcast::channel(TAIL_CAPACITY).0,
            queue: Mutex::default(),
            changed: Condvar::new(),
            closing: Mutex::new(false),
            wake: Condvar::new(),
            abandoned: AtomicBool::new(false),
            reading: Mutex::default(),
            next_part: AtomicU64::new(1),
            quarantined: AtomicU64::new(quarantined),
            tending: Mutex::new(()),
            gone: Mutex::default(),
            reread: AtomicBool::new(false),
            errors: Mutex::default(),
        }
    }

    pub(crate) fn view(&self) -> Arc<View> {
        self.view.read().clone()
    }

    /// Changes what is searchable, at one stroke.
    pub(crate) fn change(&self, change: impl FnOnce(&mut View)) {
        change(Arc::make_mut(&mut self.view.write()));
    }

    pub(crate) fn closing(&self) -> bool {
        *self.closing.lock()
    }

    /// Whether the store was dropped without being closed: stop at once.
    pub(crate) fn abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    pub(crate) fn close(&self) {
        *self.closing.lock() = true;
        self.wake.notify_all();
    }

    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
        self.close();
        self.queue.lock().finished = true;
        self.changed.notify_all();
    }

    /// Sleeps, but not beyond closing.
    pub(crate) fn wait(&self, time: Duration) {
        let mut closing = self.closing.lock();
        if !*closing {
            self.wake.wait_for(&mut closing, time);
        }
    }

    /// Which files are not read to their end.
    pub(crate) fn set_reading(&self, files: Vec<Reading>) {
        *self.reading.lock() = files;
    }

    pub(crate) fn reading(&self) -> Vec<Reading> {
        self.reading.lock().clone()
    }

    /// Takes note of an error of our own threads. They must not log: the lines would come
    /// back to them.
    pub(crate) fn complain(&self, action: &'static str, error: &dyn std::fmt::Display) {
        let text = format!("could not {action}: {error}");
        self.errors.lock().insert(action, text);
    }

    /// The action works again.
    pub(crate) fn recover(&self, action: &'static str) {
        self.errors.lock().remove(action);
    }

    /// What went wrong last in the background, if it still stands.
    pub(crate) fn last_error(&self) -> Option<String> {
        let errors = self.errors.lock();
        (!errors.is_empty()).then(|| errors.values().cloned().collect::<Vec<_>>().join("; "))
    }

    /// Adds a chunk to the growing part and tells the live tail.
    pub(crate) fn publish(&self, chunk: &Arc<Chunk>) {
        {
            let mut view = self.view.write();
            let view = Arc::make_mut(&mut view);
            view.memory.push(Arc::clone(chunk));
            merge_small(&mut view.memory);
        }
        if self.live.receiver_count() == 0 {
            return;
        }
        for row in 0..chunk.rows() {
            let _ = self.live.send(Arc::new(super::line(chunk, row)));
        }
    }

    /// Moves the growing part to the sealers, and waits until one of them is free: while all of
    /// them work, reading on would only fill memory with lines that wait.
    pub(crate) fn hand_over(&self, mut part: Part, order: &[Arc<Source>]) {
        part.number = self.next_part.fetch_add(1, Ordering::Relaxed);
        part.extents = order
            .iter()
            .map(|source| {
                let found = part
                    .extents
                    .iter()
                    .find(|extent| extent.source.id == source.id);
                found.cloned().unwrap_or_else(|| Extent {
                    source: (**source).clone(),
                    ranges: Vec::new(),
                    mark: Mark::default(),
                })
            })
            .collect();
        {
            let mut view = self.view.write();
            let view = Arc::make_mut(&mut view);
            let chunks = std::mem::take(&mut view.memory);
            part.chunks.clone_from(&chunks);
            view.sealing.push((part.number, chunks));
        }
        let mut queue = self.queue.lock();
        queue.parts.push(part);
        self.changed.notify_all();
        while queue.parts.len() + queue.busy >= self.options.sealers.max(1) && !self.abandoned() {
            self.changed.wait(&mut queue);
        }
    }

    /// No more parts will come.
    pub(crate) fn finish(&self) {
        self.queue.lock().finished = true;
        self.changed.notify_all();
    }

    /// A sealer thread: seals parts until there are no more.
    pub(crate) fn seal_all(&self) {
        loop {
            let part = {
                let mut queue = self.queue.lock();
                loop {
                    if self.abandoned() {
                        return;
                    }
                    if !queue.parts.is_empty() {
                        queue.busy += 1;
                        break queue.parts.remove(0);
                    }
                    if queue.finished {
                        return;
                    }
                    self.changed.wait(&mut queue);
                }
            };
            while let Err(error) = self.seal(&part) {
                self.complain(SEAL, &error);
                if self.abandoned() || self.closing() {
                    break;
                }
                self.wait(Duration::from_secs(1));
            }
            self.queue.lock().busy -= 1;
            self.changed.notify_all();
        }
    }

    fn seal(&self, part: &Part) -> Result<(), StoreError> {
        let segment = write(
            &self.options.data_dir,
            &part.chunks,
            part.extents.clone(),
            Vec::new(),
        )?;
        fail_point!("seal-swap");
        self.change(|view| {
            view.sealing.retain(|(number, _)| *number != part.number);
            view.segments.push(Arc::new(segment));
        });
        self.recover(SEAL);
        Ok(())
    }
}

/// Writes a segment so that after a crash it is there whole or not at all.
pub(crate) fn write(
    directory: &Path,
    chunks: &[Arc<Chunk>],
    extents: Vec<Extent>,
    replaces: Vec<String>,
) -> Result<Segment, StoreError> {
    let id = uuid::Uuid::now_v7().simple().to_string();
    let encoded = segment::encode(chunks, id, extents, replaces)
        .map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let path = directory.join(&encoded.name);
    let written = write_whole(directory, &encoded.name, &encoded.bytes);
    let opened = written.and_then(|()| Segment::open(&path));
    if opened.is_err() {
        // The next attempt has another name: both at once would have the rows twice.
        let _ = std::fs::remove_file(&path);
    }
    opened
}

/// Writes a file under another name, and then gives it its own.
pub(crate) fn write_whole(directory: &Path, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let temporary = directory.join(format!("{name}.tmp"));
    let path = directory.join(name);
    let written = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(&temporary)?;
        let (first, second) = bytes.split_at(bytes.len() / 2);
        file.write_all(first)?;
        fail_point!(
            "write-half",
            |_| Err(std::io::ErrorKind::StorageFull.into())
        );
        file.write_all(second)?;
        fail_point!("write-sync");
        file.sync_all()?;
        fail_point!("write-rename");
        std::fs::rename(&temporary, &path)?;
        fail_point!("write-directory");
        std::fs::File::open(directory)?.sync_all()
    };
    written().map_err(|error| {
        // What stood under the name before still stands there.
        let _ = std::fs::remove_file(&temporary);
        super::io("write", &path)(error)
    })
}

/// Joins the last chunks while they are of like size, so that a trickle of lines does not
/// become thousands of chunks.
fn merge_small(chunks: &mut Vec<Arc<Chunk>>) {
    while let [.., before, last] = chunks.as_slice() {
        if before.rows() >= MERGED_ROWS || before.rows() > last.rows() * 2 {
            return;
        }
        let at = chunks.len() - 2;
        let Ok(mut joined) = Chunk::concat(&chunks[at..]) else {
            return;
        };
        if joined.rows() >= MERGED_ROWS {
            // It stays as it is until it is sealed.
            joined.number = kept::number();
        }
        chunks.truncate(at);
        chunks.push(Arc::new(joined));
    }
}
