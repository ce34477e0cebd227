//! The report on one client's last hours.

use axum::{
    Json,
    http::header,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    Body,
    caller::Caller,
    params::{Params, When, given},
    problem::{ApiError, Problem},
    whole::{Answer, Noting},
};
use crate::{
    access::Role,
    analysis::{self, SupportQuestion, SupportReport, to_html, to_markdown},
    time,
};

/// What support wants to know.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SupportRequest {
    /// A user's or an organization's id.
    client_id: String,
    /// What the client said.
    issue_description: Option<String>,
    /// Up to now; defaults to `24h`.
    time_range: Option<String>,
    /// First moment, instead of `timeRange`.
    from: Option<String>,
    /// End, instead of `timeRange`.
    to: Option<String>,
}

/// In which form.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SupportParams {
    /// `json` (default), `markdown` or `html`.
    format: Option<String>,
}

/// Report on a client's last hours.
#[utoipa::path(post, path = "/client-support", tag = "support", params(SupportParams), request_body = SupportRequest, responses(
    (status = 200, description = "The report", body = Answer<SupportReport>),
    (status = 400, description = "A parameter was not accepted", body = Problem),
    (status = 403, description = "Needs the role support", body = Problem),
))]
pub(super) async fn client_support(
    caller: Caller,
    Params(params): Params<SupportParams>,
    Body(request): Body<SupportRequest>,
) -> Result<Response, ApiError> {
    caller.needs(Role::Support)?;
    let client_id = request.client_id.trim().to_owned();
    if client_id.is_empty() || client_id.len() > 256 {
        return Err(ApiError::invalid(
            "clientId",
            "Send a user's or an organization's id of at most 256 bytes.",
        ));
    }
    let when = When {
        time_range: request.time_range,
        from: request.from,
        to: request.to,
    };
    let question = SupportQuestion {
        client_id,
        issue_description: request
            .issue_description
            .filter(|text| !text.trim().is_empty()),
        range: when.or_a_day(time::now())?,
    };
    let format = given(&params.format).unwrap_or("json");
    if !["json", "markdown", "html"].contains(&format) {
        return Err(ApiError::invalid(
            "format",
            format!("`{format}` is none of json, markdown, html."),
        ));
    }
    let lines = Noting::new(&caller.lines);
    let report = analysis::support_report(&lines, &*caller.whole, &question).await?;
    tracing::info!(
        target: "omnify_trace_admin::audit",
        event_type = "client_support",
        client_id = report.client_id.as_str(),
        category = report.probable_cause.category.as_str(),
        actor = caller.principal.name.as_str(),
        "Support report"
    );
    Ok(match format {
        "markdown" => (
            [(header::CONTENT_TYPE, "text/markdown; charset=utf-8")],
            to_markdown(&report),
        )
            .into_response(),
        "html" => (
            [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
            to_html(&report),
        )
            .into_response(),
        _ => Json(lines.answer(report)).into_response(),
    })
}
