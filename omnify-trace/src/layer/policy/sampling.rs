//! Keeping a part of the plain events.

use tracing_core::{Level, Metadata};

use crate::{context::rng, layer::span::SpanState};

/// Keeps only a part of the events at some level and below: whole traces, so that what is kept
/// can be followed from end to end.
///
/// WARN and ERROR are always kept, and so are events with an event type: the views of
/// workflows, requests and performance are made from them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct Sampling {
    level: Level,
    threshold: u64,
}

impl Sampling {
    /// Keeps `part` (0 to 1) of the events at `level` and at more verbose ones.
    pub fn new(level: Level, part: f64) -> Self {
        let part = if part.is_nan() {
            1.0
        } else {
            part.clamp(0.0, 1.0)
        };
        Self {
            level: level.max(Level::INFO),
            threshold: if part >= 1.0 {
                u64::MAX
            } else {
                (part * u64::MAX as f64) as u64
            },
        }
    }

    pub(super) fn keeps(&self, metadata: &Metadata<'_>, state: Option<&SpanState>) -> bool {
        if *metadata.level() < self.level || self.threshold == u64::MAX {
            return true;
        }
        // The right-most bytes of a trace id are random, whoever made it; every service that
        // samples by them keeps the same traces.
        let draw = state.map_or_else(rng::next, |state| state.trace_id() as u64);
        draw < self.threshold
    }
}
