//! Which lines are written: sampling, suppression of duplicates, the flight recorder.
//!
//! All three are off unless asked for, and then a layer has no policies at all: one comparison an
//! event. What they hold back is counted.

mod duplicates;
mod recorder;
mod sampling;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tracing_core::Metadata;

pub use self::{duplicates::Duplicates, recorder::FlightRecorder, sampling::Sampling};
pub(crate) use self::{
    duplicates::{Pending, Table},
    recorder::{Recorder, Recording},
};
use super::{Sink, span::SpanState};
use crate::schema::Stream;

/// What a layer does with lines besides writing them.
#[derive(Default)]
pub(crate) struct Policies {
    pub(crate) sampling: Option<Sampling>,
    pub(crate) duplicates: Option<Table>,
    pub(crate) recorder: Option<Recorder>,
    pub(crate) counts: Counts,
}

/// Lines that were held back on purpose.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) sampled_out: AtomicU64,
    pub(crate) suppressed: AtomicU64,
    pub(crate) recorded: AtomicU64,
    pub(crate) discarded: AtomicU64,
}

pub(crate) fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Ordering::Relaxed);
}

impl Policies {
    /// Whether an event without an event type goes on; if so, how many like it were held back
    /// before. `text` is its level and message as they stand in the line.
    pub(crate) fn admit(
        &self,
        metadata: &'static Metadata<'static>,
        text: &[u8],
        state: Option<&SpanState>,
        now: Duration,
    ) -> Option<u64> {
        if let Some(sampling) = &self.sampling
            && !sampling.keeps(metadata, state)
        {
            add(&self.counts.sampled_out, 1);
            return None;
        }
        let Some(table) = &self.duplicates else {
            return Some(0);
        };
        let admitted = table.admit(metadata, text, now);
        if admitted.is_none() {
            add(&self.counts.suppressed, 1);
        }
        admitted
    }

    /// Writes the line, or keeps it for the case that its request ends badly.
    pub(crate) fn deliver(
        &self,
        sink: &dyn Sink,
        metadata: &Metadata<'_>,
        state: Option<&SpanState>,
        stream: Stream,
        line: &[u8],
    ) {
        match &self.recorder {
            Some(recorder) => recorder.deliver(&self.counts, sink, metadata, state, stream, line),
            None => sink.write(stream, line),
        }
    }
}
