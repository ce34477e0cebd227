//! A request's way through the intake.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use jiff::Timestamp;
use omnify_trace::Stream;
use serde_json::{Value, json};

use super::batch::{self, Batch};
use super::entry::{self, Stamp};
use super::logs::{FrontendLogs, Shared};
use super::rate::Sender;
use super::time::Arrival;
use crate::problem::Problem;
use crate::tracing::client_address;

/// Entries that are named in an answer.
const MAX_NAMED: usize = 50;

/// Answers `POST /api/logs/frontend`.
pub(super) async fn take(shared: Arc<Shared>, request: Request) -> Response {
    let origin = match origin_of(&shared.options, request.headers()) {
        Ok(origin) => origin,
        Err(problem) => return problem.into_response(),
    };
    let mut response = match accept(&shared, request).await {
        Ok(response) => response,
        Err(problem) => problem,
    };
    cors(response.headers_mut(), origin);
    response
}

/// Answers a browser that asks whether a page of another origin may send.
pub(super) async fn preflight(shared: Arc<Shared>, headers: HeaderMap) -> Response {
    match origin_of(&shared.options, &headers) {
        Ok(origin) => {
            let mut response = StatusCode::NO_CONTENT.into_response();
            let headers = response.headers_mut();
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_METHODS,
                HeaderValue::from_static("POST"),
            );
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                HeaderValue::from_static(
                    "content-type, traceparent, tracestate, x-request-id, authorization",
                ),
            );
            headers.insert(
                header::ACCESS_CONTROL_MAX_AGE,
                HeaderValue::from_static("7200"),
            );
            cors(headers, origin);
            response
        }
        Err(problem) => problem.into_response(),
    }
}

/// The foreign origin that may read the answer; `None` for our own.
fn origin_of(options: &FrontendLogs, headers: &HeaderMap) -> Result<Option<HeaderValue>, Problem> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(None);
    };
    let text = origin.to_str().unwrap_or_default();
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let is_own = text
        .split_once("://")
        .is_some_and(|(_, authority)| Some(authority) == host);
    if is_own {
        return Ok(None);
    }
    if options
        .origins
        .iter()
        .any(|allowed| allowed == text || allowed == "*")
    {
        return Ok(Some(origin.clone()));
    }
    Err(Problem::new(StatusCode::FORBIDDEN, "OT0211", "Origin not allowed")
        .detail("Pages of this origin may not send log lines here. Allow it with FrontendLogs::allow_origin."))
}

fn cors(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
}

async fn accept(shared: &Shared, request: Request) -> Result<Response, Response> {
    let options = &shared.options;
    let is_ndjson = media_type(request.headers()).map_err(IntoResponse::into_response)?;
    let peer = client_address::peer(request.extensions());
    let address = options.proxies.client(peer, request.headers());
    let identity = identity(&request);
    let body = body(options, request).await?;
    let batch = batch::read(&body, is_ndjson)
        .map_err(|detail| bad_request("OT0212", "Body not understood", detail).into_response())?;
    if batch.entries.len() > options.max_entries {
        let detail = format!(
            "{} entries in one body; the limit is {}",
            batch.entries.len(),
            options.max_entries
        );
        return Err(too_large(detail).into_response());
    }
    let now = Instant::now();
    let session = session(&batch).map(Sender::Session);
    for sender in [Some(Sender::of(address)), session].into_iter().flatten() {
        shared
            .limiter
            .take(sender, batch.entries.len(), now)
            .map_err(|wait| too_many(wait, &batch))?;
    }
    let service = omnify_trace::layer::service_json();
    let stamp = Stamp {
        arrival: Arrival::new(Timestamp::now(), batch.sent_at.as_deref()),
        address,
        identity: identity
            .as_ref()
            .map(|(user, organization)| (user.as_str(), organization.as_deref())),
        service: service.as_deref(),
    };
    Ok(write(options, batch, &stamp))
}

