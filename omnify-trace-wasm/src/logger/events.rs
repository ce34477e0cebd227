//! What happens in a page, each in the form of its event type.

use alloc::{string::String, vec::Vec};

use omnify_trace::schema::{EventType, fields};
use wasm_bindgen::prelude::wasm_bindgen;

use super::{
    Core,
    emit::{Entry, Ids},
};
use crate::{
    json,
    limit::{Verdict, fingerprint},
    line::Level,
    request::Open,
    url,
    vitals::Metric,
};

/// So many clicks on one thing, each within [`RAGE_MS`] of the one before, are rage.
const RAGE_CLICKS: u32 = 3;
const RAGE_MS: f64 = 700.0;

#[wasm_bindgen]
impl Core {
    /// Logs an application's message. `event` is empty, or a type of the application's own; `extra` is
    /// empty or a JSON object.
    pub fn log(&mut self, level: u8, event: &str, message: &str, extra: &str, now: f64) -> bool {
        let entry = Entry {
            level: Level::new(level),
            event_type: event,
            message,
            own: &[],
            extra,
            exception: "",
        };
        self.emit(&entry, now)
    }

    /// Logs an error. `kind` says how it was caught; `class`, `message` and `stack` are the error's;
    /// `exception` is the JSON object for the line. Answers the reference under which it was sent.
    #[expect(
        clippy::too_many_arguments,
        reason = "the script calls it, flat and cheap"
    )]
    pub fn error(
        &mut self,
        kind: &str,
        class: &str,
        message: &str,
        stack: &str,
        component_stack: &str,
        exception: &str,
        extra: &str,
        now: f64,
    ) -> String {
        let reference = self.ids.reference();
        let held_back = match self
            .errors
            .judge(fingerprint(class, message, stack), &reference, now)
        {
            Verdict::Send { held_back } => held_back,
            Verdict::Hold { reference } => {
                self.queue.lose(crate::queue::Loss::Duplicate, 1);
                return reference;
            }
        };
        let mut own = Vec::new();
        json::field(&mut own, "kind", kind);
        self.page_field(&mut own);
        json::known(
            &mut own,
            "component_stack",
            json::cut(component_stack, 4_096),
        );
        json::number(&mut own, fields::COUNT, f64::from(held_back + 1));
        json::field(&mut own, "reference", &reference);
        json::known(&mut own, "release", &self.release);
        let mut entry = Entry::new(Level::Error, EventType::FrontendError, message);
        entry.own = &own;
        entry.extra = extra;
        entry.exception = exception;
        self.emit(&entry, now);
        reference
    }

    /// A person did something to an element: `kind` is `click`, `submit`, … This opens a trace.
    /// `extra` holds further fields as a JSON object.
    pub fn action(&mut self, kind: &str, element: &str, extra: &str, now: f64) {
        self.person_is_there(now);
        // A form is submitted by a click or a key: that was the action, the form is what came of it.
        if !(kind == "submit" && self.traces.just_acted(now)) {
            self.traces.open_action(&mut self.ids, now);
        }
        self.action_entry(kind, element, extra, now);
        if kind == "click" {
            let (last, at, count) = &mut self.last_click;
            let again = last == element && now - *at < RAGE_MS;
            *count = if again { *count + 1 } else { 1 };
            *at = now;
            if !again {
                *last = element.into();
            }
            if *count == RAGE_CLICKS {
                self.action_entry("rage_click", element, "", now);
            }
        }
    }

    /// A click after which nothing happened: no change of the page, no request.
    pub fn dead_click(&mut self, element: &str, now: f64) {
        self.action_entry("dead_click", element, "", now);
    }

    /// Another page or route is shown; `kind` is `load`, `push`, `replace`, `pop`, `restore`, …
    pub fn navigated(&mut self, kind: &str, url: &str, now: f64) {
        // What was measured so far was measured on the page before.
        self.tell_vitals(now);
        let from = core::mem::replace(&mut self.page, url::path(url).into());
        self.person_is_there(now);
        let mut own = Vec::new();
        json::known(&mut own, "from", &from);
        json::field(&mut own, "to", &self.page);
        json::field(&mut own, "kind", kind);
        if !from.is_empty() {
            self.traces.new_page(&mut self.ids);
        }
        let mut message = String::from("Navigated to ");
        message.push_str(&self.page);
        let mut entry = Entry::new(Level::Info, EventType::Navigation, &message);
        entry.own = &own;
        self.emit(&entry, now);
    }

    /// The page is looked at again.
    pub fn visible(&mut self, now: f64) {
        self.person_is_there(now);
    }

    /// The page is hidden or goes away.
    pub fn hidden(&mut self, now: f64) {
        self.tell_vitals(now);
    }

    /// A single measurement, by the code of its metric.
    pub fn vital(&mut self, code: u8, value: f64, now: f64) {
        if let Some(metric) = Metric::of(code) {
            self.tell(metric, value, now);
        }
    }

    /// A larger paint than before, milliseconds after the page began.
    pub fn paint(&mut self, at: f64) {
        self.vitals.paint(at);
    }

    /// The layout shifted.
    pub fn shift(&mut self, value: f64, at: f64) {
        self.vitals.shift(value, at);
    }

    /// How long a click, tap or key took to show.
    pub fn interaction(&mut self, duration: f64) {
        self.vitals.interaction(duration);
    }
}

