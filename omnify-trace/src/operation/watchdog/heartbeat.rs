//! Heartbeats of tokio runtimes: a task is sent in, and has to come to run.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::operation::clock::nanos;
use crate::operation::settings;
use crate::operation::starved::{self, Crowd, Starved};

static RUNTIMES: Mutex<Vec<Runtime>> = Mutex::new(Vec::new());

struct Runtime {
    id: tokio::runtime::Id,
    handle: Handle,
    heart: Arc<Heart>,
}

#[derive(Default)]
struct Heart {
    /// When the beat on its way was sent; 0: none is on its way.
    sent: AtomicU64,
    /// The runtime dropped a beat: it has shut down.
    gone: AtomicBool,
    /// The threads that ran beats; before any has, somebody unknown.
    workers: Mutex<Vec<Starved>>,
    unknown: Starved,
}

/// More of a runtime's threads than this are not known.
const MOST_WORKERS: usize = 64;

impl Heart {
    /// A beat is run, on this thread.
    fn beats(&self) {
        let thread = starved::thread();
        let mut workers = self.workers.lock();
        if workers.len() < MOST_WORKERS && !workers.iter().any(|worker| worker.is(thread)) {
            let worker = Starved::default();
            worker.here();
            workers.push(worker);
        }
        drop(workers);
        self.sent.store(0, Ordering::Release);
    }

    /// For how long no thread has run a beat that any could have run.
    fn silent_for(&self, sent: u64, now: u64, crowd: &mut Crowd) -> u64 {
        let unknown = self.unknown.look(now, crowd);
        let workers = self.workers.lock();
        let starved = workers.iter().map(|worker| worker.look(now, crowd)).max();
        now.saturating_sub(sent)
            .saturating_sub(starved.unwrap_or(unknown))
    }
}

/// Watches the runtime that this thread is in, from now until it shuts down.
///
/// The runtimes of operations are watched by themselves; this is for those without any.
/// Runtimes of the current-thread flavor are only watched through their operations, because
/// they may rest between two calls of `block_on`.
pub fn watch_runtime(handle: &Handle) {
    if handle.runtime_flavor() == RuntimeFlavor::CurrentThread {
        return;
    }
    let mut runtimes = RUNTIMES.lock();
    if runtimes.iter().all(|known| known.id != handle.id()) {
        let heart = Arc::new(Heart::default());
        runtimes.push(Runtime {
            id: handle.id(),
            handle: handle.clone(),
            heart,
        });
    }
}

/// Once for each thread: a worker of a runtime stays one.
pub(super) fn notice_runtime() {
    thread_local! {
        static NOTICED: Cell<bool> = const { Cell::new(false) };
    }
    let new = NOTICED.try_with(|noticed| !noticed.get()).unwrap_or(false);
    if new && let Ok(handle) = Handle::try_current() {
        let _ = NOTICED.try_with(|noticed| noticed.set(true));
        watch_runtime(&handle);
    }
}

/// The watchdog's side.
#[derive(Default)]
pub(super) struct Hearts;

impl Hearts {
    /// Sends beats where none is on its way. Gives for how long the most silent runtime has
    /// not run one, if that is longer than a period.
    pub(super) fn listen(&mut self, now: u64, crowd: &mut Crowd) -> Option<u64> {
        let mut runtimes = RUNTIMES.lock();
        runtimes.retain(|runtime| !runtime.heart.gone.load(Ordering::Relaxed));
        let mut silent = None;
        for runtime in runtimes.iter() {
            match runtime.heart.sent.load(Ordering::Acquire) {
                0 => runtime.send(now),
                sent => silent = silent.max(Some(runtime.heart.silent_for(sent, now, crowd))),
            }
        }
        silent.filter(|age| *age >= nanos(settings::period()))
    }

    pub(super) fn forgive(&mut self, now: u64) {
        for runtime in RUNTIMES.lock().iter() {
            let sent = &runtime.heart.sent;
            // Only a beat that is still on its way.
            let _ = sent.fetch_update(Ordering::AcqRel, Ordering::Acquire, |sent| {
                (sent != 0).then_some(now)
            });
        }
    }
}

impl Runtime {
    fn send(&self, now: u64) {
        /// Dropped unrun, it tells that the runtime is gone.
        struct Beat(Arc<Heart>, bool);
        impl Drop for Beat {
            fn drop(&mut self) {
                if !self.1 {
                    self.0.gone.store(true, Ordering::Relaxed);
                }
            }
        }
        self.heart.unknown.forget();
        self.heart.workers.lock().iter().for_each(Starved::forget);
        self.heart.sent.store(now.max(1), Ordering::Release);
        let mut beat = Beat(Arc::clone(&self.heart), false);
        self.handle.spawn(async move {
            beat.1 = true;
            beat.0.beats();
        });
    }
}