/// Whether the body is NDJSON for sure.
fn media_type(headers: &HeaderMap) -> Result<bool, Problem> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or("text/plain");
    match kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
        .as_str()
    {
        "application/json" | "text/plain" | "application/reports+json" => Ok(false),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(true),
        other => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "OT0213",
            "Media type not supported",
        )
        .detail(format!(
            "{other:?} is not taken here; send application/json, application/x-ndjson or text/plain"
        ))),
    }
}

async fn body(options: &FrontendLogs, request: Request<Body>) -> Result<Bytes, Response> {
    Bytes::from_request(request, &()).await.map_err(|error| {
        if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
            too_large(format!(
                "the body is larger than {} bytes",
                options.max_body
            ))
            .into_response()
        } else {
            bad_request("OT0212", "Body not understood", error.body_text()).into_response()
        }
    })
}

#[cfg(feature = "identity")]
fn identity(request: &Request) -> Option<(String, Option<String>)> {
    let identity = request.extensions().get::<crate::identity::Identity>()?;
    Some((
        identity.user_id()?.to_owned(),
        identity.organization_id().map(str::to_owned),
    ))
}

#[cfg(not(feature = "identity"))]
fn identity(_: &Request) -> Option<(String, Option<String>)> {
    None
}

/// The session that the batch says it is of.
fn session(batch: &Batch) -> Option<Box<str>> {
    let first = batch.entries.iter().find_map(|entry| entry.as_ref().ok())?;
    let id = first.get("context")?.get("session_id")?.as_str()?;
    (id.len() <= 256).then(|| id.into())
}

/// Writes what is good, names what is not.
fn write(options: &FrontendLogs, batch: Batch, stamp: &Stamp<'_>) -> Response {
    let (mut accepted, mut rejected) = (0_usize, Vec::new());
    let total = batch.entries.len();
    for (index, entry) in batch.entries.into_iter().enumerate() {
        let line = entry
            .and_then(|entry| entry::line(entry, stamp))
            .and_then(|line| {
                if line.len() <= options.max_entry {
                    Ok(line)
                } else {
                    Err(format!(
                        "the entry is larger than {} bytes",
                        options.max_entry
                    ))
                }
            });
        match line {
            Ok(line) => {
                omnify_trace::emit_line(Stream::Frontend, &line);
                accepted += 1;
            }
            Err(reason) => rejected.push(json!({"index": index, "reason": reason})),
        }
    }
    report(rejected.len(), "frontend_rejected");
    let refused = rejected.len();
    rejected.truncate(MAX_NAMED);
    if accepted == 0 && total > 0 {
        return bad_request(
            "OT0214",
            "No entry was accepted",
            format!("{refused} of {total} entries break the schema"),
        )
        .member("errors", Value::Array(rejected))
        .into_response();
    }
    let answer = json!({"accepted": accepted, "rejected": rejected});
    (StatusCode::ACCEPTED, axum::Json(answer)).into_response()
}

/// What is refused is lost: that is said, not hidden.
fn report(count: usize, reason: &str) {
    if count > 0 {
        tracing::warn!(
            target: "omnify_trace::frontend",
            event_type = "log_loss",
            count,
            reason,
            "Lines of a browser were refused"
        );
    }
}

fn too_many(wait: std::time::Duration, batch: &Batch) -> Response {
    report(batch.entries.len(), "frontend_rate_limited");
    let seconds = wait.as_secs() + 1;
    let mut response = Problem::new(StatusCode::TOO_MANY_REQUESTS, "OT0216", "Too many entries")
        .detail(format!("Try again in {seconds} s."))
        .into_response();
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn too_large(detail: String) -> Problem {
    report(1, "frontend_too_large");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "OT0215", "Too much at once").detail(detail)
}

fn bad_request(code: &'static str, title: &'static str, detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, code, title).detail(detail)
}
