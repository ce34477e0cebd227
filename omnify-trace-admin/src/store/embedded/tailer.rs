//! Reads what is new in the log files and hands it on: to be searched at once, to be sealed later.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    chunk::Builder,
    files::LogFiles,
    shared::{Part, Shared},
    source::{Extent, Mark, Source},
};

/// Rows that make a chunk.
const CHUNK_ROWS: usize = 16_384;
/// Bytes read of one file before the next has its turn.
const TURN: u64 = 8 << 20;

/// The thread that reads.
pub(crate) struct Tailer {
    shared: Arc<Shared>,
    files: LogFiles,
    builder: Builder,
    /// What the builder holds, per source.
    pending: Vec<(Arc<Source>, u64, Mark)>,
    part: Part,
}

impl Tailer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            files: LogFiles::new(shared.options.log_dir.clone()),
            shared,
            builder: Builder::default(),
            pending: Vec::new(),
            part: Part::default(),
        }
    }

    /// Runs until the store closes; seals what is in memory at the end.
    pub(crate) fn run(mut self) {
        while !self.shared.closing() {
            let busy = self.poll();
            if !busy {
                self.shared.wait(self.shared.options.poll);
            }
        }
        while self.poll() && !self.shared.abandoned() {}
        self.seal();
    }

    /// One round over all files. Gives whether there is more to read at once.
    fn poll(&mut self) -> bool {
        self.scan();
        self.tell_progress();
        let mut busy = false;
        for at in 0..self.files.followed.len() {
            busy |= self.read(at);
        }
        self.publish();
        self.files.forget_finished();
        self.tell_progress();
        if self.part.is_due(&self.shared.options) {
            self.seal();
        }
        busy
    }

    fn tell_progress(&self) {
        self.shared.set_reading(self.files.unread());
    }

    fn read(&mut self, at: usize) -> bool {
        let mut taken = 0;
        let arrival = crate::time::now();
        loop {
            let file = &mut self.files.followed[at];
            let room = self
                .shared
                .options
                .seal_rows
                .saturating_sub(self.part.rows + self.builder.rows());
            let slot = self.builder.source(&file.source);
            let builder = &mut self.builder;
            let read = file.read(room.max(1), &mut |offset, line| {
                builder.push(slot, offset, line, arrival);
            });
            let Some((start, mark)) = read else {
                return false;
            };
            taken += mark.end - start;
            let source = self.files.followed[at].source.clone();
            self.note(source, start, mark);
            let part_rows = self.part.rows + self.builder.rows();
            if self.builder.rows() >= CHUNK_ROWS || part_rows >= self.shared.options.seal_rows {
                self.publish();
                if self.part.is_due(&self.shared.options) {
                    self.seal();
                }
            }
            if taken >= TURN || self.shared.abandoned() {
                return true;
            }
        }
    }

    fn note(&mut self, source: Arc<Source>, start: u64, mark: Mark) {
        let joins = |pending: &&mut (Arc<Source>, u64, Mark)| {
            pending.0.id == source.id && pending.2.end == start
        };
        match self.pending.iter_mut().find(joins) {
            Some(pending) => pending.2 = mark,
            None => self.pending.push((source, start, mark)),
        }
    }

    /// Makes what was read searchable.
    fn publish(&mut self) {
        let ranges = std::mem::take(&mut self.pending);
        {
            let mut catalog = self.shared.catalog.lock();
            for (source, start, mark) in &ranges {
                catalog.advance(source.id, *start, *mark);
            }
        }
        for (source, start, mark) in ranges {
            self.part.note(&source, start, mark);
        }
        if self.builder.rows() == 0 {
            return;
        }
        self.part.bytes += self.builder.bytes();
        match self.builder.freeze() {
            Ok(chunk) => {
                self.part.rows += chunk.rows();
                self.part.born.get_or_insert_with(Instant::now);
                self.shared.publish(&Arc::new(chunk));
            }
            Err(error) => self.shared.complain("freeze rows", &error),
        }
    }

    /// Looks for files that are new, renamed or gone.
    fn scan(&mut self) {
        let reread = self
            .shared
            .reread
            .swap(false, std::sync::atomic::Ordering::Relaxed);
        if reread {
            // What is unread has changed: every file is looked at anew.
            self.publish();
            self.files.forget();
        }
        self.files.scan(&self.shared.catalog);
    }

    /// Hands the part to the sealers; waits while they have enough to do.
    fn seal(&mut self) {
        if self.part.rows == 0 {
            return;
        }
        let builder = std::mem::take(&mut self.builder);
        let part = std::mem::take(&mut self.part);
        self.shared.hand_over(part, &builder.sources());
    }
}

impl Part {
    fn note(&mut self, source: &Arc<Source>, start: u64, mark: Mark) {
        let extent = match self
            .extents
            .iter_mut()
            .find(|extent| extent.source.id == source.id)
        {
            Some(extent) => extent,
            None => {
                self.extents.push(Extent {
                    source: (**source).clone(),
                    ranges: Vec::new(),
                    mark: Mark::default(),
                });
                let last = self.extents.len() - 1;
                &mut self.extents[last]
            }
        };
        match extent.ranges.last_mut() {
            Some(range) if range.1 == start => range.1 = mark.end,
            _ => extent.ranges.push((start, mark.end)),
        }
        if mark.end >= extent.mark.end {
            extent.mark = mark;
        }
    }

    fn is_due(&self, options: &super::StoreOptions) -> bool {
        let age = self.born.map_or(Duration::ZERO, |born| born.elapsed());
        self.rows >= options.seal_rows
            || self.bytes >= options.seal_bytes
            || (self.rows > 0 && age >= options.seal_interval)
    }
}
