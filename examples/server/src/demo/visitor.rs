//! One person with a browser, as the server sees them: requests with a trace of the browser's
//! making, and batches of what the browser logged.

use std::time::{Duration, Instant};

use rand::RngExt as _;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use super::{Tokens, cast::Person};

const USER_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";

/// A browser session.
pub(super) struct Visitor {
    client: Client,
    base: String,
    person: Person,
    token: Option<String>,
    session: String,
    entries: Vec<Value>,
}

/// What the browser learned of a request.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Visitor {
    /// Opens the page.
    pub(super) fn open(client: &Client, base: &str, person: Person, tokens: &Tokens) -> Self {
        let mut visitor = Self {
            client: client.clone(),
            base: base.to_owned(),
            person,
            token: tokens.sign(person.user, person.organization),
            session: uuid::Uuid::now_v7().to_string(),
            entries: Vec::new(),
        };
        let extra = json!({"page": "/", "user_agent": USER_AGENT});
        visitor.log("INFO", "session_start", "Session started", None, &extra);
        let mut random = rand::rng();
        for (metric, typical) in [
            ("FCP", 700.0),
            ("LCP", 1_300.0),
            ("TTFB", 120.0),
            ("INP", 90.0),
        ] {
            let value = typical * random.random_range(0.6..2.4_f64);
            let extra = json!({"metric": metric, "value": value.round(), "rating": rating(metric, value), "page": "/"});
            visitor.log("INFO", "page_performance", metric, None, &extra);
        }
        visitor
    }

    fn log(
        &mut self,
        level: &str,
        event_type: &str,
        message: &str,
        trace: Option<(&str, &str)>,
        extra: &Value,
    ) {
        let mut context = json!({
            "session_id": self.session, "user_id": self.person.user, "organization_id": self.person.organization,
        });
        if let Some((trace_id, span_id)) = trace {
            context["trace_id"] = json!(trace_id);
            context["span_id"] = json!(span_id);
        }
        self.entries.push(json!({
            "timestamp": jiff::Timestamp::now().to_string(), "level": level, "message": message,
            "event_type": event_type, "target": "browser", "context": context, "extra": extra,
        }));
    }

    /// Moves to another page of the app.
    pub(super) fn navigate(&mut self, to: &str) {
        self.log(
            "INFO",
            "navigation",
            &format!("Went to {to}"),
            None,
            &json!({"from": "/", "to": to, "kind": "push"}),
        );
    }

    /// An error in the page.
    pub(super) fn page_error(&mut self, message: &str, stack: &str) {
        self.log(
            "ERROR",
            "frontend_error",
            message,
            None,
            &json!({"kind": "error", "page": "/orders", "count": 1}),
        );
        if let Some(entry) = self.entries.last_mut() {
            entry["exception"] =
                json!({"type": "TypeError", "message": message, "stacktrace": stack});
        }
    }

    /// A click that sends a request: click, request and answer share one trace.
    pub(super) async fn click(
        &mut self,
        button: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let trace_id = uuid::Uuid::new_v4().simple().to_string();
        let span_id = format!("{:016x}", rand::rng().random_range(1..u64::MAX));
        let trace = Some((trace_id.as_str(), span_id.as_str()));
        self.log(
            "INFO",
            "user_action",
            &format!("Clicked {button}"),
            trace,
            &json!({"action": "click", "element": button, "page": "/"}),
        );
        let route = path.split('?').next().unwrap_or(path);
        self.log(
            "DEBUG",
            "api_request",
            &format!("{method} {route}"),
            trace,
            &json!({"method": method.as_str(), "path": route}),
        );
        let started = Instant::now();
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.base))
            .header("user-agent", USER_AGENT)
            .header("traceparent", format!("00-{trace_id}-{span_id}-01"));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let result = request.send().await;
        let duration_ms = started.elapsed().as_secs_f64() * 1000.0;
        self.answered(&method, route, trace, result, duration_ms)
            .await
    }

    async fn answered(
        &mut self,
        method: &Method,
        route: &str,
        trace: Option<(&str, &str)>,
        result: reqwest::Result<Response>,
        duration_ms: f64,
    ) -> Answer {
        let (status, request_id, body) = match result {
            Ok(response) => {
                let id = response
                    .headers()
                    .get("x-request-id")
                    .and_then(|id| id.to_str().ok())
                    .map(str::to_owned);
                (
                    response.status().as_u16(),
                    id,
                    response.json().await.unwrap_or(Value::Null),
                )
            }
            Err(_) => (0, None, Value::Null),
        };
        let (level, kind) = match status {
            200..400 => ("INFO", "api_response"),
            400..500 => ("WARN", "api_error"),
            _ => ("ERROR", "api_error"),
        };
        let extra = json!({"method": method.as_str(), "path": route, "status_code": status, "duration_ms": duration_ms});
        self.log(
            level,
            kind,
            &format!("{method} {route} answered {status}"),
            trace,
            &extra,
        );
        if let (Some(id), Some(entry)) = (request_id, self.entries.last_mut()) {
            entry["context"]["request_id"] = json!(id);
        }
        Answer { status, body }
    }

    /// Clicks, and closes the tab before the answer is there.
    pub(super) async fn give_up(&mut self, path: &str, after: Duration) {
        let request = self
            .client
            .get(format!("{}{path}", self.base))
            .header("user-agent", USER_AGENT)
            .send();
        let _ = tokio::time::timeout(after, request).await;
    }

    /// Sends what the browser logged.
    pub(super) async fn leave(self) {
        let batch = json!({"sent_at": jiff::Timestamp::now().to_string(), "entries": self.entries});
        let _ = self
            .client
            .post(format!("{}/api/logs/frontend", self.base))
            .header("user-agent", USER_AGENT)
            .json(&batch)
            .send()
            .await;
    }
}

/// The thresholds that the web vitals are judged by.
fn rating(metric: &str, value: f64) -> &'static str {
    let (good, poor) = match metric {
        "LCP" => (2_500.0, 4_000.0),
        "FCP" => (1_800.0, 3_000.0),
        "INP" => (200.0, 500.0),
        _ => (800.0, 1_800.0),
    };
    if value <= good {
        "good"
    } else if value <= poor {
        "needs-improvement"
    } else {
        "poor"
    }
}
