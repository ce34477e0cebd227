//! The log files on their way to Loki.
//!
//! The files are the spool: what Loki has acknowledged is noted in a checkpoint, and whatever
//! happens (Loki away for a day, this process killed), shipping goes on after the last
//! acknowledged batch. A batch that was sent but not noted is sent again; Loki keeps one of two
//! equal lines of the same stream and nanosecond.

mod batch;

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use rand::RngExt;
use tokio::{sync::Notify, task::JoinHandle};

use self::batch::Batch;
use super::wire::{Client, Failure};
use crate::store::{
    Reading, StoreError, StoreStats,
    embedded::{
        files::LogFiles,
        source::{Catalog, Extent, Mark},
    },
};

/// Name of the checkpoint in the data directory.
const CHECKPOINT: &str = "loki.json";
/// How often the files are looked at.
const POLL: Duration = Duration::from_millis(500);
/// Bytes of lines that make a batch; Loki takes 4 MB a second of a tenant by default.
const BATCH_BYTES: usize = 1 << 20;
/// Lines read of a file at once.
const TURN_LINES: usize = 4096;
/// How long Loki may take over a batch.
const PATIENCE: Duration = Duration::from_secs(10);
/// The first wait before a batch is sent again; it doubles up to the longest.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long the end waits for what is left.
const FAREWELL: Duration = Duration::from_secs(5);

/// The shipping in the background.
pub(super) struct Shipping {
    told: Arc<Told>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// What is known of it from outside.
#[derive(Default)]
struct Told {
    shipped: AtomicU64,
    refused: AtomicU64,
    too_long: AtomicU64,
    failing: Mutex<Option<String>>,
    unread: Mutex<Vec<Reading>>,
    closing: AtomicBool,
    wake: Notify,
}

impl Shipping {
    pub(super) fn start(
        client: Client,
        log_dir: PathBuf,
        data_dir: &Path,
    ) -> Result<Self, StoreError> {
        let io = |action| {
            move |source| StoreError::Io {
                action,
                path: data_dir.display().to_string(),
                source,
            }
        };
        std::fs::create_dir_all(data_dir).map_err(io("make"))?;
        let checkpoint = data_dir.join(CHECKPOINT);
        let told = Arc::new(Told::default());
        let spool = Spool {
            files: LogFiles::new(log_dir),
            catalog: Mutex::default(),
            checkpoint,
        };
        let spool = spool.load().map_err(io("read the checkpoint in"))?;
        let sender = Sender {
            client,
            told: Arc::clone(&told),
        };
        Ok(Self {
            told,
            task: Mutex::new(Some(tokio::spawn(sender.run(spool)))),
        })
    }

    /// Adds what only the shipping knows.
    pub(super) fn tell(&self, stats: &mut StoreStats) {
        stats.reading.clone_from(&self.told.unread.lock());
        stats.behind_bytes = stats.reading.iter().map(|file| file.size - file.read).sum();
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (refused, too_long) = (count(&self.told.refused), count(&self.told.too_long));
        let lost = (refused + too_long > 0).then(|| {
            format!(
                "Loki did not take {refused} lines that it refused and {too_long} that are longer than it takes; they are in the log files"
            )
        });
        stats.last_error = self.told.failing.lock().clone().or(lost);
    }

