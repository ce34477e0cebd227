//! Batches out, answers in, and what survives a reload.

use alloc::{string::String, vec::Vec};

use omnify_trace::schema::{EventType, fields};
use wasm_bindgen::prelude::wasm_bindgen;

use super::{Consent, Core, emit::Entry, emit::Ids, text};
use crate::{json, line::Level, time};

#[wasm_bindgen]
impl Core {
    /// Milliseconds until [`take`](Self::take) should be called; negative when nothing waits.
    pub fn due(&self, now: f64) -> f64 {
        if self.consent == Consent::Granted {
            self.queue.due(now)
        } else {
            -1.0
        }
    }

    /// The next batch's body, at most `limit` bytes; empty when nothing may be sent. Its number counts
    /// up from 1. With `hurry`, as the page goes away, pauses are not kept: there is no later.
    pub fn take(&mut self, limit: usize, hurry: bool, now: f64) -> String {
        if self.consent != Consent::Granted || !(hurry || self.queue.may_send(now)) {
            return String::new();
        }
        self.report_losses(now);
        let entries = self.queue.take(limit);
        if entries.is_empty() {
            return String::new();
        }
        let mut body = Vec::with_capacity(entries.len() + 64);
        body.extend_from_slice(b"{\"sent_at\":\"");
        time::rfc3339(&mut body, now);
        body.extend_from_slice(b"\",\"entries\":[");
        body.extend_from_slice(&entries);
        body.extend_from_slice(b"]}");
        text(body)
    }

    /// Batch `id` was answered with `status` (0: not at all), `rejected` of its entries were not
    /// accepted, and `Retry-After` asked for `pause` milliseconds (0: it did not).
    pub fn done(&mut self, id: u32, status: u16, rejected: u32, pause: f64, now: f64) {
        let jitter = self.ids.fraction();
        self.queue.done(id, status, rejected, pause, jitter, now);
    }

    /// Lines not yet acknowledged, for the browser to keep across a reload; empty without consent.
    pub fn save(&self) -> String {
        if self.consent == Consent::Granted {
            text(self.queue.save())
        } else {
            String::new()
        }
    }

    /// Takes in what an earlier page [saved](Self::save).
    pub fn restore(&mut self, saved: &str, now: f64) {
        self.queue.restore(saved, now);
    }

    /// The last entries, one a line, for a problem report.
    pub fn recent(&self) -> String {
        text(self.queue.recent())
    }

    /// Counters as JSON: sent, queued, dropped by reason.
    pub fn stats(&self) -> String {
        self.queue.stats()
    }
}

impl Core {
    fn report_losses(&mut self, now: f64) {
        for (count, reason) in self.queue.unreported_losses() {
            let mut own = Vec::new();
            json::number(&mut own, fields::COUNT, f64::from(count));
            json::field(&mut own, fields::REASON, reason);
            let mut entry = Entry::new(Level::Warn, EventType::LogLoss, "Entries were dropped");
            entry.own = &own;
            let root = self.traces.current(now).clone();
            let line = self.line(&entry, &root, &Ids::default(), now);
            self.queue.push(line, false, now);
        }
    }
}
