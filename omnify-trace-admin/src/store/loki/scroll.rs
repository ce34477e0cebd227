//! Reading lines out of Loki, from one end of a range to the other.
//!
//! Loki has no cursor: a query names a range of time and how many lines it wants of it. So lines
//! are taken a batch at a time, and the time at which a batch was cut is asked for again, as
//! lines of the same nanosecond may have been left out. Windows grow, so that a page of newest
//! lines costs little and a needle in a month few requests.

use std::{collections::HashMap, time::Instant};

use super::{
    LogQl, Matcher, Reader,
    wire::{Entry, Failure},
};
use crate::{
    store::{Line, Order, Partial, Query, StoreError, embedded::source::hash, json, time::SECOND},
    time::now,
};

/// The first window's width.
const FIRST_WINDOW: i64 = 3600 * SECOND;
/// The widest: a little less than Loki's `max_query_length` of a new installation, 721 hours.
const WIDEST_WINDOW: i64 = 720 * 3600 * SECOND;
/// Lines may be so far ahead of this machine's clock.
const AHEAD: i64 = 600 * SECOND;

/// Where a line is: time, a hash of its text, and which of several equal ones it is.
pub(super) type Key = (i64, u64, u64);

pub(super) fn write_key((time, text, nth): Key) -> String {
    format!("{:x}-{text:x}-{nth:x}", time.cast_unsigned())
}

pub(super) fn parse_key(text: &str) -> Result<Key, StoreError> {
    let mut parts = text.split('-');
    let mut part = || u64::from_str_radix(parts.next()?, 16).ok();
    match (part(), part(), part(), parts.next()) {
        (Some(time), Some(text), Some(nth), None) => Ok((time.cast_signed(), text, nth)),
        _ => Err(StoreError::BadCursor(text.to_owned())),
    }
}

/// What came of going on.
pub(super) enum Step {
    /// All lines of the next stretch of time, in order.
    Lines(Vec<(Key, Line)>),
    /// The query's time is over.
    Over(Partial),
    /// That was all.
    End,
}

/// A way through a range of time.
pub(super) struct Scroll<'a> {
    reader: &'a Reader,
    logql: LogQl,
    matcher: Matcher,
    order: Order,
    after: Option<Key>,
    /// What is still to be read.
    from: i64,
    to: i64,
    window: i64,
    deadline: Instant,
}

impl<'a> Scroll<'a> {
    /// From the end that the order names, or from beyond `after`.
    pub(super) fn new(reader: &'a Reader, query: &Query, order: Order, after: Option<Key>) -> Self {
        let (mut from, mut to) = reader.range(query);
        if let Some((time, ..)) = after {
            match order {
                Order::Newest => to = to.min(time.saturating_add(1)),
                Order::Oldest => from = from.max(time),
            }
        }
        Self {
            reader,
            logql: LogQl::of(&query.filters),
            matcher: Matcher::new(query),
            order,
            after,
            from,
            to,
            window: FIRST_WINDOW,
            deadline: Instant::now() + query.budget.time,
        }
    }

    pub(super) async fn next(&mut self) -> Result<Step, StoreError> {
        while self.from < self.to {
            let (from, to) = match self.order {
                Order::Newest => (self.from.max(self.to.saturating_sub(self.window)), self.to),
                Order::Oldest => (
                    self.from,
                    self.to.min(self.from.saturating_add(self.window)),
                ),
            };
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Step::Over(self.stopped("time")));
            }
            let asked = self.reader.client.lines(
                self.logql.as_str(),
                (from, to),
                self.order,
                self.reader.batch,
                left,
            );
            let mut entries = match asked.await {
                Ok(entries) => entries,
                Err(Failure::TimedOut) => return Ok(Step::Over(self.stopped("time"))),
                Err(failure) => return Err(failure.into()),
            };
            if entries.len() < self.reader.batch {
                match self.order {
                    Order::Newest => self.to = from,
                    Order::Oldest => self.from = to,
                }
                self.window = self.window.saturating_mul(4).min(WIDEST_WINDOW);
            } else {
                self.cut(&mut entries);
            }
            let lines = self.meant(entries);
            if !lines.is_empty() {
                return Ok(Step::Lines(lines));
            }
        }
        Ok(Step::End)
    }

    /// Leaves out the time at which the batch was cut, to begin there again.
    fn cut(&mut self, entries: &mut Vec<Entry>) {
        let times = entries.iter().map(|entry| entry.timestamp);
        let (Some(oldest), Some(newest)) = (times.clone().min(), times.max()) else {
            return;
        };
        match self.order {
            Order::Newest if oldest < newest => {
                entries.retain(|entry| entry.timestamp > oldest);
                self.to = oldest.saturating_add(1);
            }
            Order::Oldest if oldest < newest => {
                entries.retain(|entry| entry.timestamp < newest);
                self.from = newest;
            }
            // A whole batch of one nanosecond: Loki gives no way to the rest of it.
            Order::Newest => self.to = oldest,
            Order::Oldest => self.from = newest.saturating_add(1),
        }
    }

    /// The lines that the query asks for, in order.
    fn meant(&self, mut entries: Vec<Entry>) -> Vec<(Key, Line)> {
        entries
            .sort_by(|a, b| (a.timestamp, &a.line, &a.file).cmp(&(b.timestamp, &b.line, &b.file)));
        let mut seen: HashMap<(i64, u64), u64> = HashMap::new();
        let mut lines: Vec<(Key, Line)> = Vec::new();
        for entry in entries {
            let text = hash(&[entry.line.as_bytes()]);
            let nth = seen.entry((entry.timestamp, text)).or_default();
            let key = (entry.timestamp, text, *nth);
            *nth += 1;
            let line = Line {
                id: write_key(key),
                timestamp: entry.timestamp,
                is_json: json::walk(&entry.line, |_, _, _, _| {}).is_ok(),
                raw: entry.line,
                file: entry.file,
            };
            let beyond = self.after.is_none_or(|after| match self.order {
                Order::Newest => key < after,
                Order::Oldest => key > after,
            });
            if beyond && self.matcher.matches(&line) {
                lines.push((key, line));
            }
        }
        lines.sort_unstable_by_key(|(key, _)| *key);
        if self.order == Order::Newest {
            lines.reverse();
        }
        lines
    }

    /// How far it came.
    pub(super) fn stopped(&self, reason: &str) -> Partial {
        Partial {
            reason: reason.to_owned(),
            reached: match self.order {
                Order::Newest => self.to,
                Order::Oldest => self.from,
            },
        }
    }

    /// A key from which on one can go on where this ended.
    pub(super) fn reached_key(&self) -> Key {
        match self.order {
            Order::Newest => (self.to, 0, 0),
            Order::Oldest => (self.from.saturating_sub(1), u64::MAX, u64::MAX),
        }
    }
}

impl Reader {
    /// The range of a query, with an end at both sides.
    pub(super) fn range(&self, query: &Query) -> (i64, i64) {
        let to = query.to.unwrap_or_else(|| now().saturating_add(AHEAD));
        let from = query
            .from
            .unwrap_or_else(|| to.min(now()).saturating_sub(self.reach_ns));
        (from.max(0), to.max(0))
    }
}
