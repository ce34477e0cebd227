//! Levels that can change while the service runs: for all, for a target, or for one customer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::RwLock;
use tracing::{Level, Metadata, Subscriber, callsite, subscriber::Interest};
use tracing_core::LevelFilter;
use tracing_subscriber::layer::Context;

use super::{
    Directives,
    overrides::{self, Override, OverrideId, Scope},
};
use crate::{layer, schema::fields::CONTEXT_FIELDS};

/// The levels of a running service. Cloning shares them.
///
/// ```
/// use std::time::Duration;
/// use omnify_trace::setup::{Levels, Scope};
/// use tracing::level_filters::LevelFilter;
///
/// let levels = Levels::new("info".parse()?);
/// levels.set_target("hyper", Some(LevelFilter::WARN));
/// let user = Scope::User("u-1".parse()?);
/// levels.set_for(user, LevelFilter::DEBUG, Duration::from_secs(600)); // debug this customer for ten minutes
/// assert_eq!(levels.overrides().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Levels {
    pub(super) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    directives: RwLock<Directives>,
    pub(super) overrides: RwLock<Vec<Override>>,
    /// Some override may hold: only then is it looked for.
    pub(super) overridden: AtomicBool,
    pub(super) next_override: AtomicU64,
    /// What the flight recorder keeps of work inside a span, beyond what is written.
    recorded: RwLock<LevelFilter>,
    /// Records of the `log` crate come through these levels.
    governs_log: AtomicBool,
}

impl Levels {
    /// Starts with these directives.
    #[must_use]
    pub fn new(directives: Directives) -> Self {
        Self {
            shared: Arc::new(Shared {
                directives: RwLock::new(directives),
                overrides: RwLock::default(),
                overridden: AtomicBool::new(false),
                next_override: AtomicU64::new(1),
                recorded: RwLock::new(LevelFilter::OFF),
                governs_log: AtomicBool::new(false),
            }),
        }
    }

    /// What holds now.
    #[must_use]
    pub fn directives(&self) -> Directives {
        self.shared.directives.read().clone()
    }

    /// Replaces everything but the levels for one customer.
    pub fn set(&self, directives: Directives) {
        self.change(|current| *current = directives);
    }

    /// Changes the level of targets that no directive names.
    pub fn set_default(&self, level: LevelFilter) {
        self.change(|current| current.set_default(level));
    }

    /// Sets a target's level, or with `None` takes its directive away.
    pub fn set_target(&self, target: &str, level: Option<LevelFilter>) {
        self.change(|current| current.set_target(target, level));
    }

    /// For a limited time, what is done for one user, organization, workflow or run may speak at
    /// this level, whatever the directives say.
    pub fn set_for(&self, scope: Scope, level: LevelFilter, time: Duration) -> OverrideId {
        overrides::add(&self.shared, scope, level, time)
    }

    /// Ends a level for one customer before its time. False if it had ended already.
    pub fn clear_for(&self, id: OverrideId) -> bool {
        overrides::remove(&self.shared, |one| one.id() == id)
    }

    /// The levels for one customer that hold now.
    #[must_use]
    pub fn overrides(&self) -> Vec<Override> {
        let now = Instant::now();
        let overrides = self.shared.overrides.read();
        overrides
            .iter()
            .filter(|o| o.until() > now)
            .cloned()
            .collect()
    }

    /// The filter, as a layer for the whole subscriber.
    #[must_use]
    pub fn layer(&self) -> LevelLayer {
        LevelLayer {
            levels: self.clone(),
        }
    }

    /// The flight recorder wants to see work inside spans up to this level.
    pub(crate) fn record(&self, level: LevelFilter) {
        *self.shared.recorded.write() = level;
        self.shared.changed();
    }

    /// Records of the `log` crate are let through as far as these levels want them.
    pub(super) fn govern_log(&self) {
        self.shared.governs_log.store(true, Ordering::Relaxed);
        self.shared.changed();
    }

    fn change(&self, change: impl FnOnce(&mut Directives)) {
        change(&mut self.shared.directives.write());
        self.shared.changed();
    }

    /// Whether an event is to be written, rather than only kept by the flight recorder.
    pub(crate) fn writes(&self, metadata: &Metadata<'_>) -> bool {
        self.shared.directs(metadata) || self.shared.overrides(*metadata.level())
    }
}

impl Shared {
    /// Callsites ask again.
    pub(super) fn changed(&self) {
        if self.governs_log.load(Ordering::Relaxed) {
            log::set_max_level(log_level(self.most_verbose()));
        }
        callsite::rebuild_interest_cache();
    }

    fn directs(&self, metadata: &Metadata<'_>) -> bool {
        let directives = self.directives.read();
        directives.allow(*metadata.level(), metadata.target())
            || (metadata.is_span()
                && carries_context(metadata)
                && directives.most_verbose() != LevelFilter::OFF)
    }

    /// Whether the customer for whom this thread works may speak at this level.
    fn overrides(&self, level: Level) -> bool {
        self.overridden.load(Ordering::Relaxed)
            && layer::with_innermost_span(|context| {
                let now = Instant::now();
                let overrides = self.overrides.read();
                overrides
                    .iter()
                    .any(|one| level <= one.level() && one.until() > now && one.covers(context))
            })
            .unwrap_or(false)
    }

    fn records(&self, level: Level) -> bool {
        level <= *self.recorded.read() && layer::with_innermost_span(|_| ()).is_some()
    }

    /// The most verbose level that anything may want.
    fn most_verbose(&self) -> LevelFilter {
        let directed = self.directives.read().most_verbose();
        let overrides = self.overrides.read();
        let overridden = overrides.iter().map(Override::level);
        overridden
            .fold(directed, LevelFilter::max)
            .max(*self.recorded.read())
    }
}

fn log_level(level: LevelFilter) -> log::LevelFilter {
    match level.into_level() {
        None => log::LevelFilter::Off,
        Some(Level::ERROR) => log::LevelFilter::Error,
        Some(Level::WARN) => log::LevelFilter::Warn,
        Some(Level::INFO) => log::LevelFilter::Info,
        Some(Level::DEBUG) => log::LevelFilter::Debug,
        Some(Level::TRACE) => log::LevelFilter::Trace,
    }
}

/// Spans with correlation fields are never filtered out: the events inside would lose their customer.
fn carries_context(metadata: &Metadata<'_>) -> bool {
    metadata.target() == "omnify_trace::context"
        || metadata
            .fields()
            .iter()
            .any(|field| CONTEXT_FIELDS.contains(&field.name()))
}

/// Applies [`Levels`] to a whole subscriber.
#[derive(Debug, Clone)]
pub struct LevelLayer {
    levels: Levels,
}

impl<S: Subscriber> tracing_subscriber::Layer<S> for LevelLayer {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let shared = &*self.levels.shared;
        if shared.directs(metadata) {
            Interest::always()
        } else if *metadata.level() <= shared.overridden_to() {
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let shared = &*self.levels.shared;
        shared.directs(metadata)
            || shared.overrides(*metadata.level())
            || shared.records(*metadata.level())
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let verbose = self.levels.shared.most_verbose();
        // INFO spans may carry context also where only WARN may speak.
        Some(if verbose == LevelFilter::OFF {
            verbose
        } else {
            verbose.max(LevelFilter::INFO)
        })
    }
}

impl Shared {
    /// The most verbose level beyond the directives.
    fn overridden_to(&self) -> LevelFilter {
        let overrides = self.overrides.read();
        let recorded = *self.recorded.read();
        overrides
            .iter()
            .map(Override::level)
            .fold(recorded, LevelFilter::max)
    }
}
