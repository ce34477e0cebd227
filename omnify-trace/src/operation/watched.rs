//! Work that is no operation and that the watchdog looks at all the same: HTTP requests, mostly.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::settings;
use super::shards::{Place, Shards};
use super::watchdog;

static OPEN: Shards<dyn Watched> = Shards::new();

/// Work to be told of while it is still open, should it take too long.
pub trait Watched: Send + Sync + 'static {
    /// Whether [`overdue`](Self::overdue) is to be called now. Asked four times a `period`, which
    /// is within how long a stall is to be found. A lock is held meanwhile: compare times, and
    /// neither log nor open or close other work here.
    fn is_overdue(&self, now: Instant, period: Duration) -> bool;

    /// Tells of it. Called on the watchdog's thread, outside every span.
    fn overdue(&self);
}

/// Keeps work under the watchdog's eyes until it is dropped.
#[derive(Debug)]
#[must_use = "work is watched until this is dropped"]
pub struct Watching(Option<Place>);

impl Drop for Watching {
    fn drop(&mut self) {
        if let Some(place) = self.0.take() {
            OPEN.remove(&place);
        }
    }
}

/// Has the watchdog look at this work from now on; starts the watchdog if it has to.
///
/// ```
/// use std::sync::Arc;
/// use std::time::{Duration, Instant};
/// use omnify_trace::operation::{Watched, watch};
/// struct Upload(Instant);
/// impl Watched for Upload {
///     fn is_overdue(&self, now: Instant, period: Duration) -> bool {
///         now.duration_since(self.0) > period * 60
///     }
///     fn overdue(&self) {
///         tracing::warn!("an upload has been going on for a minute");
///     }
/// }
/// let upload: Arc<dyn Watched> = Arc::new(Upload(Instant::now()));
/// let watching = watch(&upload);
/// drop(watching); // it has ended
/// ```
pub fn watch(work: &Arc<dyn Watched>) -> Watching {
    watchdog::ensure_started();
    Watching(OPEN.insert(work))
}

/// One look of the watchdog.
pub(super) fn look() {
    let (now, period) = (Instant::now(), settings::period());
    let mut overdue = Vec::new();
    OPEN.each(|work| {
        if work.is_overdue(now, period) {
            overdue.push(Arc::clone(work));
        }
    });
    // Outside of the locks: what is told may take its time.
    for work in overdue {
        work.overdue();
    }
}
