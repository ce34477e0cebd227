//! Errors for clients: `application/problem+json` (RFC 9457) with our code and the ids to search for.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value};

/// One error answer.
#[derive(Debug, Clone)]
#[must_use]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    members: Map<String, Value>,
}

impl Problem {
    /// A problem with this status, stable code (`OT0201`) and title.
    pub fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self {
            status,
            code,
            title,
            members: Map::new(),
        }
    }

    /// What happened this time, for a person.
    pub fn detail(self, detail: impl Into<String>) -> Self {
        self.member("detail", Value::String(detail.into()))
    }

    /// An extension member.
    pub fn member(mut self, name: &str, value: Value) -> Self {
        self.members.insert(name.to_owned(), value);
        self
    }

    /// The ids by which a person finds the request in the logs.
    pub fn ids(self, request_id: Option<&str>, trace_id: Option<&str>) -> Self {
        let mut problem = self;
        for (name, id) in [("request_id", request_id), ("trace_id", trace_id)] {
            if let Some(id) = id {
                problem = problem.member(name, Value::String(id.to_owned()));
            }
        }
        problem
    }

    /// The ids of the current span's context.
    pub fn current_ids(self) -> Self {
        let Some(context) = omnify_trace::CorrelationContext::current() else {
            return self;
        };
        let trace_id = context.trace_id().map(|id| id.to_string());
        self.ids(context.request_id().map(AsRef::as_ref), trace_id.as_deref())
    }

    /// The JSON document.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut body = Map::new();
        body.insert("type".into(), "about:blank".into());
        body.insert("title".into(), self.title.into());
        body.insert("status".into(), self.status.as_u16().into());
        body.insert("code".into(), self.code.into());
        body.extend(self.members.clone());
        Value::Object(body)
    }

    /// The response.
    #[must_use]
    pub fn into_http(self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(self.to_json().to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

impl axum::response::IntoResponse for Problem {
    fn into_response(self) -> axum::response::Response {
        self.current_ids().into_http().map(axum::body::Body::from)
    }
}
