//! The logger as the page's script sees it: what happened in, batches out.

use alloc::{string::String, vec::Vec};

use omnify_trace::schema::fields;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    event::Event,
    ids::Ids,
    json,
    limit::{Bucket, Errors, Verdict, fingerprint},
    line::{self, Draft, Level},
    origin::Origins,
    queue::{Loss, Queue},
    redact::Redactor,
    request::{Open, Requests},
    scan,
    session::Session,
    time,
    trace::Traces,
};

/// The longest text of a setting, in bytes.
const SETTING_LIMIT: usize = 1_024;

/// A text that [`Core::set`] sets.
#[wasm_bindgen]
#[derive(Clone, Copy)]
pub enum Setting {
    /// Name of the application: the lines' `target`.
    App,
    /// Where batches are posted; requests to it are not followed.
    Endpoint,
    /// One more origin that gets trace headers; the page's own is one of them.
    AllowedOrigin,
    /// One more key whose values are redacted.
    RedactKey,
    /// Who uses the page.
    UserId,
    /// On behalf of which customer.
    OrganizationId,
    /// The open workflow run: its definition.
    WorkflowId,
    /// The open workflow run; empty when it ended.
    RunId,
    /// The open workflow run's step.
    StepId,
    /// The session that another tab or page stored.
    Session,
    /// Lines that an earlier page [saved](Fact::Unsent).
    Unsent,
}

/// A text that [`Core::get`] answers.
#[wasm_bindgen]
#[derive(Clone, Copy)]
pub enum Fact {
    /// The session's id.
    SessionId,
    /// What the browser stores, so that the next page goes on with this session.
    Session,
    /// The trace that something happening now belongs to.
    TraceId,
    /// A new id for a workflow run.
    NewRunId,
    /// Lines not yet sent, one each, to keep across a reload; empty without consent.
    Unsent,
}

/// A counter that [`Core::count`] answers.
#[wasm_bindgen]
#[derive(Clone, Copy)]
pub enum Count {
    /// Entries that the server has.
    Sent,
    /// Entries that wait or are on their way.
    Queued,
    /// Dropped: the queue was full.
    QueueFull,
    /// Dropped: the page logged more than its share.
    RateLimited,
    /// Dropped: the same error came too often.
    Duplicate,
    /// Dropped: the server would not have them.
    Rejected,
    /// Dropped: larger than a batch.
    TooLarge,
    /// Dropped: the person did not agree.
    NoConsent,
}

