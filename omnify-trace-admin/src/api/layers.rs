//! What every answer gets: request ids in problems, and the headers of a private JSON API.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use omnify_trace::CorrelationContext;

use super::problem::Problem;
use crate::access::hash;

/// Headers of every answer that does not set them itself: OWASP's list for a JSON API.
const HEADERS: [(HeaderName, &str); 8] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (
        header::STRICT_TRANSPORT_SECURITY,
        "max-age=63072000; includeSubDomains",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("x-permitted-cross-domain-policies"),
        "none",
    ),
];

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Finishes each answer.
pub(super) async fn finish(request: Request, next: Next) -> Response {
    // A tracing layer around us has already decided on the ids.
    let context = CorrelationContext::current();
    let known = |id: Option<String>| id.filter(|id| !id.is_empty());
    let request_id = known(
        context
            .as_ref()
            .and_then(|context| Some(context.request_id()?.to_string())),
    )
    .unwrap_or_else(|| request_id(request.headers()));
    let trace_id = known(
        context
            .as_ref()
            .and_then(|context| Some(context.trace_id()?.to_string())),
    )
    .or_else(|| trace_id(request.headers()));
    let mut response = next.run(request).await;
    if let Some(mut problem) = response.extensions_mut().remove::<Problem>() {
        problem.request_id = Some(request_id.clone());
        problem.trace_id = trace_id;
        let body = problem.into_response().into_body();
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response.headers_mut().remove(header::CONTENT_ENCODING);
        *response.body_mut() = body;
    }
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.entry(X_REQUEST_ID.clone()).or_insert(value);
    }
    response
}

/// An answer that does not change, or seldom: with an `ETag`, and 304 for whoever has it already.
/// It is private, and asked for again each time, so that access is checked each time.
pub(super) fn tagged(request: &HeaderMap, content_type: &'static str, body: String) -> Response {
    let tag = format!("\"{}\"", hash(&body).get(..32).unwrap_or_default());
    let known = request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        // A proxy that compresses makes the tag a weak one.
        .any(|value| value.trim().trim_start_matches("W/") == tag);
    let headers = [
        (header::ETAG, tag),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
        (header::VARY, "authorization, cookie".to_owned()),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(header::CONTENT_TYPE, content_type)], body).into_response()
}

/// The request's id: the caller's, if it looks like one, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    const LONGEST: usize = 128;
    headers
        .get(&X_REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| {
            !id.is_empty()
                && id.len() <= LONGEST
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
        })
        .map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned)
}

/// The trace of the caller, from `traceparent`.
fn trace_id(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("traceparent")?.to_str().ok()?;
    let trace_id = value.split('-').nth(1)?;
    let hexadecimal = trace_id
        .bytes()
        .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    (trace_id.len() == 32 && hexadecimal).then(|| trace_id.to_owned())
}