#[wasm_bindgen]
impl Core {
    /// A request begins. Empty: not to be followed. Else 55 characters of `traceparent`, 36 of
    /// `X-Request-ID`, then `+` where they may be sent or `-` where not, and the number for
    /// [`request_end`](Self::request_end).
    pub fn request_start(&mut self, method: &str, url: &str, now: f64) -> String {
        if url.starts_with(&*self.endpoint) || !url.starts_with("http") {
            return String::new();
        }
        let own = self.origins.is_own(url);
        let path = url::path(url);
        let shown = if own {
            path.into()
        } else {
            let mut shown = String::from(url::origin(url));
            shown.push_str(path);
            shown
        };
        let parent = self.traces.current(now);
        let request = Open::new(method, shown, parent, &mut self.ids, now);
        let mut out = request.traceparent(self.sampled);
        out.push_str(&request.request_id);
        out.push(if self.origins.may_trace(url) {
            '+'
        } else {
            '-'
        });
        let Some(slot) = self.requests.open(request) else {
            return String::new();
        };
        let mut digits = Vec::new();
        json::integer(&mut digits, u64::from(slot));
        out.push_str(&super::text(digits));
        out
    }

    /// The request's beginning as an entry of its own, for pages that log at debug level.
    pub fn request_sent(&mut self, slot: u32, now: f64) {
        if let Some(request) = self.requests.close(slot) {
            self.request_entry(&request, EventType::ApiRequest, Level::Debug, "", &[], now);
            self.requests.open(request);
        }
    }

    /// A request ended: with a status and the length of its answer (negative: unknown), or with an error.
    pub fn request_end(&mut self, slot: u32, status: u16, bytes: f64, error: &str, now: f64) {
        let Some(request) = self.requests.close(slot) else {
            return;
        };
        self.traces.answered(&request.root.trace_id, now);
        let mut own = Vec::new();
        if status > 0 {
            json::number(&mut own, fields::STATUS_CODE, f64::from(status));
        }
        json::number(&mut own, fields::DURATION_MS, now - request.started);
        if bytes >= 0.0 {
            json::number(&mut own, fields::RESPONSE_BYTES, bytes);
        }
        json::known(&mut own, fields::ERROR, error);
        let (event, level) = match (status, error) {
            // The page changed its mind.
            (0, "AbortError") => (EventType::ApiError, Level::Info),
            (0, _) | (500.., _) => (EventType::ApiError, Level::Error),
            (400.., _) => (EventType::ApiError, Level::Warn),
            _ => (EventType::ApiResponse, Level::Info),
        };
        self.request_entry(&request, event, level, error, &own, now);
    }

    /// Headers for a request that the script does not see: `traceparent` and `X-Request-ID` as in
    /// [`request_start`](Self::request_start), or empty where they must not go.
    pub fn headers(&mut self, url: &str, now: f64) -> String {
        if !self.origins.may_trace(url) {
            return String::new();
        }
        let parent = self.traces.current(now);
        let request = Open::new("", String::new(), parent, &mut self.ids, now);
        let mut out = request.traceparent(self.sampled);
        out.push_str(&request.request_id);
        out
    }
}

