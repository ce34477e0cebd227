//! One call, and its attempts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use http::{Extensions, HeaderMap, Method, StatusCode};
use omnify_trace::CorrelationContext;
use omnify_trace::context::SpanId;
use omnify_trace::operation::{self, Active};
use omnify_trace::propagation::{inject, inject_with_baggage};

use super::options::{ApiCall, ClientOptions, template};

/// One call, however often it is tried, in the extensions of its request. Clones share it, so
/// that attempts are numbered whatever retries them, as long as it keeps extensions.
///
/// reqwest-middleware's retries keep them by themselves. For tower, put a
/// [`CallLayer`](super::CallLayer) outside of what retries.
#[derive(Debug, Clone)]
pub struct Call {
    id: SpanId,
    attempts: Arc<AtomicU32>,
}

impl Call {
    /// A call that has not been tried.
    #[must_use]
    pub fn new() -> Self {
        Self {
            id: SpanId::random(),
            attempts: Arc::default(),
        }
    }

    /// What its attempts are found by: `call_id` of their `external_api_call` lines.
    #[must_use]
    pub fn id(&self) -> SpanId {
        self.id
    }

    /// How often it has been tried so far.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::Relaxed)
    }

    /// The number of the attempt that begins now.
    fn next(&self) -> u32 {
        self.attempts.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Default for Call {
    fn default() -> Self {
        Self::new()
    }
}

/// Where a call goes.
pub(super) struct Target<'a> {
    pub(super) method: &'a Method,
    pub(super) host: &'a str,
    pub(super) port: Option<u16>,
    pub(super) path: &'a str,
}

/// Opens the attempt's operation and writes its context into the headers.
pub(super) fn begin(
    options: &ClientOptions,
    target: &Target<'_>,
    extensions: &mut Extensions,
    headers: &mut HeaderMap,
) -> Active {
    let call = extensions.get_or_insert_with(Call::new).clone();
    let authority = match target.port {
        Some(port) => format!("{}:{port}", target.host),
        None => target.host.to_owned(),
    };
    let ApiCall { api, route } = extensions.get().cloned().unwrap_or_default();
    let api = api.unwrap_or_else(|| options.name(target.host, &authority));
    let route = route.unwrap_or_else(|| template(target.path).into());
    let active = operation::external_api(api, target.method.as_str().to_owned(), route)
        .host(authority)
        .call_id(call.id().to_string())
        .attempt(call.next())
        .start();
    if let Some(context) = active.in_scope(CorrelationContext::current) {
        if options.gets_baggage(target.host) {
            inject_with_baggage(&context, headers);
        } else {
            inject(&context, headers);
        }
    }
    active
}

/// Ends the attempt by its answer: for a client every 4xx and 5xx is an error.
pub(super) fn answered(active: Active, status: StatusCode) {
    active.handle().record_status(status.as_u16());
    if status.is_client_error() || status.is_server_error() {
        active.fail(&format!("HTTP {}", status.as_u16()));
    } else {
        active.complete();
    }
}
