//! What waits to be sent, what is on its way, what was lost.

use alloc::{collections::VecDeque, vec::Vec};

use crate::{codes::Count, scan};

/// The largest batch, in bytes: a beacon may hold 64 KiB in flight, all of them together.
pub(crate) const BATCH: usize = 48 * 1024;
/// The most that waits, in bytes; past it the oldest is dropped.
const CAPACITY: usize = 512 * 1024;
/// Longest time that a line waits for company, unless set otherwise.
const INTERVAL_MS: f64 = 3_000.0;
/// First pause after a failure; it doubles from there.
const FIRST_PAUSE_MS: f64 = 1_000.0;
const LONGEST_PAUSE_MS: f64 = 300_000.0;
/// The batch's frame and the commas: `{"sent_at":"…","entries":[…]}`.
const FRAME: usize = 80;

/// How many counters there are.
const COUNTERS: usize = 8;

type Line = Vec<u8>;

struct Flight {
    id: u32,
    lines: Vec<Line>,
}

/// The queue.
pub(crate) struct Queue {
    waiting: VecDeque<Line>,
    bytes: usize,
    flights: Vec<Flight>,
    last_flight: u32,
    batch: usize,
    interval: f64,
    oldest: f64,
    urgent: bool,
    failures: u32,
    retry_at: f64,
    counters: [u32; COUNTERS],
}

