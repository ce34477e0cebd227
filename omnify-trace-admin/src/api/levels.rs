//! Log levels of the running service, changed without a restart.

use std::time::{Duration, Instant};

use axum::{
    Json,
    extract::{Path, State as AxumState},
    http::StatusCode,
};
use omnify_trace::setup::{Levels, Override, OverrideId, Scope};
use serde::{Deserialize, Serialize};
use tracing::level_filters::LevelFilter;
use utoipa::ToSchema;

use super::{
    App, Body,
    caller::Caller,
    problem::{ApiError, Problem},
};
use crate::{
    access::Role,
    time::{self, rfc3339},
};

/// Targets that may have a level of their own.
const MOST_TARGETS: usize = 200;

/// Which level each target may speak at.
#[derive(Serialize, ToSchema)]
pub(super) struct LevelsBody {
    /// `off`, `error`, `warn`, `info`, `debug` or `trace`: of targets not named.
    default: String,
    /// The longest matching target decides.
    targets: Vec<TargetLevel>,
    /// Levels for one customer, for a limited time.
    overrides: Vec<OverrideBody>,
}

/// One target's level.
#[derive(Serialize, ToSchema)]
pub(super) struct TargetLevel {
    target: String,
    level: String,
}

/// Whose work is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ScopeKind {
    /// One user.
    User,
    /// One organization.
    Organization,
    /// Every run of one workflow.
    Workflow,
    /// One run.
    Run,
}

/// A level for one customer.
#[derive(Serialize, ToSchema)]
#[schema(as = LevelOverride)]
pub(super) struct OverrideBody {
    /// For ending it early.
    id: u64,
    /// Whose work is meant.
    scope: ScopeKind,
    /// The user's, organization's, workflow's or run's id.
    value: String,
    /// What it may speak at, whatever the other levels say.
    level: String,
    /// RFC 3339.
    until: String,
}

impl From<&Override> for OverrideBody {
    fn from(one: &Override) -> Self {
        let left = one.until().saturating_duration_since(Instant::now());
        let left = i64::try_from(left.as_nanos()).unwrap_or(i64::MAX);
        Self {
            id: one.id().get(),
            scope: match one.scope() {
                Scope::User(_) => ScopeKind::User,
                Scope::Organization(_) => ScopeKind::Organization,
                Scope::Workflow(_) => ScopeKind::Workflow,
                _ => ScopeKind::Run,
            },
            value: one.scope().value().to_owned(),
            level: one.level().to_string(),
            until: rfc3339(time::now().saturating_add(left)),
        }
    }
}

/// A level for one customer, for a limited time.
#[derive(Deserialize, ToSchema)]
pub(super) struct NewOverride {
    /// Whose work is meant.
    scope: ScopeKind,
    /// The user's, organization's, workflow's or run's id.
    value: String,
    /// Defaults to `debug`.
    level: Option<String>,
    /// Such as `10m`, which is the default; at most `24h`.
    #[serde(rename = "for")]
    duration: Option<String>,
}

/// What to change; what is absent stays.
#[derive(Deserialize, ToSchema)]
pub(super) struct LevelsChange {
    /// Of targets not named.
    default: Option<String>,
    /// Targets to set.
    #[serde(default)]
    targets: Vec<TargetChange>,
}

/// One target's new level.
#[derive(Deserialize, ToSchema)]
pub(super) struct TargetChange {
    /// Such as `shop::cart`.
    target: String,
    /// Null takes the target's own level away.
    level: Option<String>,
}

fn levels_of(app: &App) -> Result<&Levels, ApiError> {
    app.levels.as_ref().ok_or_else(|| {
        ApiError::NotFound(
            "This service did not hand its levels to the admin API: Admin::builder().levels(…)."
                .to_owned(),
        )
    })
}

fn body(levels: &Levels) -> LevelsBody {
    let directives = levels.directives();
    LevelsBody {
        default: directives.default_level().to_string(),
        targets: directives
            .targets()
            .map(|(target, level)| TargetLevel {
                target: target.to_owned(),
                level: level.to_string(),
            })
            .collect(),
        overrides: levels.overrides().iter().map(OverrideBody::from).collect(),
    }
}

/// The levels as they are.
#[utoipa::path(get, path = "/levels", tag = "meta", responses(
    (status = 200, description = "The levels", body = LevelsBody),
    (status = 404, description = "The service did not hand its levels over", body = Problem),
))]
pub(super) async fn levels(
    AxumState(app): AxumState<App>,
    caller: Caller,
) -> Result<Json<LevelsBody>, ApiError> {
    caller.needs_all_organizations()?;
    Ok(Json(body(levels_of(&app)?)))
}

