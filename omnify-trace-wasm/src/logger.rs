//! The logger: what happened in, batches out.

use alloc::{string::String, vec::Vec};

use omnify_trace::schema::{EventType, fields};

use crate::{
    codes::{self, Count, Fact, Setting, Sign},
    ids::Ids,
    json,
    limit::{Bucket, Errors, Verdict, fingerprint},
    line::{self, Level},
    origin::Origins,
    queue::Queue,
    redact::Redactor,
    request::{Open, Requests},
    scan,
    session::Session,
    time,
    trace::{Root, Traces},
};

/// The longest text of a setting, in bytes.
const SETTING_LIMIT: usize = 1_024;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Consent {
    Denied,
    Pending,
    Granted,
}

/// All of the logger's state and rules. Times (`now`) are Unix milliseconds.
pub(crate) struct Core {
    ids: Ids,
    session: Session,
    session_began: bool,
    traces: Traces,
    origins: Origins,
    redactor: Redactor,
    bucket: Bucket,
    errors: Errors,
    queue: Queue,
    requests: Requests,
    consent: Consent,
    sample_rate: f64,
    app: String,
    endpoint: String,
    user_id: String,
    organization_id: String,
    workflow_id: String,
    run_id: String,
    step_id: String,
    /// Entries of this trace belong to the open run.
    run_trace: Vec<u8>,
    /// What the lines of a trace have in common, from their target on, and the span that it was made for:
    /// most lines are like the one before.
    common: Vec<u8>,
    common_of: Vec<u8>,
}

impl Core {
    /// See [`create`](crate::create).
    pub(crate) fn new(seed: &[u8], now: f64) -> Self {
        let mut ids = Ids::new(seed);
        Self {
            session: Session::begin(&mut ids, now),
            session_began: true,
            traces: Traces::new(&mut ids),
            ids,
            origins: Origins::default(),
            redactor: Redactor::default(),
            bucket: Bucket::new(now),
            errors: Errors::default(),
            queue: Queue::new(),
            requests: Requests::default(),
            consent: Consent::Granted,
            sample_rate: 1.0,
            app: String::new(),
            endpoint: String::new(),
            user_id: String::new(),
            organization_id: String::new(),
            workflow_id: String::new(),
            run_id: String::new(),
            step_id: String::new(),
            run_trace: Vec::new(),
            common: Vec::new(),
            common_of: Vec::new(),
        }
    }

    /// See [`set`](crate::set).
    pub(crate) fn set(&mut self, what: u8, value: &str, now: f64) {
        let Some(what) = Setting::of(what) else {
            return;
        };
        self.common_of.clear();
        let slot = match what {
            Setting::App => &mut self.app,
            Setting::Endpoint => &mut self.endpoint,
            Setting::UserId => &mut self.user_id,
            Setting::OrganizationId => &mut self.organization_id,
            Setting::WorkflowId => &mut self.workflow_id,
            Setting::RunId => &mut self.run_id,
            Setting::StepId => &mut self.step_id,
            Setting::AllowedOrigin => return self.origins.allow(value),
            Setting::RedactKey => return self.redactor.add_key(value),
            Setting::Unsent => return self.queue.restore(value, now),
            Setting::Session => {
                self.session_began &= !self.session.adopt(value, now);
                return;
            }
        };
        slot.clear();
        slot.push_str(json::cut(value, SETTING_LIMIT));
    }

    /// See [`get`](crate::get).
    pub(crate) fn get(&mut self, what: u8, now: f64) -> Vec<u8> {
        match Fact::of(what) {
            Some(Fact::SessionId) => self.session.id().to_vec(),
            Some(Fact::Session) => self.session.state(),
            Some(Fact::TraceId) => self.traces.current(now).trace_id.clone(),
            Some(Fact::NewRunId) => self.ids.uuid(),
            Some(Fact::Unsent) if self.consent == Consent::Granted => self.queue.save(),
            _ => Vec::new(),
        }
    }