/// Something that changes what later entries belong to, or how they are handled.
#[wasm_bindgen]
#[derive(Clone, Copy)]
pub enum Sign {
    /// A person is there. Answers 1 when a session began by it.
    Person,
    /// A person did something: a trace opens.
    Action,
    /// A form was submitted: a trace opens, unless the click that submitted it just opened one.
    Submit,
    /// Another page or route is shown.
    Page,
    /// The open workflow run goes on in the current trace.
    Run,
    /// Consent: 0 denied, 1 pending, 2 granted.
    Consent,
    /// Share of sessions that are logged, 0 to 1.
    SampleRate,
    /// Longest time that an entry waits for company, in milliseconds.
    Interval,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Consent {
    Denied,
    Pending,
    Granted,
}

/// All of the logger's state and rules. Times (`now`) are Unix milliseconds.
#[wasm_bindgen]
pub struct Core {
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
    run_trace: String,
}

#[wasm_bindgen]
impl Core {
    /// A logger with a session of its own; `seed` is 32 random bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(seed: &[u8], now: f64) -> Self {
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
            run_trace: String::new(),
        }
    }

    /// Sets a text.
    pub fn set(&mut self, what: Setting, value: &str, now: f64) {
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

    /// Answers a text.
    pub fn get(&mut self, what: Fact, now: f64) -> String {
        match what {
            Fact::SessionId => self.session.id().into(),
            Fact::Session => self.session.state(),
            Fact::TraceId => self.traces.current(now).trace_id.clone(),
            Fact::NewRunId => self.ids.uuid(),
            Fact::Unsent if self.consent == Consent::Granted => text(self.queue.save()),
            Fact::Unsent => String::new(),
        }
    }

    /// Answers a counter.
    pub fn count(&self, what: Count) -> u32 {
        self.queue.lost(match what {
            Count::Sent => return self.queue.sent(),
            Count::Queued => return self.queue.queued(),
            Count::QueueFull => Loss::QueueFull,
            Count::RateLimited => Loss::RateLimited,
            Count::Duplicate => Loss::Duplicate,
            Count::Rejected => Loss::Rejected,
            Count::TooLarge => Loss::TooLarge,
            Count::NoConsent => Loss::NoConsent,
        })
    }

    /// Takes notice of something; `value` is the setting's.
    pub fn notice(&mut self, what: Sign, value: f64, now: f64) -> bool {
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
                    self.queue.clear(Loss::NoConsent);
                }
            }
        }
        false
    }

    /// Logs an entry: `level` 0 (trace) to 4 (error); `own_event` names the application's own event
    /// type; `extra` and `exception` are JSON objects or empty; `request` is the number of the request
    /// that the entry tells of, or negative. Answers whether the entry was kept.
    #[expect(
        clippy::too_many_arguments,
        reason = "one crossing from JavaScript, and a cheap one"
    )]
    pub fn log(
        &mut self,
        level: u8,
        event: Event,
        own_event: &str,
        message: &str,
        extra: &str,
        exception: &str,
        request: i32,
        now: f64,
    ) -> bool {
        let level = Level::new(level);
        if !self.admit(level, event, now) {
            return false;
        }
        let request = u32::try_from(request)
            .ok()
            .and_then(|slot| self.requests.get(slot));
        let (root, parent_span_id, request_id) = match request {
            Some(open) => (&open.root, &*open.parent_span_id, &*open.request_id),
            None => (self.traces.current(now), "", ""),
        };
        let in_run = !self.run_id.is_empty() && self.run_trace == root.trace_id;
        let of_run = |value| if in_run { value } else { "" };
        let draft = Draft {
            level,
            event_type: event.wire(own_event),
            message,
            target: &self.app,
            context: [
                (fields::REQUEST_ID, request_id),
                (fields::TRACE_ID, &root.trace_id),
                (fields::SPAN_ID, &root.span_id),
                (fields::PARENT_SPAN_ID, parent_span_id),
                (fields::SESSION_ID, self.session.id()),
                (fields::USER_ID, &self.user_id),
                (fields::ORGANIZATION_ID, &self.organization_id),
                (fields::WORKFLOW_ID, of_run(&self.workflow_id)),
                (fields::RUN_ID, of_run(&self.run_id)),
                (fields::STEP_ID, of_run(&self.step_id)),
            ],
            extra,
            exception,
        };
        let line = line::write(&draft, &self.redactor, now);
        self.queue.push(line, level == Level::Error, now);
        true
    }

    /// Judges an error by what makes it the same as others. Answers the reference to show for it, 9
    /// characters; then, if it is to be logged, how many equal ones it stands for.
    pub fn judge(&mut self, class: &str, message: &str, stack: &str, now: f64) -> String {
        let reference = self.ids.reference();
        let fingerprint = fingerprint(class, message, stack);
        match self.errors.judge(fingerprint, &reference, now) {
            Verdict::Hold { reference } => {
                self.queue.lose(Loss::Duplicate, 1);
                reference
            }
            Verdict::Send { held_back } => {
                let mut out = reference.into_bytes();
                json::integer(&mut out, u64::from(held_back) + 1);
                text(out)
            }
        }
    }

    /// Headers for a request: 55 characters of `traceparent`, 36 of `X-Request-ID`. With `follow`, its
    /// number for [`log`](Self::log) and [`request_end`](Self::request_end) comes after them, and a `-`
    /// before them where they must not be sent. Empty: neither.
    pub fn request_start(&mut self, url: &str, follow: bool, now: f64) -> String {
        let may_trace = self.origins.may_trace(url);
        let ours = scan::starts_with(url.as_bytes(), 0, self.endpoint.as_bytes());
        if ours || !(follow || may_trace) {
            return String::new();
        }
        let mut out = Vec::with_capacity(96);
        if !may_trace {
            out.push(b'-');
        }
        let request = Open::new(self.traces.current(now), &mut self.ids);
        request.headers(self.sampled(), &mut out);
        if follow {
            let Some(slot) = self.requests.open(request) else {
                return String::new();
            };
            json::integer(&mut out, u64::from(slot));
        }
        text(out)
    }

    /// A request ended; its number is free again.
    pub fn request_end(&mut self, request: u32, now: f64) {
        if let Some(request) = self.requests.close(request) {
            self.traces.answered(&request.root.trace_id, now);
        }
    }

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
    pub fn take(&mut self, limit: u32, hurry: bool, now: f64) -> String {
        if self.consent != Consent::Granted || !(hurry || self.queue.may_send(now)) {
            return String::new();
        }
        let mut body = Vec::with_capacity(limit as usize);
        body.extend_from_slice(b"{\"sent_at\":\"");
        time::rfc3339(&mut body, now);
        body.extend_from_slice(b"\",\"entries\":[");
        if !self.queue.take(&mut body, limit as usize) {
            return String::new();
        }
        body.extend_from_slice(b"]}");
        text(body)
    }

    /// Batch `id` was answered with `status` (0: not at all), `rejected` of its entries were not
    /// accepted, and `Retry-After` asked for `pause` milliseconds (0: it did not).
    pub fn done(&mut self, id: u32, status: u16, rejected: u32, pause: f64, now: f64) {
        let jitter = self.ids.fraction();
        self.queue.done(id, status, rejected, pause, jitter, now);
    }
}

impl Core {
    /// Consent, sampling, rate.
    fn admit(&mut self, level: Level, event: Event, now: f64) -> bool {
        if self.consent == Consent::Denied {
            self.queue.lose(Loss::NoConsent, 1);
            return false;
        }
        // What sampling leaves out is left out on purpose, not lost. A report of losses gets through.
        if event == Event::LogLoss {
            return true;
        }
        if level < Level::Error && !self.sampled() {
            return false;
        }
        let admitted = self.bucket.admit(now);
        if !admitted {
            self.queue.lose(Loss::RateLimited, 1);
        }
        admitted
    }

    fn sampled(&self) -> bool {
        self.session.sampled(self.sample_rate)
    }
}

/// Bytes that this crate wrote as text.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}
