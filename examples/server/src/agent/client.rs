//! The HTTP client of all agents: traced, bounded, and honest about what went wrong.

use std::time::Duration;

use http::Method;
use omnify_trace::{CorrelationContext, operation, propagation};
use reqwest::RequestBuilder;
use serde::Serialize;
use serde_json::Value;

use super::AgentError;

/// Longest part of an error answer that is kept.
const MAX_ERROR_BODY: usize = 500;
/// How long connecting may take; steps have their own time limits.
const CONNECT: Duration = Duration::from_secs(5);

/// A service's address and key.
#[derive(Clone)]
pub(crate) struct Endpoint {
    /// Without a slash at the end.
    pub(crate) base: String,
    /// Sent as a bearer token.
    pub(crate) key: Option<String>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client(reqwest::Client);

/// One call to be: which service, which route (a template, for the log), which request.
pub(crate) struct Call {
    api: &'static str,
    method: Method,
    route: &'static str,
    request: RequestBuilder,
}

impl Client {
    /// Connects nothing yet.
    pub(crate) fn new() -> reqwest::Result<Self> {
        reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .build()
            .map(Self)
    }

    /// A call of a route without parameters.
    pub(crate) fn call(
        &self,
        api: &'static str,
        endpoint: &Endpoint,
        method: Method,
        route: &'static str,
    ) -> Call {
        self.call_path(api, endpoint, method, route, route)
    }

    /// A call of a route whose parameters are filled in to make `path`.
    pub(crate) fn call_path(
        &self,
        api: &'static str,
        endpoint: &Endpoint,
        method: Method,
        route: &'static str,
        path: &str,
    ) -> Call {
        let request = self
            .0
            .request(method.clone(), format!("{}{path}", endpoint.base));
        let request = match &endpoint.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        };
        Call {
            api,
            method,
            route,
            request,
        }
    }

    /// A call of any address.
    pub(crate) fn call_url(&self, api: &'static str, method: Method, url: &str) -> Call {
        Call {
            api,
            request: self.0.request(method.clone(), url),
            method,
            route: "",
        }
    }
}

impl Call {
    /// With a JSON body.
    pub(crate) fn json<T: Serialize + ?Sized>(mut self, body: &T) -> Self {
        self.request = self.request.json(body);
        self
    }

    /// With a query string.
    pub(crate) fn query<T: Serialize + ?Sized>(mut self, query: &T) -> Self {
        self.request = self.request.query(query);
        self
    }

    /// With a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Sends it in a span of its own, logged as `external_api_call`, and reads the JSON answer.
    pub(crate) async fn send(self) -> Result<Value, AgentError> {
        let Self {
            api,
            method,
            route,
            request,
        } = self;
        let unreachable = |source| AgentError::Unreachable { api, source };
        let (client, request) = request.build_split();
        let mut request = request.map_err(unreachable)?;
        operation::external_api(api, method.to_string(), route)
            .host(authority(&request))
            .run(async move {
                if let Some(context) = CorrelationContext::current() {
                    propagation::inject(&context, request.headers_mut());
                }
                let answer = client.execute(request).await.map_err(unreachable)?;
                operation::record_status(answer.status().as_u16());
                read(api, answer).await
            })
            .await
    }
}

async fn read(api: &'static str, answer: reqwest::Response) -> Result<Value, AgentError> {
    let status = answer.status();
    let mut body = answer
        .text()
        .await
        .map_err(|source| AgentError::Unreachable { api, source })?;
    if !status.is_success() {
        body.truncate(body.floor_char_boundary(MAX_ERROR_BODY));
        return Err(AgentError::Status {
            api,
            status: status.as_u16(),
            body,
        });
    }
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&body).map_err(|error| AgentError::Malformed {
        api,
        reason: error.to_string(),
    })
}

/// `host:port` of a request's address.
fn authority(request: &reqwest::Request) -> String {
    let url = request.url();
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
