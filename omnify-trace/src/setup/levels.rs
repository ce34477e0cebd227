//! Levels that can change while the service runs.

use std::sync::{Arc, PoisonError, RwLock};

use tracing::{Metadata, Subscriber, callsite, subscriber::Interest};
use tracing_core::LevelFilter;
use tracing_subscriber::layer::Context;

use super::Directives;
use crate::schema::fields::CONTEXT_FIELDS;

/// The levels of a running service. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Levels {
    directives: Arc<RwLock<Directives>>,
}

impl Levels {
    /// Starts with these directives.
    #[must_use]
    pub fn new(directives: Directives) -> Self {
        Self {
            directives: Arc::new(RwLock::new(directives)),
        }
    }

    /// What holds now.
    #[must_use]
    pub fn directives(&self) -> Directives {
        self.directives
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Replaces everything.
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

    /// The filter, as a layer for the whole subscriber.
    #[must_use]
    pub fn layer(&self) -> LevelLayer {
        LevelLayer {
            levels: self.clone(),
        }
    }

    fn change(&self, change: impl FnOnce(&mut Directives)) {
        change(
            &mut self
                .directives
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        );
        callsite::rebuild_interest_cache();
    }

    fn allow(&self, metadata: &Metadata<'_>) -> bool {
        let directives = self
            .directives
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        directives.allow(*metadata.level(), metadata.target())
            || (metadata.is_span()
                && carries_context(metadata)
                && directives.most_verbose() != LevelFilter::OFF)
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
        if self.levels.allow(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.levels.allow(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let verbose = self.levels.directives().most_verbose();
        // INFO spans may carry context also where only WARN may speak.
        Some(if verbose == LevelFilter::OFF {
            verbose
        } else {
            verbose.max(LevelFilter::INFO)
        })
    }
}
