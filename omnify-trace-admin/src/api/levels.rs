//! Log levels of the running service, changed without a restart.

use axum::{Json, extract::State as AxumState};
use omnify_trace::setup::Levels;
use serde::{Deserialize, Serialize};
use tracing::level_filters::LevelFilter;
use utoipa::ToSchema;

use super::{
    App, Body,
    caller::Caller,
    problem::{ApiError, Problem},
};
use crate::access::Role;

/// Targets that may have a level of their own.
const MOST_TARGETS: usize = 200;

/// Which level each target may speak at.
#[derive(Serialize, ToSchema)]
pub(super) struct LevelsBody {
    /// `off`, `error`, `warn`, `info`, `debug` or `trace`: of targets not named.
    default: String,
    /// The longest matching target decides.
    targets: Vec<TargetLevel>,
}

/// One target's level.
#[derive(Serialize, ToSchema)]
pub(super) struct TargetLevel {
    target: String,
    level: String,
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
    caller.needs(Role::Admin)?;
    caller.needs_all_organizations()?;
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