    /// Ships what is left, within a few seconds.
    pub(super) async fn close(&self) {
        self.told.closing.store(true, Ordering::Relaxed);
        self.told.wake.notify_one();
        let task = self.task.lock().take();
        if let Some(mut task) = task
            && tokio::time::timeout(FAREWELL, &mut task).await.is_err()
        {
            task.abort();
        }
    }
}

impl Drop for Shipping {
    fn drop(&mut self) {
        if let Some(task) = self.task.lock().take() {
            task.abort();
        }
    }
}

/// The files, and how far Loki has them.
struct Spool {
    files: LogFiles,
    /// What Loki has acknowledged.
    catalog: Mutex<Catalog>,
    checkpoint: PathBuf,
}

struct Sender {
    client: Client,
    told: Arc<Told>,
}

/// Part of a file that is in a batch: source, start and end.
type Part = (u64, u64, Mark);

impl Spool {
    fn load(self) -> std::io::Result<Self> {
        match std::fs::read(&self.checkpoint) {
            Ok(bytes) => {
                let extents: Vec<Extent> = serde_json::from_slice(&bytes)?;
                let mut catalog = self.catalog.lock();
                extents.iter().for_each(|extent| catalog.add(extent));
                drop(catalog);
                Ok(self)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(self),
            Err(error) => Err(error),
        }
    }

    /// Some lines of each file.
    fn read(&mut self) -> (Batch, Vec<Part>) {
        self.files.scan(&self.catalog);
        let arrival = crate::time::now();
        let mut batch = Batch::default();
        let mut parts = Vec::new();
        for file in &mut self.files.followed {
            while batch.bytes() < BATCH_BYTES {
                let name = Arc::clone(&file.source.name);
                let mut line = |_: u64, text: &str| batch.add(text, &name, arrival);
                let Some((start, mark)) = file.read(TURN_LINES, &mut line) else {
                    break;
                };
                parts.push((file.source.id, start, mark));
            }
        }
        self.files.forget_finished();
        (batch, parts)
    }

    /// Notes what Loki has; a crash in the middle leaves the old note.
    fn note(&self, parts: &[Part]) -> std::io::Result<()> {
        let mut catalog = self.catalog.lock();
        for (source, start, mark) in parts {
            catalog.advance(*source, *start, *mark);
        }
        let extents = catalog.all();
        drop(catalog);
        let new = self.checkpoint.with_extension("new");
        let mut file = std::fs::File::create(&new)?;
        file.write_all(&serde_json::to_vec(&extents)?)?;
        file.sync_all()?;
        std::fs::rename(new, &self.checkpoint)
    }
}

impl Sender {
    async fn run(self, mut spool: Spool) {
        loop {
            let last_round = self.told.closing.load(Ordering::Relaxed);
            // Files are read on a thread where one may wait.
            let read = tokio::task::spawn_blocking(move || {
                let read = spool.read();
                (spool, read)
            });
            let Ok((back, (batch, parts))) = read.await else {
                return;
            };
            spool = back;
            *self.told.unread.lock() = spool.files.unread();
            if parts.is_empty() {
                if last_round {
                    return;
                }
                let _ = tokio::time::timeout(POLL, self.told.wake.notified()).await;
                continue;
            }
            let too_long = &self.told.too_long;
            too_long.fetch_add(batch.too_long(), Ordering::Relaxed);
            self.send(batch).await;
            let noted = tokio::task::spawn_blocking(move || {
                let noted = spool.note(&parts);
                (spool, noted)
            });
            let Ok((back, noted)) = noted.await else {
                return;
            };
            spool = back;
            if let Err(error) = noted {
                let path = spool.checkpoint.display();
                self.failing(&format!(
                    "what was shipped could not be noted in {path}: {error}"
                ));
            }
        }
    }

    /// Until Loki has taken or refused it all.
    async fn send(&self, batch: Batch) {
        let mut waiting = vec![batch];
        let mut wait = FIRST_WAIT;
        while let Some(batch) = waiting.pop() {
            if batch.lines() == 0 {
                continue;
            }
            let failure = match self.client.push(batch.packed(), PATIENCE).await {
                Ok(()) => {
                    self.recovered();
                    wait = FIRST_WAIT;
                    self.told
                        .shipped
                        .fetch_add(batch.lines(), Ordering::Relaxed);
                    continue;
                }
                Err(failure) => failure,
            };
            match failure {
                Failure::Refused { status: 413, .. } if batch.lines() > 1 => {
                    waiting.extend(batch.halves());
                }
                Failure::Refused { status, says } => self.refused(&batch, status, &says),
                Failure::Away { says, retry_after } => {
                    self.failing(&says);
                    waiting.push(batch);
                    pause(&mut wait, retry_after).await;
                }
                Failure::TimedOut => {
                    self.failing("it took too long over a batch");
                    waiting.push(batch);
                    pause(&mut wait, None).await;
                }
            }
        }
    }

    /// Said once, when it begins: while it lasts the files grow, and these lines with them.
    fn failing(&self, says: &str) {
        let text = format!("OT0304: Loki does not take lines: {says}; they wait in the log files");
        if self.told.failing.lock().replace(text.clone()).is_none() {
            tracing::warn!(
                target: "omnify_trace_admin::loki",
                event_type = "loki_unavailable",
                "{text}"
            );
        }
    }

    fn recovered(&self) {
        if self.told.failing.lock().take().is_some() {
            tracing::info!(
                target: "omnify_trace_admin::loki",
                event_type = "loki_available",
                "Loki takes lines again"
            );
        }
    }

    /// Loki takes the good lines of a batch of which it refuses some, so this counts the most
    /// that can be missing.
    fn refused(&self, batch: &Batch, status: u16, says: &str) {
        let before = self
            .told
            .refused
            .fetch_add(batch.lines(), Ordering::Relaxed);
        if before == 0 {
            tracing::warn!(
                target: "omnify_trace_admin::loki",
                event_type = "loki_refused",
                status,
                lines = batch.lines(),
                "OT0308: Loki refused lines, which stay in the log files: {says}"
            );
        }
    }
}

/// As long as Loki asks for, or longer each time.
async fn pause(wait: &mut Duration, asked: Option<Duration>) {
    let jitter = rand::rng().random_range(0.75..1.25);
    let pause = asked.unwrap_or_else(|| wait.mul_f64(jitter));
    *wait = (*wait * 2).min(LONGEST_WAIT);
    tokio::time::sleep(pause.min(LONGEST_WAIT)).await;
}
