//! From a draft to a line in the queue: consent, sampling, limits, session.

use alloc::vec::Vec;

use omnify_trace::schema::{EventType, fields};

use super::{Consent, Core};
use crate::{
    json,
    line::{self, Common, Draft, Level},
    queue::Loss,
    trace::Root,
};

/// A draft without its trace.
pub(super) struct Entry<'a> {
    pub(super) level: Level,
    pub(super) event_type: &'a str,
    pub(super) message: &'a str,
    pub(super) own: &'a [u8],
    pub(super) extra: &'a str,
    pub(super) exception: &'a str,
}

impl<'a> Entry<'a> {
    pub(super) fn new(level: Level, event: EventType, message: &'a str) -> Self {
        Self {
            level,
            event_type: event.as_str(),
            message,
            own: &[],
            extra: "",
            exception: "",
        }
    }
}

/// Ids of a request that a line tells of.
#[derive(Default)]
pub(super) struct Ids<'a> {
    pub(super) parent_span_id: &'a str,
    pub(super) request_id: &'a str,
}

impl Core {
    /// Takes an entry in under the current trace. Answers whether it was kept.
    pub(super) fn emit(&mut self, entry: &Entry<'_>, now: f64) -> bool {
        let root = self.traces.current(now).clone();
        self.emit_in(entry, &root, &Ids::default(), now)
    }

    /// Takes an entry in under a given trace.
    pub(super) fn emit_in(
        &mut self,
        entry: &Entry<'_>,
        root: &Root,
        ids: &Ids<'_>,
        now: f64,
    ) -> bool {
        let serious = entry.level >= Level::Error;
        if self.consent == Consent::Denied || !(self.sampled || serious) {
            // What sampling leaves out is left out on purpose; without consent it is a loss.
            if self.consent == Consent::Denied {
                self.queue.lose(Loss::NoConsent, 1);
            }
            return false;
        }
        if !self.bucket.admit(now) {
            self.queue.lose(Loss::RateLimited, 1);
            return false;
        }
        let line = self.line(entry, root, ids, now);
        self.queue.push(line, serious, now);
        true
    }

    /// Writes the line.
    pub(super) fn line(&self, entry: &Entry<'_>, root: &Root, ids: &Ids<'_>, now: f64) -> Vec<u8> {
        let in_run = self.run.trace_id == root.trace_id;
        let workflow = if in_run {
            [
                &*self.run.workflow_id,
                &*self.run.run_id,
                &*self.run.step_id,
            ]
        } else {
            [""; 3]
        };
        let common = Common {
            target: &self.app,
            session_id: self.session.id(),
            user_id: &self.user_id,
            organization_id: &self.organization_id,
            workflow,
            redactor: &self.redactor,
        };
        let draft = Draft {
            level: entry.level,
            event_type: entry.event_type,
            message: entry.message,
            root,
            parent_span_id: ids.parent_span_id,
            request_id: ids.request_id,
            own: entry.own,
            extra: entry.extra,
            exception: entry.exception,
        };
        line::write(&draft, &common, now)
    }

    /// A person is there: keeps the session alive or begins the next one.
    pub(super) fn person_is_there(&mut self, now: f64) {
        let began = self.session.touch(&mut self.ids, now);
        if began {
            self.sampled = self.session.sampled(self.sample_rate);
        }
        if began || core::mem::take(&mut self.session_began) {
            let mut own = Vec::new();
            self.page_field(&mut own);
            for (name, value) in [
                (fields::USER_AGENT, &self.user_agent),
                ("referrer", &self.referrer),
                ("release", &self.release),
                ("environment", &self.environment),
            ] {
                json::known(&mut own, name, value);
            }
            let mut entry = Entry::new(Level::Info, EventType::SessionStart, "Session started");
            entry.own = &own;
            self.emit(&entry, now);
        }
    }

    /// Appends `"page":"/path"`.
    pub(super) fn page_field(&self, own: &mut Vec<u8>) {
        json::known(own, "page", &self.page);
    }
}
