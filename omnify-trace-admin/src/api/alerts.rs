//! Alert rules and where they stand.

use axum::{
    Json,
    extract::{Path, State as AxumState},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    App, Body,
    caller::Caller,
    params::end_of,
    problem::{ApiError, Problem},
};
use crate::{
    access::Role,
    alerts::AlertRule,
    state::{AlertRow, AlertStateRow},
    time::{self, rfc3339},
};

/// Rules at most.
const MOST_RULES: usize = 200;

/// A rule and where it stands.
#[derive(Serialize, ToSchema)]
pub(super) struct Alert {
    /// Unique.
    id: String,
    #[serde(flatten)]
    rule: AlertRule,
    /// `ok`, `pending` or `firing`.
    status: String,
    /// RFC 3339: since when it stands so.
    since: Option<String>,
    /// As last measured; null if there was too little to measure.
    value: Option<f64>,
    /// RFC 3339.
    evaluated_at: Option<String>,
    /// RFC 3339.
    silenced_until: Option<String>,
    /// RFC 3339.
    updated_at: String,
    /// Who last changed it.
    updated_by: String,
}

/// Every rule.
#[derive(Serialize, ToSchema)]
pub(super) struct Alerts {
    /// The firing ones first.
    alerts: Vec<Alert>,
    /// Always null: all rules are on this page.
    next_cursor: Option<String>,
}

fn alert(row: AlertRow, states: &[AlertStateRow], now: i64) -> Option<Alert> {
    let rule = row.rule()?;
    let state = states.iter().find(|state| state.rule_id == row.id);
    let evaluated = state.filter(|state| state.last_evaluated > 0);
    Some(Alert {
        status: state.map_or("ok", |state| &state.status).to_owned(),
        since: evaluated.map(|state| rfc3339(state.since)),
        value: evaluated.and_then(|state| state.last_value),
        evaluated_at: evaluated.map(|state| rfc3339(state.last_evaluated)),
        silenced_until: state
            .and_then(|state| state.silenced_until)
            .filter(|until| *until > now)
            .map(rfc3339),
        updated_at: rfc3339(row.updated_at),
        updated_by: row.updated_by,
        id: row.id,
        rule,
    })
}

/// Every alert rule and where it stands.
#[utoipa::path(get, path = "/alerts", tag = "alerts", responses((status = 200, description = "The alerts", body = Alerts)))]
pub(super) async fn list(
    AxumState(app): AxumState<App>,
    caller: Caller,
) -> Result<Json<Alerts>, ApiError> {
    caller.needs_all_organizations()?;
    let states = app.state.alert_states().await?;
    let now = time::now();
    let mut alerts: Vec<Alert> = app
        .state
        .alerts()
        .await?
        .into_iter()
        .filter_map(|row| alert(row, &states, now))
        .collect();
    alerts.sort_by_key(|alert| match alert.status.as_str() {
        "firing" => 0,
        "pending" => 1,
        _ => 2,
    });
    Ok(Json(Alerts {
        alerts,
        next_cursor: None,
    }))
}

async fn find(app: &App, id: &str) -> Result<Alert, ApiError> {
    let states = app.state.alert_states().await?;
    app.state
        .alerts()
        .await?
        .into_iter()
        .find(|row| row.id == id)
        .and_then(|row| alert(row, &states, time::now()))
        .ok_or_else(|| ApiError::NotFound("There is no such alert rule.".to_owned()))
}

async fn keep(app: &App, caller: &Caller, id: String, rule: &AlertRule) -> Result<Alert, ApiError> {
    rule.check()
        .map_err(|(member, why)| ApiError::invalid(member, why))?;
    let definition = serde_json::to_string(rule)
        .map_err(|_| ApiError::Internal("OT0419: the rule could not be written"))?;
    let row = AlertRow {
        id,
        definition,
        updated_at: time::now(),
        updated_by: caller.principal.name.clone(),
    };
    app.state.put_alert(&row).await?;
    caller.audit("change_alert", &row.id);
    find(app, &row.id).await
}

/// Make a rule.
#[utoipa::path(post, path = "/alerts", tag = "alerts", request_body = AlertRule, responses(
    (status = 201, description = "The rule", body = Alert),
    (status = 400, description = "A value was not accepted", body = Problem),
    (status = 403, description = "Needs the role admin", body = Problem),
))]
pub(super) async fn make(
    AxumState(app): AxumState<App>,
    caller: Caller,
    Body(rule): Body<AlertRule>,
) -> Result<(StatusCode, Json<Alert>), ApiError> {
    caller.needs_admin()?;
    if app.state.alerts().await?.len() >= MOST_RULES {
        return Err(ApiError::invalid(
            "body",
            format!("There are {MOST_RULES} rules already."),
        ));
    }
    let alert = keep(&app, &caller, uuid::Uuid::now_v7().to_string(), &rule).await?;
    Ok((StatusCode::CREATED, Json(alert)))
}

/// Change a rule.
#[utoipa::path(put, path = "/alerts/{id}", tag = "alerts",
    params(("id" = String, Path, description = "Of the rule")), request_body = AlertRule, responses(
    (status = 200, description = "The rule as it is now", body = Alert),
    (status = 400, description = "A value was not accepted", body = Problem),
    (status = 403, description = "Needs the role admin", body = Problem),
    (status = 404, description = "No such rule", body = Problem),
))]
pub(super) async fn put(
    AxumState(app): AxumState<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(rule): Body<AlertRule>,
) -> Result<Json<Alert>, ApiError> {
    caller.needs_admin()?;
    find(&app, &id).await?;
    Ok(Json(keep(&app, &caller, id, &rule).await?))
}

/// Remove a rule.
#[utoipa::path(delete, path = "/alerts/{id}", tag = "alerts",
    params(("id" = String, Path, description = "Of the rule")), responses(
    (status = 204, description = "Removed"),
    (status = 403, description = "Needs the role admin", body = Problem),
    (status = 404, description = "No such rule", body = Problem),
))]
pub(super) async fn remove(
    AxumState(app): AxumState<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.needs_admin()?;
    if !app.state.delete_alert(&id).await? {
        return Err(ApiError::NotFound(
            "There is no such alert rule.".to_owned(),
        ));
    }
    caller.audit("remove_alert", &id);
    Ok(StatusCode::NO_CONTENT)
}

/// For how long.
#[derive(Deserialize, ToSchema)]
pub(super) struct Silence {
    /// Such as `1h`; absent ends the silence.
    #[serde(rename = "for")]
    duration: Option<String>,
}

/// Silence a rule for a while: it is evaluated, but nobody is told.
#[utoipa::path(post, path = "/alerts/{id}/silence", tag = "alerts",
    params(("id" = String, Path, description = "Of the rule")), request_body = Silence, responses(
    (status = 200, description = "The rule as it is now", body = Alert),
    (status = 400, description = "A value was not accepted", body = Problem),
    (status = 403, description = "Needs the role support", body = Problem),
    (status = 404, description = "No such rule", body = Problem),
))]
pub(super) async fn silence(
    AxumState(app): AxumState<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(silence): Body<Silence>,
) -> Result<Json<Alert>, ApiError> {
    caller.needs(Role::Support)?;
    caller.needs_all_organizations()?;
    find(&app, &id).await?;
    let now = time::now();
    let until = end_of("for", &silence.duration, now)?;
    app.state.silence_alert(&id, until, now).await?;
    caller.audit("silence_alert", &id);
    Ok(Json(find(&app, &id).await?))
}
