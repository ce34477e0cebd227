//! What people decide about error groups.

use axum::{
    Json,
    extract::{Path, State as AxumState},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    App, Body,
    caller::Caller,
    problem::{ApiError, Problem},
};
use crate::{
    access::Role,
    state::{IssueRow, IssueState},
    time::{self, rfc3339},
};

/// A decided error group.
#[derive(Serialize, ToSchema)]
pub(super) struct Issue {
    /// Of the error group.
    fingerprint: String,
    /// As somebody set it.
    state: IssueState,
    /// RFC 3339.
    first_seen: String,
    /// RFC 3339.
    resolved_at: Option<String>,
    /// Link to a ticket.
    ticket_url: Option<String>,
    /// Who looks after it.
    assignee: Option<String>,
    /// Free text.
    note: Option<String>,
    /// RFC 3339.
    updated_at: String,
    /// Who last changed it.
    updated_by: String,
}

impl From<IssueRow> for Issue {
    fn from(row: IssueRow) -> Self {
        let state = match row.state.as_str() {
            "resolved" => IssueState::Resolved,
            "ignored" => IssueState::Ignored,
            _ => IssueState::Ongoing,
        };
        Self {
            fingerprint: row.fingerprint,
            state,
            first_seen: rfc3339(row.first_seen),
            resolved_at: row.resolved_at.map(rfc3339),
            ticket_url: row.ticket_url,
            assignee: row.assignee,
            note: row.note,
            updated_at: rfc3339(row.updated_at),
            updated_by: row.updated_by,
        }
    }
}

/// Decided error groups.
#[derive(Serialize, ToSchema)]
pub(super) struct Issues {
    /// Last changed first.
    issues: Vec<Issue>,
    /// Always null: all issues are on this page.
    next_cursor: Option<String>,
}

/// What to change; what is absent stays, an empty text clears.
#[derive(Deserialize, ToSchema)]
pub(super) struct IssueChange {
    /// `ongoing`, `resolved` or `ignored`.
    state: Option<IssueState>,
    /// An `http` or `https` URL.
    ticket_url: Option<String>,
    /// Who looks after it.
    assignee: Option<String>,
    /// Free text.
    note: Option<String>,
}

/// Every decided issue.
#[utoipa::path(get, path = "/issues", tag = "issues", responses(
    (status = 200, description = "The issues", body = Issues),
))]
pub(super) async fn list(
    AxumState(app): AxumState<App>,
    caller: Caller,
) -> Result<Json<Issues>, ApiError> {
    caller.needs_all_organizations()?;
    let issues = app.state.issues().await?;
    Ok(Json(Issues {
        issues: issues.into_iter().map(Issue::from).collect(),
        next_cursor: None,
    }))
}

/// One issue.
#[utoipa::path(get, path = "/issues/{fingerprint}", tag = "issues",
    params(("fingerprint" = String, Path, description = "16 hexadecimal digits")), responses(
    (status = 200, description = "The issue", body = Issue),
    (status = 404, description = "Nobody has decided about it", body = Problem),
))]
pub(super) async fn one(
    AxumState(app): AxumState<App>,
    caller: Caller,
    Path(fingerprint): Path<String>,
) -> Result<Json<Issue>, ApiError> {
    caller.needs_all_organizations()?;
    let issue = app.state.issue(&fingerprint).await?;
    issue.map(|row| Json(row.into())).ok_or_else(|| {
        ApiError::NotFound("Nobody has decided about this error group yet.".to_owned())
    })
}

/// Decide about an error group: resolve it, ignore it, link its ticket.
#[utoipa::path(put, path = "/issues/{fingerprint}", tag = "issues",
    params(("fingerprint" = String, Path, description = "16 hexadecimal digits")),
    request_body = IssueChange, responses(
    (status = 200, description = "The issue as it is now", body = Issue),
    (status = 400, description = "A value was not accepted", body = Problem),
    (status = 403, description = "Needs the role support", body = Problem),
))]
pub(super) async fn change(
    AxumState(app): AxumState<App>,
    caller: Caller,
    Path(fingerprint): Path<String>,
    Body(change): Body<IssueChange>,
) -> Result<Json<Issue>, ApiError> {
    caller.needs(Role::Support)?;
    caller.needs_all_organizations()?;
    if fingerprint.len() != 16 || !fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ApiError::invalid(
            "fingerprint",
            "A fingerprint has 16 hexadecimal digits.",
        ));
    }
    let now = time::now();
    let mut row = app
        .state
        .issue(&fingerprint)
        .await?
        .unwrap_or_else(|| IssueRow {
            fingerprint: fingerprint.clone(),
            state: IssueState::Ongoing.as_str().to_owned(),
            first_seen: now,
            resolved_at: None,
            ticket_url: None,
            assignee: None,
            note: None,
            updated_at: now,
            updated_by: String::new(),
        });
    apply(&mut row, change, now)?;
    row.updated_by.clone_from(&caller.principal.name);
    app.state.put_issue(&row).await?;
    caller.audit("change_issue", &fingerprint);
    Ok(Json(row.into()))
}

fn apply(row: &mut IssueRow, change: IssueChange, now: i64) -> Result<(), ApiError> {
    const LONGEST: usize = 4_096;
    match change.state {
        None => {}
        Some(IssueState::New | IssueState::Regressed) => {
            return Err(ApiError::invalid(
                "state",
                "Only ongoing, resolved and ignored can be set; the others follow from the lines.",
            ));
        }
        Some(state) => {
            state.as_str().clone_into(&mut row.state);
            row.resolved_at = (state == IssueState::Resolved).then_some(now);
        }
    }
    if let Some(url) = change.ticket_url.as_deref()
        && !(url.is_empty() || url.starts_with("https://") || url.starts_with("http://"))
    {
        return Err(ApiError::invalid(
            "ticket_url",
            "A ticket's link begins with https:// or http://.",
        ));
    }
    for (name, place, value) in [
        ("ticket_url", &mut row.ticket_url, change.ticket_url),
        ("assignee", &mut row.assignee, change.assignee),
        ("note", &mut row.note, change.note),
    ] {
        match value {
            None => {}
            Some(text) if text.len() > LONGEST => {
                return Err(ApiError::invalid(
                    name,
                    "The text is longer than 4,096 bytes.",
                ));
            }
            Some(text) => *place = Some(text).filter(|text| !text.is_empty()),
        }
    }
    row.updated_at = now;
    Ok(())
}
