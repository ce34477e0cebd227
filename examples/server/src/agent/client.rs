//! The HTTP client of all agents: traced, bounded, and honest about what went wrong.

use std::time::Duration;

use http::Method;
use omnify_trace_axum::client::{ApiCall, ClientMiddleware};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, RequestBuilder};
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

/// Cheap to clone. Each call goes out with its trace and ends as one `external_api_call`.
#[derive(Clone)]
pub(crate) struct Client(ClientWithMiddleware);

/// One call to be: of which service, with which request.
pub(crate) struct Call {
    api: &'static str,
    request: RequestBuilder,
}

impl Client {
    /// Connects nothing yet.
    pub(crate) fn new() -> reqwest::Result<Self> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .build()?;
        let client = ClientBuilder::new(client).with(ClientMiddleware::new());
        Ok(Self(client.build()))
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

    /// A call of a route (a template, for the log) whose parameters are filled in to make `path`.
    pub(crate) fn call_path(
        &self,
        api: &'static str,
        endpoint: &Endpoint,
        method: Method,
        route: &'static str,
        path: &str,
    ) -> Call {
        let url = format!("{}{path}", endpoint.base);
        let request = self.0.request(method, url);
        let request = match &endpoint.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        };
        let request = request.with_extension(ApiCall::new(api, route));
        Call { api, request }
    }

    /// A call of any address.
    pub(crate) fn call_url(&self, api: &'static str, method: Method, url: &str) -> Call {
        let request = self.0.request(method, url);
        let request = request.with_extension(ApiCall::named(api));
        Call { api, request }
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

    /// Sends it and reads the JSON answer.
    pub(crate) async fn send(self) -> Result<Value, AgentError> {
        let Self { api, request } = self;
        let unreachable = |source| AgentError::Unreachable { api, source };
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let body = answer.text().await;
        let mut body = body.map_err(|source| unreachable(source.into()))?;
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
}
