//! Errors as `application/problem+json` (RFC 9457).

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{state::StateError, store::StoreError};

/// An error of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// `about:blank`: the code says more.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The status in words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do.
    pub detail: String,
    /// Stable code; `docs/errors.md` has a paragraph on each.
    pub code: &'static str,
    /// The request, for the log search.
    pub request_id: Option<String>,
    /// The trace, for the log search.
    pub trace_id: Option<String>,
    /// The parameters that were not accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ParameterProblem>,
}

/// One parameter that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ParameterProblem {
    /// Its name.
    pub parameter: String,
    /// What is wrong with it.
    pub detail: String,
}

/// Why a request was not answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// A parameter or body was not accepted.
    #[error("{detail}")]
    Invalid {
        /// Which.
        parameter: String,
        /// Why.
        detail: String,
    },
    /// Nobody is logged in, or the token is not known.
    #[error("Log in, or send a valid token as `Authorization: Bearer …`.")]
    Unauthenticated,
    /// The token or the name and password are not right.
    #[error("The token, or the name and password, are not right.")]
    BadCredentials,
    /// The caller may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// The CSRF token is missing or wrong.
    #[error(
        "A call with the session cookie that changes something has to repeat the session's csrf_token in the header X-CSRF-Token."
    )]
    Csrf,
    /// There is no such thing, or none that the caller may see.
    #[error("{0}")]
    NotFound(String),
    /// The route does not know this method.
    #[error("This route does not answer this method.")]
    MethodNotAllowed,
    /// Too many failures.
    #[error("Too many failed logins; try again in {0} seconds.")]
    TooMany(u64),
    /// The request has grown too large.
    #[error("{0}")]
    TooLarge(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The state failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// Something that should not happen.
    #[error("{0}")]
    Internal(&'static str),
}

impl ApiError {
    /// A parameter that was not accepted.
    pub fn invalid(parameter: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid {
            parameter: parameter.into(),
            detail: detail.into(),
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Invalid { .. } | Self::Store(StoreError::BadCursor(_)) => StatusCode::BAD_REQUEST,
            Self::Unauthenticated | Self::BadCredentials => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) | Self::Csrf => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Store(StoreError::Unavailable(_)) | Self::State(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Store(_) | Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "OT0401",
            Self::Unauthenticated => "OT0402",
            Self::BadCredentials => "OT0403",
            Self::Forbidden(_) => "OT0404",
            Self::Csrf => "OT0405",
            Self::NotFound(_) => "OT0406",
            Self::MethodNotAllowed => "OT0407",
            Self::TooMany(_) => "OT0408",
            Self::TooLarge(_) => "OT0409",
            Self::Store(StoreError::BadCursor(_)) => "OT0301",
            Self::Store(StoreError::Io { .. }) => "OT0302",
            Self::Store(StoreError::Damaged { .. }) => "OT0303",
            Self::Store(StoreError::Unavailable(_)) => "OT0304",
            Self::Store(StoreError::InUse(_)) => "OT0305",
            Self::Store(StoreError::Refused { .. }) => "OT0306",
            Self::Store(StoreError::BadAddress { .. }) => "OT0307",
            Self::Store(StoreError::BadSegmentsUrl { .. }) => "OT0309",
            Self::State(StateError::Url(_)) => "OT0410",
            Self::State(StateError::Database { .. }) => "OT0411",
            Self::State(StateError::Migration(_)) => "OT0412",
            Self::State(StateError::Redis { .. }) => "OT0413",
            Self::State(StateError::RedisUrl(_)) => "OT0414",
            Self::Internal(_) => "OT0419",
        }
    }

    fn problem(&self) -> Problem {
        let status = self.status();
        let errors = match self {
            Self::Invalid { parameter, detail } => {
                vec![ParameterProblem {
                    parameter: parameter.clone(),
                    detail: detail.clone(),
                }]
            }
            _ => Vec::new(),
        };
        let detail = match self {
            // Paths and statements are for the log, not for the caller.
            Self::State(StateError::Redis { .. }) => {
                "Redis does not answer; the service's log says more.".to_owned()
            }
            Self::State(_) => {
                "The state database does not answer; the service's log says more.".to_owned()
            }
            Self::Store(StoreError::Io { .. } | StoreError::Damaged { .. }) => {
                "The log store failed; the service's log says more.".to_owned()
            }
            Self::Invalid { parameter, detail } => format!("{parameter}: {detail}"),
            other => other.to_string(),
        };
        Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail,
            code: self.code(),
            request_id: None,
            trace_id: None,
            errors,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let problem = self.problem();
        if problem.status >= 500 {
            tracing::error!(target: "omnify_trace_admin::api", code = problem.code, error = %self, "Admin API failed");
        }
        let mut response = problem.clone().into_response();
        if let Self::TooMany(seconds) = self {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if matches!(self, Self::Unauthenticated) {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // The outermost layer knows the request's ids and writes the body again with them.
        response.extensions_mut().insert(problem);
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        response
    }
}