impl Queue {
    pub(crate) fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            bytes: 0,
            flights: Vec::new(),
            last_flight: 0,
            batch: BATCH,
            interval: INTERVAL_MS,
            oldest: 0.0,
            urgent: false,
            failures: 0,
            retry_at: 0.0,
            counters: [0; COUNTERS],
        }
    }

    /// Longest time that a line waits for company.
    pub(crate) fn set_interval(&mut self, interval: f64) {
        self.interval = interval;
    }

    /// Takes a line in. An urgent one is sent with little delay.
    pub(crate) fn push(&mut self, line: Vec<u8>, urgent: bool, now: f64) {
        if line.len() + FRAME > BATCH {
            self.add(Count::TooLarge, 1);
            return;
        }
        if self.waiting.is_empty() {
            self.oldest = now;
        }
        self.urgent |= urgent;
        self.bytes += line.len() + 1;
        self.waiting.push_back(line);
        self.fit();
    }

    fn fit(&mut self) {
        while self.bytes > CAPACITY {
            let Some(line) = self.waiting.pop_front() else {
                break;
            };
            self.bytes -= line.len() + 1;
            self.add(Count::QueueFull, 1);
        }
    }

    /// Counts lines.
    pub(crate) fn add(&mut self, why: Count, count: u32) {
        if let Some(counter) = self.counters.get_mut(why as usize) {
            *counter += count;
        }
    }

    /// Milliseconds until something should be sent; negative when there is nothing to do.
    pub(crate) fn due(&self, now: f64) -> f64 {
        if self.waiting.is_empty() || !self.flights.is_empty() {
            return -1.0;
        }
        let by_age = if self.bytes >= self.batch {
            0.0
        } else if self.urgent {
            (self.oldest + self.interval.min(250.0) - now).max(0.0)
        } else {
            (self.oldest + self.interval - now).max(0.0)
        };
        by_age.max(self.retry_at - now)
    }

    /// Whether a pause that the server or the network asked for is over.
    pub(crate) fn may_send(&self, now: f64) -> bool {
        now >= self.retry_at
    }

    /// Answers a counter.
    pub(crate) fn count(&self, what: Count) -> u32 {
        match what {
            Count::Queued => {
                let flying: usize = self.flights.iter().map(|flight| flight.lines.len()).sum();
                (self.waiting.len() + flying) as u32
            }
            what => self.counters.get(what as usize).copied().unwrap_or(0),
        }
    }

    /// Appends the next batch as `line,line,…` to a body of at most `limit` bytes. Tells whether there
    /// was one; it is on its way under the next number, counting from 1, until [`done`](Self::done).
    pub(crate) fn take(&mut self, body: &mut Vec<u8>, limit: usize) -> bool {
        let limit = limit.min(self.batch);
        let mut lines = Vec::new();
        let mut size = FRAME;
        while let Some(line) = self.waiting.pop_front() {
            size += line.len() + 1;
            if size > limit {
                self.waiting.push_front(line);
                break;
            }
            if !lines.is_empty() {
                body.push(b',');
            }
            body.extend_from_slice(&line);
            self.bytes -= line.len() + 1;
            lines.push(line);
        }
        if lines.is_empty() {
            return false;
        }
        if self.waiting.is_empty() {
            self.urgent = false;
        }
        self.last_flight += 1;
        self.flights.push(Flight {
            id: self.last_flight,
            lines,
        });
        true
    }

    /// A batch came to its end. `status` 0 is no answer at all; `pause` is what `Retry-After` asked
    /// for, in milliseconds; `jitter` is a random number below 1.
    pub(crate) fn done(
        &mut self,
        id: u32,
        status: u16,
        rejected: u32,
        pause: f64,
        jitter: f64,
        now: f64,
    ) {
        let mut lines = Vec::new();
        self.flights.retain_mut(|flight| {
            let found = flight.id == id;
            if found {
                lines = core::mem::take(&mut flight.lines);
            }
            !found
        });
        let count = lines.len() as u32;
        match status {
            200..300 => {
                let rejected = rejected.min(count);
                self.add(Count::Sent, count - rejected);
                self.add(Count::Rejected, rejected);
                self.failures = 0;
                self.retry_at = 0.0;
                self.batch = BATCH;
            }
            // Also when the connection is there again: 0 is "offline" most of the time.
            0 | 408 | 425 | 429 | 500..600 => {
                let growing = FIRST_PAUSE_MS * f64::from(1_u32 << self.failures.min(9));
                let backoff = growing.min(LONGEST_PAUSE_MS) * (0.5 + jitter / 2.0);
                self.failures += 1;
                self.retry_at = now + if pause > 0.0 { pause } else { backoff };
                self.put_back(lines, now);
            }
            413 if count > 1 => {
                let size: usize = lines.iter().map(|line| line.len() + 1).sum();
                self.batch = (size / 2 + FRAME).max(FRAME * 4);
                self.put_back(lines, now);
            }
            413 => self.add(Count::TooLarge, count),
            _ => self.add(Count::Rejected, count),
        }
        // A line larger than a batch that had to shrink would wait for ever.
        if let Some(first) = self.waiting.front() {
            self.batch = self.batch.max(first.len() + FRAME);
        }
    }

    fn put_back(&mut self, lines: Vec<Line>, now: f64) {
        for line in lines.into_iter().rev() {
            self.bytes += line.len() + 1;
            self.waiting.push_front(line);
        }
        self.oldest = now;
        self.fit();
    }

    /// Everything not yet acknowledged, one line each, for storage across a reload.
    pub(crate) fn save(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let in_flight = self.flights.iter().flat_map(|flight| &flight.lines);
        for line in in_flight.chain(&self.waiting) {
            out.extend_from_slice(line);
            out.push(b'\n');
        }
        out
    }

    /// Takes in what an earlier page saved.
    pub(crate) fn restore(&mut self, saved: &str, now: f64) {
        for line in scan::split(saved, b'\n') {
            let line = line.as_bytes();
            if scan::starts_with(line, 0, b"{\"timestamp\":\"") && line.last() == Some(&b'}') {
                self.push(line.to_vec(), false, now);
            }
        }
    }

    /// Forgets everything, counted under a reason.
    pub(crate) fn clear(&mut self, why: Count) {
        let count = self.waiting.len() as u32;
        self.add(why, count);
        self.waiting.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(lines: usize, length: usize) -> Queue {
        let mut queue = Queue::new();
        for _ in 0..lines {
            queue.push(vec![b'x'; length], false, 0.0);
        }
        queue
    }

    fn take(queue: &mut Queue) -> usize {
        let mut body = Vec::new();
        queue.take(&mut body, BATCH);
        assert!(body.len() <= BATCH, "{} bytes", body.len());
        body.split(|&byte| byte == b',')
            .filter(|line| !line.is_empty())
            .count()
    }

    #[test]
    fn a_full_queue_drops_its_oldest_and_counts_them() {
        let queue = filled(600, 1_023);
        assert_eq!(queue.count(Count::Queued), 512);
        assert_eq!(queue.count(Count::QueueFull), 88);
    }

    #[test]
    fn pauses_double_and_end_with_the_first_success() {
        let mut queue = filled(1, 10);
        for (turn, wanted) in [(1, 1_000.0), (2, 2_000.0), (3, 4_000.0)] {
            assert_eq!(take(&mut queue), 1);
            queue.done(turn, 503, 0, 0.0, 1.0, 0.0);
            assert_eq!(queue.due(0.0), f64::max(wanted, 3_000.0), "turn {turn}");
            assert!(!queue.may_send(wanted - 1.0) && queue.may_send(wanted));
        }
        take(&mut queue);
        queue.done(4, 202, 0, 0.0, 1.0, 0.0);
        assert_eq!((queue.count(Count::Sent), queue.due(0.0)), (1, -1.0));
    }

    #[test]
    fn the_server_says_how_long_to_wait() {
        let mut queue = filled(1, 10);
        take(&mut queue);
        queue.done(1, 429, 0, 30_000.0, 0.0, 0.0);
        assert!(!queue.may_send(29_999.0) && queue.may_send(30_000.0));
    }

    #[test]
    fn too_large_a_batch_is_halved_and_a_line_too_large_is_lost() {
        let mut queue = filled(40, 1_000);
        let first = take(&mut queue);
        queue.done(1, 413, 0, 0.0, 0.0, 0.0);
        assert!(take(&mut queue) <= first.div_ceil(2));
        queue.push(vec![b'x'; BATCH], false, 0.0);
        assert_eq!(queue.count(Count::TooLarge), 1);
    }

    #[test]
    fn what_was_rejected_is_counted_and_not_sent_again() {
        let mut queue = filled(3, 10);
        take(&mut queue);
        queue.done(1, 202, 1, 0.0, 0.0, 0.0);
        assert_eq!(
            (queue.count(Count::Sent), queue.count(Count::Rejected)),
            (2, 1)
        );
        let mut queue = filled(3, 10);
        take(&mut queue);
        queue.done(1, 400, 0, 0.0, 0.0, 0.0);
        assert_eq!(
            (queue.count(Count::Rejected), queue.count(Count::Queued)),
            (3, 0)
        );
    }

    #[test]
    fn saved_lines_come_back_and_other_text_does_not() {
        let line = br#"{"timestamp":"x"}"#;
        let mut queue = Queue::new();
        queue.push(line.to_vec(), false, 0.0);
        let saved = String::from_utf8(queue.save()).unwrap();
        let mut next = Queue::new();
        next.restore(&(saved + "garbage\n{\"x\":1}\n"), 0.0);
        assert_eq!(next.count(Count::Queued), 1);
    }
}