    /// See [`count`](crate::count).
    pub(crate) fn count(&self, what: u8) -> u32 {
        Count::of(what).map_or(0, |what| self.queue.count(what))
    }

    /// See [`notice`](crate::notice).
    pub(crate) fn notice(&mut self, what: u8, value: f64, now: f64) -> bool {
        let Some(what) = Sign::of(what) else {
            return false;
        };
        self.common_of.clear();
        match what {
            Sign::Person => {
                let began = self.session.touch(&mut self.ids, now);
                return core::mem::take(&mut self.session_began) || began;
            }
            // A form is submitted by a click or a key: that was the action, the form is what came of it.
            Sign::Submit if self.traces.just_acted(now) => {}
            Sign::Action | Sign::Submit => self.traces.open_action(&mut self.ids, now),
            Sign::Page => self.traces.new_page(&mut self.ids),
            Sign::Run => self
                .run_trace
                .clone_from(&self.traces.current(now).trace_id),
            Sign::SampleRate => self.sample_rate = value,
            Sign::Interval => self.queue.set_interval(value),
            Sign::Consent => {
                self.consent = match value as u8 {
                    0 => Consent::Denied,
                    1 => Consent::Pending,
                    _ => Consent::Granted,
                };
                if self.consent == Consent::Denied {
                    self.queue.clear(Count::NoConsent);
                }
            }
        }
        false
    }

    /// See [`log`](crate::log).
    pub(crate) fn log(
        &mut self,
        level: u8,
        event: u8,
        [own_event, extra, exception, message]: [&str; 4],
        request: i32,
        now: f64,
    ) -> bool {
        let level = Level::new(level);
        let event = codes::event(event, "");
        if !self.admit(level, event, now) {
            return false;
        }
        let event = if event.is_empty() { own_event } else { event };
        let mut line = line::begin(&self.redactor, level, message, event, now);
        let request = u32::try_from(request)
            .ok()
            .and_then(|slot| self.requests.get(slot));
        if let Some(open) = request {
            self.context(
                &mut line,
                &open.root,
                &open.parent_span_id,
                &open.request_id,
            );
        } else {
            let root = self.traces.current(now);
            if self.common_of != root.span_id {
                let mut common = core::mem::take(&mut self.common);
                common.clear();
                self.context(&mut common, root, &[], &[]);
                self.common = common;
                self.common_of.clone_from(&root.span_id);
            }
            line.extend_from_slice(&self.common);
        }
        line::end(&self.redactor, &mut line, extra, exception);
        self.queue.push(line, level == Level::Error, now);
        true
    }

    /// Appends where an entry comes from and what it belongs to.
    fn context(&self, out: &mut Vec<u8>, root: &Root, parent_span_id: &[u8], request_id: &[u8]) {
        // It goes on after the event type, or the message.
        out.push(b',');
        json::field(out, fields::TARGET, self.app.as_bytes());
        json::id(out, fields::SOURCE, b"frontend");
        json::key(out, fields::CONTEXT);
        out.push(b'{');
        json::id(out, fields::REQUEST_ID, request_id);
        json::id(out, fields::TRACE_ID, &root.trace_id);
        json::id(out, fields::SPAN_ID, &root.span_id);
        json::id(out, fields::PARENT_SPAN_ID, parent_span_id);
        json::id(out, fields::SESSION_ID, self.session.id());
        json::field(out, fields::USER_ID, self.user_id.as_bytes());
        json::field(
            out,
            fields::ORGANIZATION_ID,
            self.organization_id.as_bytes(),
        );
        if self.is_of_run(&root.trace_id) {
            json::field(out, fields::WORKFLOW_ID, self.workflow_id.as_bytes());
            json::field(out, fields::RUN_ID, self.run_id.as_bytes());
            json::field(out, fields::STEP_ID, self.step_id.as_bytes());
        }
        out.push(b'}');
    }

