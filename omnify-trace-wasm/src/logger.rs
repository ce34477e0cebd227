//! The logger as the page's script sees it: events in, batches out.

mod emit;
mod events;
mod transport;

use alloc::{string::String, vec::Vec};

use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    ids::Ids,
    limit::{Bucket, Errors},
    queue::{Loss, Queue},
    redact::Redactor,
    request::Requests,
    session::Session,
    trace::Traces,
    url::Origins,
    vitals::Vitals,
};

/// An open workflow run.
#[derive(Default)]
struct Run {
    workflow_id: String,
    run_id: String,
    step_id: String,
    /// Requests of this trace belong to the run.
    trace_id: String,
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
    endpoint: String,
    redactor: Redactor,
    bucket: Bucket,
    errors: Errors,
    queue: Queue,
    requests: Requests,
    vitals: Vitals,
    consent: Consent,
    sample_rate: f64,
    sampled: bool,
    app: String,
    release: String,
    environment: String,
    user_agent: String,
    referrer: String,
    user_id: String,
    organization_id: String,
    run: Run,
    page: String,
    last_click: (String, f64, u32),
}

#[wasm_bindgen]
impl Core {
    /// A logger for `app` on a page of `origin` that posts to `endpoint`. `allowed_origins` holds one a
    /// line; `stored_session` is what [`session_state`](Self::session_state) gave to an earlier page;
    /// `seed` is 32 random bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(
        app: &str,
        origin: &str,
        allowed_origins: &str,
        endpoint: &str,
        stored_session: &str,
        seed: &[u8],
        now: f64,
    ) -> Self {
        let mut ids = Ids::new(seed);
        let (session, session_began) = Session::resume(stored_session, &mut ids, now);
        Self {
            traces: Traces::new(&mut ids),
            ids,
            session,
            session_began,
            origins: Origins::new(origin, allowed_origins),
            endpoint: endpoint.into(),
            redactor: Redactor::default(),
            bucket: Bucket::new(now),
            errors: Errors::default(),
            queue: Queue::new(3_000.0),
            requests: Requests::default(),
            vitals: Vitals::default(),
            consent: Consent::Granted,
            sample_rate: 1.0,
            sampled: true,
            app: app.into(),
            release: String::new(),
            environment: String::new(),
            user_agent: String::new(),
            referrer: String::new(),
            user_id: String::new(),
            organization_id: String::new(),
            run: Run::default(),
            page: String::new(),
            last_click: (String::new(), 0.0, 0),
        }
    }

    /// Sets a text setting by its name; unknown names are ignored.
    pub fn set(&mut self, name: &str, value: &str) {
        let slot = match name {
            "release" => &mut self.release,
            "environment" => &mut self.environment,
            "user_agent" => &mut self.user_agent,
            "referrer" => &mut self.referrer,
            "user_id" => &mut self.user_id,
            "organization_id" => &mut self.organization_id,
            "redact_key" => return self.redactor.add_key(value),
            _ => return,
        };
        *slot = crate::json::cut(value, 1_024).into();
    }

    /// Sets the share of sessions that are logged, 0 to 1.
    pub fn set_sample_rate(&mut self, rate: f64) {
        self.sample_rate = rate;
        self.sampled = self.session.sampled(rate);
    }

    /// Sets how long an entry waits for company, in milliseconds.
    pub fn set_interval(&mut self, milliseconds: f64) {
        self.queue.set_interval(milliseconds);
    }

    /// 0: denied, everything is dropped; 1: pending, entries wait; 2: granted.
    pub fn set_consent(&mut self, consent: u8) {
        self.consent = match consent {
            0 => Consent::Denied,
            1 => Consent::Pending,
            _ => Consent::Granted,
        };
        if self.consent == Consent::Denied {
            self.queue.clear(Loss::NoConsent);
        }
    }

    /// The session's id.
    pub fn session_id(&self) -> String {
        self.session.id().into()
    }

    /// What the browser stores, so that the next page goes on with this session.
    pub fn session_state(&self) -> String {
        self.session.state()
    }

    /// Another tab may have gone on with the session: what the browser has stored.
    pub fn adopt(&mut self, stored_session: &str, now: f64) {
        self.session.adopt(stored_session, now);
        self.sampled = self.session.sampled(self.sample_rate);
    }

    /// The trace that something happening now belongs to.
    pub fn trace_id(&self, now: f64) -> String {
        self.traces.current(now).trace_id.clone()
    }

    /// A new id for a workflow run.
    pub fn new_run_id(&mut self) -> String {
        self.ids.uuid()
    }
}

/// Bytes that this crate wrote as text.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}