#[wasm_bindgen]
impl Core {
    /// What a workflow's run does: `what` is 0 start, 1 step, 2 step error, 3 complete, 4 error.
    /// `name` is the workflow's or the step's; `extra` and `exception` are JSON objects or empty.
    #[expect(
        clippy::too_many_arguments,
        reason = "the script calls it, flat and cheap"
    )]
    pub fn workflow(
        &mut self,
        what: u8,
        workflow_id: &str,
        run_id: &str,
        step_id: &str,
        name: &str,
        status: &str,
        duration: f64,
        extra: &str,
        exception: &str,
        now: f64,
    ) {
        let (event, level, message) = match what {
            0 => (EventType::WorkflowStart, Level::Info, "Workflow started: "),
            1 => (EventType::WorkflowStep, Level::Info, "Workflow step: "),
            2 => (
                EventType::WorkflowStepError,
                Level::Error,
                "Workflow step failed: ",
            ),
            3 => (
                EventType::WorkflowComplete,
                Level::Info,
                "Workflow completed: ",
            ),
            _ => (EventType::WorkflowError, Level::Error, "Workflow failed: "),
        };
        self.run.workflow_id = workflow_id.into();
        self.run.run_id = run_id.into();
        self.run.step_id = step_id.into();
        self.run.trace_id = self.trace_id(now);
        let mut own = Vec::new();
        let is_step = matches!(what, 1 | 2);
        let name_field = if is_step {
            fields::STEP_NAME
        } else {
            fields::WORKFLOW_NAME
        };
        json::known(&mut own, name_field, name);
        json::known(&mut own, fields::STATUS, status);
        if duration >= 0.0 {
            json::number(&mut own, fields::DURATION_MS, duration);
        }
        if what == 4 {
            json::known(&mut own, fields::FAILED_STEP, step_id);
        }
        let mut text = String::from(message);
        text.push_str(name);
        let mut entry = Entry::new(level, event, &text);
        entry.own = &own;
        entry.extra = extra;
        entry.exception = exception;
        self.emit(&entry, now);
        if what >= 3 {
            self.run = super::Run::default();
        }
    }
}

impl Core {
    fn action_entry(&mut self, kind: &str, element: &str, extra: &str, now: f64) {
        let mut own = Vec::new();
        json::field(&mut own, "action", kind);
        json::known(&mut own, "element", json::cut(element, 200));
        self.page_field(&mut own);
        let mut message = String::from(kind);
        message.push(' ');
        message.push_str(json::cut(element, 200));
        let mut entry = Entry::new(Level::Info, EventType::UserAction, &message);
        entry.own = &own;
        entry.extra = extra;
        self.emit(&entry, now);
    }

    fn request_entry(
        &mut self,
        request: &Open,
        event: EventType,
        level: Level,
        error: &str,
        more: &[u8],
        now: f64,
    ) {
        let mut own = Vec::new();
        json::field(&mut own, fields::METHOD, &request.method);
        json::field(&mut own, fields::PATH, json::cut(&request.path, 1_024));
        if !more.is_empty() {
            own.push(b',');
            own.extend_from_slice(more);
        }
        let mut message = String::from(&*request.method);
        message.push(' ');
        message.push_str(json::cut(&request.path, 1_024));
        if !error.is_empty() {
            message.push_str(": ");
            message.push_str(error);
        }
        let mut entry = Entry::new(level, event, &message);
        entry.own = &own;
        let ids = Ids {
            parent_span_id: &request.parent_span_id,
            request_id: &request.request_id,
        };
        self.emit_in(&entry, &request.root, &ids, now);
    }

    fn tell_vitals(&mut self, now: f64) {
        for (metric, value) in self.vitals.untold().into_iter().flatten() {
            self.tell(metric, value, now);
        }
    }

    fn tell(&mut self, metric: Metric, value: f64, now: f64) {
        let mut own = Vec::new();
        json::field(&mut own, "metric", metric.name);
        json::number(&mut own, "value", value);
        json::field(&mut own, "rating", metric.rating(value));
        self.page_field(&mut own);
        let mut entry = Entry::new(Level::Info, EventType::PagePerformance, metric.name);
        entry.own = &own;
        self.emit(&entry, now);
    }
}