    /// See [`judge`](crate::judge).
    pub(crate) fn judge(&mut self, [class, stack, message]: [&str; 3], now: f64) -> Vec<u8> {
        let reference = self.ids.reference();
        let fingerprint = fingerprint(class, message, stack);
        match self.errors.judge(fingerprint, &reference, now) {
            Verdict::Hold { reference } => {
                self.queue.add(Count::Duplicate, 1);
                reference
            }
            Verdict::Send { held_back } => {
                let mut out = reference;
                json::integer(&mut out, u64::from(held_back) + 1);
                out
            }
        }
    }

    /// See [`request_start`](crate::request_start).
    pub(crate) fn request_start(&mut self, url: &str, follow: bool, now: f64) -> Vec<u8> {
        let may_trace = self.origins.may_trace(url);
        let ours = scan::starts_with(url.as_bytes(), 0, self.endpoint.as_bytes());
        if ours || !(follow || may_trace) {
            return Vec::new();
        }
        let mut out = Vec::with_capacity(160);
        if !may_trace {
            out.push(b'-');
        }
        let request = Open::new(self.traces.current(now), &mut self.ids);
        request.headers(self.sampled(), &mut out);
        let of_run = self.is_of_run(&request.root.trace_id);
        if follow {
            let Some(slot) = self.requests.open(request) else {
                return Vec::new();
            };
            json::integer(&mut out, u64::from(slot));
        }
        if of_run {
            out.push(b'+');
        }
        // Who did not agree is not followed from request to request.
        if self.consent == Consent::Granted {
            out.push(b' ');
            out.extend_from_slice(self.session.id());
        }
        out
    }

    /// Whether what belongs to this trace belongs to the open run.
    fn is_of_run(&self, trace_id: &[u8]) -> bool {
        !self.run_id.is_empty() && self.run_trace == trace_id
    }

    /// See [`request_end`](crate::request_end).
    pub(crate) fn request_end(&mut self, request: u32, now: f64) {
        if let Some(request) = self.requests.close(request) {
            self.traces.answered(&request.root.trace_id, now);
        }
    }

    /// See [`due`](crate::due).
    pub(crate) fn due(&self, now: f64) -> f64 {
        if self.consent == Consent::Granted {
            self.queue.due(now)
        } else {
            -1.0
        }
    }

    /// See [`take`](crate::take).
    pub(crate) fn take(&mut self, limit: usize, hurry: bool, now: f64) -> Vec<u8> {
        if self.consent != Consent::Granted || !(hurry || self.queue.may_send(now)) {
            return Vec::new();
        }
        let mut body = Vec::with_capacity(limit);
        body.extend_from_slice(b"{\"sent_at\":\"");
        time::rfc3339(&mut body, now);
        body.extend_from_slice(b"\",\"entries\":[");
        if !self.queue.take(&mut body, limit) {
            return Vec::new();
        }
        body.extend_from_slice(b"]}");
        body
    }

    /// See [`done`](crate::done).
    pub(crate) fn done(&mut self, id: u32, status: u16, rejected: u32, pause: f64, now: f64) {
        let jitter = self.ids.fraction();
        self.queue.done(id, status, rejected, pause, jitter, now);
    }
}

impl Core {
    /// Consent, sampling, rate.
    fn admit(&mut self, level: Level, event: &str, now: f64) -> bool {
        if self.consent == Consent::Denied {
            self.queue.add(Count::NoConsent, 1);
            return false;
        }
        // What sampling leaves out is left out on purpose, not lost. A report of losses gets through.
        if event == EventType::LogLoss.as_str() {
            return true;
        }
        if level < Level::Error && !self.sampled() {
            return false;
        }
        let admitted = self.bucket.admit(now);
        if !admitted {
            self.queue.add(Count::RateLimited, 1);
        }
        admitted
    }

    fn sampled(&self) -> bool {
        self.session.sampled(self.sample_rate)
    }
}