/// Change levels until the service ends.
#[utoipa::path(put, path = "/levels", tag = "meta", request_body = LevelsChange, responses(
    (status = 200, description = "The levels as they are now", body = LevelsBody),
    (status = 400, description = "A value was not accepted", body = Problem),
    (status = 403, description = "Needs the role admin", body = Problem),
))]
pub(super) async fn change_levels(
    AxumState(app): AxumState<App>,
    caller: Caller,
    Body(change): Body<LevelsChange>,
) -> Result<Json<LevelsBody>, ApiError> {
    caller.needs_admin()?;
    let levels = levels_of(&app)?;
    let mut directives = levels.directives();
    if let Some(default) = &change.default {
        directives.set_default(level("default", default)?);
    }
    for wanted in &change.targets {
        let named = !wanted.target.is_empty()
            && wanted.target.len() <= 256
            && wanted
                .target
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_:-./".contains(&byte));
        if !named {
            return Err(ApiError::invalid(
                "target",
                format!("`{}` is not a target.", wanted.target),
            ));
        }
        let level = wanted
            .level
            .as_deref()
            .map(|text| level("level", text))
            .transpose()?;
        directives.set_target(&wanted.target, level);
    }
    if directives.targets().count() > MOST_TARGETS {
        return Err(ApiError::invalid(
            "targets",
            format!("At most {MOST_TARGETS} targets have a level of their own."),
        ));
    }
    levels.set(directives);
    caller.audit("change_levels", "");
    Ok(Json(body(levels)))
}

fn level(parameter: &str, text: &str) -> Result<LevelFilter, ApiError> {
    text.parse::<LevelFilter>()
        .ok()
        .filter(|_| text.bytes().all(|byte| byte.is_ascii_alphabetic()))
        .ok_or_else(|| {
            ApiError::invalid(
                parameter,
                format!("`{text}` is none of off, error, warn, info, debug, trace."),
            )
        })
}

/// Overrides at the same time: each costs a comparison per event.
const MOST_OVERRIDES: usize = 50;

/// Debug one customer for a while: what is done for them is logged at this level.
#[utoipa::path(post, path = "/levels/overrides", tag = "meta", request_body = NewOverride, responses(
    (status = 201, description = "The override", body = OverrideBody),
    (status = 400, description = "A value was not accepted", body = Problem),
    (status = 403, description = "Needs the role support", body = Problem),
    (status = 404, description = "The service did not hand its levels over", body = Problem),
))]
pub(super) async fn override_level(
    AxumState(app): AxumState<App>,
    caller: Caller,
    Body(wanted): Body<NewOverride>,
) -> Result<(StatusCode, Json<OverrideBody>), ApiError> {
    caller.needs(Role::Support)?;
    caller.needs_all_organizations()?;
    let levels = levels_of(&app)?;
    if levels.overrides().len() >= MOST_OVERRIDES {
        return Err(ApiError::invalid(
            "body",
            format!("There are {MOST_OVERRIDES} overrides already."),
        ));
    }
    let scope = scope(wanted.scope, wanted.value.trim())?;
    let level = level("level", wanted.level.as_deref().unwrap_or("debug"))?;
    let span = wanted.duration.as_deref().unwrap_or("10m");
    let span = time::parse_span(span)
        .filter(|span| *span <= time::DAY)
        .and_then(|span| u64::try_from(span).ok())
        .ok_or_else(|| ApiError::invalid("for", "Send a span such as 10m, at most 24h."))?;
    caller.audit("override_level", scope.value());
    let id = levels.set_for(scope, level, Duration::from_nanos(span));
    let made = levels
        .overrides()
        .iter()
        .find(|one| one.id() == id)
        .map(OverrideBody::from);
    made.map(|body| (StatusCode::CREATED, Json(body)))
        .ok_or(ApiError::Internal("OT0419: the override ended at once"))
}

fn scope(kind: ScopeKind, value: &str) -> Result<Scope, ApiError> {
    let wrong = |error: &dyn std::fmt::Display| ApiError::invalid("value", error.to_string());
    Ok(match kind {
        ScopeKind::User => Scope::User(value.parse().map_err(|error| wrong(&error))?),
        ScopeKind::Organization => {
            Scope::Organization(value.parse().map_err(|error| wrong(&error))?)
        }
        ScopeKind::Workflow => Scope::Workflow(value.parse().map_err(|error| wrong(&error))?),
        ScopeKind::Run => Scope::Run(value.parse().map_err(|error| wrong(&error))?),
    })
}

/// End an override before its time.
#[utoipa::path(delete, path = "/levels/overrides/{id}", tag = "meta",
    params(("id" = String, Path, description = "Of the override")), responses(
    (status = 204, description = "Ended"),
    (status = 403, description = "Needs the role support", body = Problem),
    (status = 404, description = "No such override", body = Problem),
))]
pub(super) async fn end_override(
    AxumState(app): AxumState<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.needs(Role::Support)?;
    caller.needs_all_organizations()?;
    let levels = levels_of(&app)?;
    let ended = id
        .parse()
        .is_ok_and(|number| levels.clear_for(OverrideId::from_number(number)));
    if !ended {
        return Err(ApiError::NotFound(
            "There is no such override: it may have ended by itself.".to_owned(),
        ));
    }
    caller.audit("end_override", &id);
    Ok(StatusCode::NO_CONTENT)
}
