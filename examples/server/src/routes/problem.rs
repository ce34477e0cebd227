//! Errors as `application/problem+json` (RFC 9457), with the ids that support asks for.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// An answer that says what went wrong.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
        }
    }

    /// An error of ours, whose message begins with its code (`OT0721: …`).
    pub(super) fn coded(status: StatusCode, error: &dyn std::error::Error) -> Self {
        let text = error.to_string();
        let (code, detail) = text.split_once(": ").unwrap_or(("OT0740", &text));
        Self {
            status,
            code: intern(code),
            detail: detail.to_owned(),
        }
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "OT0741",
            "send a JSON Web Token as `Authorization: Bearer …`; the server checks it with OMNIFY_JWT_SECRET",
        )
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "OT0742",
            format!("there is no {what}"),
        )
    }

    /// The database failed. The client learns no more than that; the log has the rest.
    pub(super) fn database(error: &sqlx::Error) -> Self {
        tracing::error!(
            error = error as &dyn std::error::Error,
            "The database did not answer as it should"
        );
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "OT0743",
            "the database did not answer as it should",
        )
    }
}

/// The codes that a started run can fail with.
fn intern(code: &str) -> &'static str {
    ["OT0721", "OT0722", "OT0723"]
        .into_iter()
        .find(|known| *known == code)
        .unwrap_or("OT0740")
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        omnify_trace_axum::Problem::new(self.status, self.code, title)
            .detail(self.detail)
            .into_response()
    }
}
