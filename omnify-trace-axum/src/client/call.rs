//! One attempt of a call.

use http::{Extensions, HeaderMap, Method, StatusCode};
use omnify_trace::CorrelationContext;
use omnify_trace::operation::{self, Active};
use omnify_trace::propagation::{inject, inject_with_baggage};

use super::options::{ApiCall, ClientOptions, template};

/// How often this call has been tried, in the extensions of its request: 1 is the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt(pub u32);

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
    let Attempt(before) = extensions.get().copied().unwrap_or(Attempt(0));
    let attempt = Attempt(before + 1);
    extensions.insert(attempt);
    let authority = match target.port {
        Some(port) => format!("{}:{port}", target.host),
        None => target.host.to_owned(),
    };
    let said = extensions.get::<ApiCall>().cloned();
    let ApiCall { api, route } = said.unwrap_or_else(|| {
        ApiCall::new(options.name(target.host, &authority), template(target.path))
    });
    let active = operation::external_api(api, target.method.as_str().to_owned(), route)
        .host(authority)
        .attempt(attempt.0)
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
