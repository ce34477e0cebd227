//! The flight recorder: a request's DEBUG events, written only if the request ends badly.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use tracing_core::{Level, LevelFilter, Metadata};

use super::{Counts, add};
use crate::{
    layer::{Sink, span::SpanState},
    schema::Stream,
    setup::Levels,
};

/// Keeps the more verbose events of each request (each tree of spans) in memory and writes them
/// only if the request logs an ERROR or takes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct FlightRecorder {
    level: LevelFilter,
    bytes: usize,
    slow: Option<Duration>,
}

impl Default for FlightRecorder {
    fn default() -> Self {
        Self::new()
    }
}

impl FlightRecorder {
    /// Keeps up to 64 KiB of DEBUG events of each request, for requests that log an ERROR.
    pub fn new() -> Self {
        Self {
            level: LevelFilter::DEBUG,
            bytes: 64 * 1024,
            slow: None,
        }
    }

    /// The most verbose level that is kept. Defaults to DEBUG.
    pub fn level(mut self, level: LevelFilter) -> Self {
        self.level = level;
        self
    }

    /// Bytes of lines kept for one request; the oldest go first. Defaults to 64 KiB.
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Writes what was kept of requests that take at least this long, too. Defaults to never.
    pub fn slow(mut self, slow: Duration) -> Self {
        self.slow = Some(slow);
        self
    }

    pub(crate) fn start(self, levels: &Levels) -> Recorder {
        levels.record(self.level);
        Recorder {
            rule: self,
            levels: levels.clone(),
        }
    }
}

pub(crate) struct Recorder {
    rule: FlightRecorder,
    /// These decide what is written anyway.
    levels: Levels,
}

/// What is kept of one tree of spans.
#[derive(Default)]
pub(crate) struct Recording {
    started: Option<Instant>,
    lines: VecDeque<(Stream, Box<[u8]>)>,
    bytes: usize,
    /// Something went wrong: from here on everything is written.
    tripped: bool,
}

impl Recording {
    pub(crate) fn begin(&mut self) {
        self.started = Some(Instant::now());
    }

    pub(crate) fn clear(&mut self) {
        self.started = None;
        if self.bytes > 0 {
            self.lines.clear();
            self.bytes = 0;
        }
        self.tripped = false;
    }

    fn write(&mut self, counts: &Counts, sink: &dyn Sink) {
        add(&counts.recorded, self.lines.len());
        for (stream, line) in self.lines.drain(..) {
            sink.write(stream, &line);
        }
        self.bytes = 0;
    }

    fn keep(&mut self, counts: &Counts, limit: usize, stream: Stream, line: &[u8]) {
        self.bytes += line.len();
        self.lines.push_back((stream, line.into()));
        while self.bytes > limit {
            let Some((_, oldest)) = self.lines.pop_front() else {
                break;
            };
            self.bytes -= oldest.len();
            add(&counts.discarded, 1);
        }
    }
}

impl Recorder {
    pub(super) fn deliver(
        &self,
        counts: &Counts,
        sink: &dyn Sink,
        metadata: &Metadata<'_>,
        state: Option<&SpanState>,
        stream: Stream,
        line: &[u8],
    ) {
        let level = *metadata.level();
        let written = self.levels.writes(metadata);
        let Some(state) = state else {
            if written {
                sink.write(stream, line);
            }
            return;
        };
        if written && level != Level::ERROR {
            sink.write(stream, line);
            return;
        }
        let mut recording = state.root().recording.lock();
        if level == Level::ERROR {
            recording.tripped = true;
            recording.write(counts, sink);
        }
        if written || recording.tripped {
            sink.write(stream, line);
        } else {
            recording.keep(counts, self.rule.bytes, stream, line);
        }
    }

    /// A root span closed.
    pub(crate) fn landed(&self, counts: &Counts, sink: &dyn Sink, state: &SpanState) {
        let mut recording = state.recording.lock();
        let slow = match (self.rule.slow, recording.started) {
            (Some(slow), Some(started)) => started.elapsed() >= slow,
            _ => false,
        };
        if slow {
            recording.write(counts, sink);
        } else {
            add(&counts.discarded, recording.lines.len());
        }
        recording.clear();
    }
}
