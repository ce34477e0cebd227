//! The drainer: one thread that moves committed lines from the ring into the files, in batches,
//! each of them exactly once.
//!
//! Before a batch the checkpoint names each file and its length; after it, the new lengths and the
//! new tail, in one step. A kill in between leaves files longer than the checkpoint says by a prefix
//! of the batch, and recovery, which can make the same batch again, appends the rest.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

use super::clock::Moment;
use super::files::{StreamFile, stage};
use super::header::{Checkpoint, Mark};
use super::housekeeping;
use super::loss;
use super::ring::Consumer;
use super::shared::Shared;
use crate::schema::Stream;

/// Bytes that are moved at once, at most: small enough to stay in the cache.
const BATCH: usize = 256 * 1024;
/// How long without a line until the drainer stops looking by itself.
const QUIET: Duration = Duration::from_secs(1);
/// The pause after the first failure in a row, and the longest one.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

pub(super) struct Drainer {
    shared: Arc<Shared>,
    consumer: Consumer,
    files: [StreamFile; 3],
    staged: [Vec<u8>; 3],
    staged_lines: u64,
    checkpoint: Checkpoint,
    batch: usize,
    told: Option<Instant>,
}

impl Drainer {
    pub(super) fn new(shared: Arc<Shared>, consumer: Consumer) -> Self {
        let options = &shared.options;
        let files =
            Stream::ALL.map(|stream| StreamFile::new(options, stream, shared.slot_number()));
        let batch = (options.max_file_bytes / 4).clamp(4 * 1024, BATCH as u64) as usize;
        let checkpoint = Checkpoint {
            tail: consumer.position(),
            marks: [Mark::default(); 3],
        };
        Self {
            files,
            batch,
            checkpoint,
            consumer,
            shared,
            staged: [const { Vec::new() }; 3],
            staged_lines: 0,
            told: None,
        }
    }

    /// Drains until the journal is closed and everything is in the files.
    pub(super) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        shared.wake.is_me();
        let mut active = Instant::now();
        let mut pause = PAUSES.0;
        loop {
            let closing = shared.closing.load(Acquire);
            match self.drain() {
                Ok(0) if closing && self.is_done() => break,
                Ok(0) => {
                    shared.drained();
                    self.rest(active, closing);
                    pause = PAUSES.0;
                }
                Ok(_) => {
                    active = Instant::now();
                    pause = PAUSES.0;
                    shared.drained();
                    self.tell_losses(closing);
                    shared.wake.nap(|| shared.is_pressed());
                }
                Err(error) => {
                    shared.failed(&error);
                    shared.wake.wait(pause);
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
        shared.ring.header().clean.store(1, Release);
        shared.finished();
    }

    fn is_done(&mut self) -> bool {
        self.tell_losses(true);
        self.shared.ring.used() == 0
    }

    fn rest(&mut self, active: Instant, closing: bool) {
        self.tell_losses(closing);
        if self.consumer.rewind() {
            self.checkpoint.tail = self.consumer.position();
            self.shared.ring.header().publish(&self.checkpoint);
            self.consumer.settle();
        }
        let shared = &self.shared;
        if active.elapsed() > QUIET && loss::untold(shared.ring.header()).next().is_none() {
            shared
                .wake
                .sleep(|| shared.ring.used() > 0 || shared.closing.load(Acquire));
        } else {
            shared.wake.nap(|| shared.is_pressed());
        }
    }

    /// Moves one batch, and says how many lines it had. After a failure the same batch is tried
    /// again, from the byte at which it failed.
    fn drain(&mut self) -> io::Result<u64> {
        if self.staged_lines == 0 {
            self.gather();
        }
        if self.staged_lines == 0 {
            return Ok(0);
        }
        let now = Moment::now();
        let rotations = self.rotations();
        let mut marks = self.checkpoint.marks;
        for (i, file) in self.files.iter_mut().enumerate() {
            if !self.staged[i].is_empty() {
                marks[i] = file.prepare(&self.staged[i], now)?;
            }
        }
        if marks != self.checkpoint.marks {
            self.checkpoint.marks = marks;
            self.shared.ring.header().publish(&self.checkpoint);
        }
        for (file, staged) in self.files.iter_mut().zip(&self.staged) {
            if !staged.is_empty() {
                file.append(staged)?;
            }
        }
        self.finish_batch();
        if self.rotations() != rotations {
            self.shared.rotations.store(self.rotations(), Relaxed);
            housekeeping::start(&self.shared.options);
        }
        Ok(std::mem::take(&mut self.staged_lines))
    }

    fn gather(&mut self) {
        let mut bytes = 0;
        while bytes < self.batch {
            let Some(line) = self.consumer.next() else {
                break;
            };
            bytes += line.first.len() + line.second.len() + 1;
            stage(
                &mut self.staged[line.stream as usize],
                [line.first, line.second],
            );
            self.staged_lines += 1;
        }
    }

    fn finish_batch(&mut self) {
        let mut bytes = 0;
        for (i, staged) in self.staged.iter_mut().enumerate() {
            if !staged.is_empty() {
                bytes += staged.len() as u64;
                if let Some(mark) = self.files[i].commit() {
                    self.checkpoint.marks[i] = mark;
                }
                staged.clear();
            }
        }
        self.checkpoint.tail = self.consumer.position();
        self.shared.ring.header().publish(&self.checkpoint);
        self.consumer.release();
        self.shared.lines.fetch_add(self.staged_lines, Relaxed);
        self.shared.bytes.fetch_add(bytes, Relaxed);
    }

    fn rotations(&self) -> u64 {
        self.files.iter().map(StreamFile::rotations).sum()
    }

    /// Says what was lost, once there is room, and not more than once a second.
    fn tell_losses(&mut self, now: bool) {
        let ring = &self.shared.ring;
        if loss::untold(ring.header()).next().is_none()
            || ring.used() > ring.capacity() / 2
            || (!now && self.told.is_some_and(|told| told.elapsed() < QUIET))
        {
            return;
        }
        self.told = Some(Instant::now());
        for untold in loss::untold(ring.header()) {
            let service = self.shared.options.service.as_deref();
            let line = loss::line(untold, service, Moment::now());
            if ring.push(Stream::Backend, line.as_bytes()).is_ok() {
                loss::told(ring.header(), untold);
            }
        }
    }
}
