//! What the lines mean: overview, traces, performance, errors, unfinished code.

use axum::{
    Json,
    extract::{Path, State as AxumState},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    App,
    caller::Caller,
    params::{Params, When, Which, given},
    problem::{ApiError, Problem},
    whole::{Answer, Noting},
};
use crate::{
    analysis::{
        self, ErrorGroup, IncompleteItem, LineJson, LineSchema, Performance, Range, RouteOf, Stats,
        Trace,
    },
    time,
};

/// Lines of an error group that are shown.
const EXAMPLES: usize = 20;

/// One trace: its spans and lines.
#[utoipa::path(get, path = "/traces/{trace_id}", tag = "insight",
    params(("trace_id" = String, Path, description = "32 hexadecimal digits")), responses(
    (status = 200, description = "The trace", body = Answer<Trace>),
    (status = 404, description = "No line names it", body = Problem),
))]
pub(super) async fn trace(
    caller: Caller,
    Path(trace_id): Path<String>,
) -> Result<Json<Answer<Trace>>, ApiError> {
    let lines = Noting::new(&caller.lines);
    let trace = analysis::trace(&lines, &trace_id).await?;
    trace
        .map(|trace| Json(lines.answer(trace)))
        .ok_or_else(|| ApiError::NotFound("No line names this trace.".to_owned()))
}

/// The overview's figures.
#[utoipa::path(get, path = "/stats", tag = "insight", params(When), responses(
    (status = 200, description = "The figures; without a range those of the last 24 hours", body = Answer<Stats>),
    (status = 400, description = "A parameter was not accepted", body = Problem),
))]
pub(super) async fn stats(
    AxumState(app): AxumState<App>,
    caller: Caller,
    Params(when): Params<When>,
) -> Result<Json<Answer<Stats>>, ApiError> {
    let now = time::now();
    let range = when.or_a_day(now)?;
    let issues = app.decided().await?;
    let lines = Noting::new(&caller.lines);
    let stats = analysis::stats(&lines, &*caller.whole, &range, &issues, now).await?;
    Ok(Json(lines.answer(stats)))
}

/// Which route's requests the series is of.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OfRoute {
    /// Route template, such as `/api/users/{id}`. Defaults to every route.
    route: Option<String>,
    /// Its HTTP method. Defaults to every method.
    method: Option<String>,
}

impl OfRoute {
    fn chosen(&self) -> Option<RouteOf<'_>> {
        Some(RouteOf {
            route: given(&self.route)?,
            method: given(&self.method),
        })
    }
}

/// Where the time goes.
#[utoipa::path(get, path = "/performance", tag = "insight", params(When, OfRoute), responses(
    (status = 200, description = "The figures; without a range those of the last 24 hours", body = Answer<Performance>),
    (status = 400, description = "A parameter was not accepted", body = Problem),
))]
pub(super) async fn performance(
    caller: Caller,
    Params(when): Params<When>,
    Params(of): Params<OfRoute>,
) -> Result<Json<Answer<Performance>>, ApiError> {
    let range = when.or_a_day(time::now())?;
    let lines = Noting::new(&caller.lines);
    let performance = analysis::performance(&lines, &range, of.chosen()).await?;
    Ok(Json(lines.answer(performance)))
}

/// Error groups.
#[derive(Serialize, ToSchema)]
pub(super) struct ErrorsBody {
    /// The most frequent first.
    errors: Vec<ErrorGroup>,
    /// Always null: all groups are on this page.
    next_cursor: Option<String>,
}

/// The errors, grouped.
#[utoipa::path(get, path = "/errors", tag = "insight", params(When, Which), responses(
    (status = 200, description = "The groups; without a range those of the last 24 hours", body = Answer<ErrorsBody>),
    (status = 400, description = "A parameter was not accepted", body = Problem),
))]
pub(super) async fn errors(
    AxumState(app): AxumState<App>,
    caller: Caller,
    Params(when): Params<When>,
    Params(which): Params<Which>,
) -> Result<Json<Answer<ErrorsBody>>, ApiError> {
    let now = time::now();
    let range = when.or_a_day(now)?;
    let (filters, _) = which.filters()?;
    let issues = app.decided().await?;
    let lines = Noting::new(&caller.lines);
    let most = analysis::MOST_ERRORS;
    let errors = analysis::error_groups(&lines, &range, &filters, &issues, now, most).await?;
    Ok(Json(lines.answer(ErrorsBody {
        errors,
        next_cursor: None,
    })))
}

/// An error group with examples.
#[derive(Serialize, ToSchema)]
pub(super) struct ErrorBody {
    #[serde(flatten)]
    group: ErrorGroup,
    /// The newest lines.
    #[schema(value_type = Vec<LineSchema>)]
    examples: Vec<LineJson>,
}

/// One error group with its newest lines.
#[utoipa::path(get, path = "/errors/{fingerprint}", tag = "insight",
    params(("fingerprint" = String, Path, description = "16 hexadecimal digits"), When), responses(
    (status = 200, description = "The group; without a range that of the last 7 days", body = Answer<ErrorBody>),
    (status = 404, description = "No line in the range has it", body = Problem),
))]
pub(super) async fn error(
    AxumState(app): AxumState<App>,
    caller: Caller,
    Path(wanted): Path<String>,
    Params(when): Params<When>,
) -> Result<Json<Answer<ErrorBody>>, ApiError> {
    let now = time::now();
    // A link to a group outlives the view it came from, so it looks further back by itself.
    let week = Range {
        from: now.saturating_sub(7 * time::DAY),
        to: now.saturating_add(1),
    };
    let range = when.asked(now)?.unwrap_or(week);
    let issues = app.decided().await?;
    let lines = Noting::new(&caller.lines);
    let found = analysis::error_group(&lines, &range, &issues, now, &wanted, EXAMPLES).await?;
    let (group, newest) = found.ok_or_else(|| {
        ApiError::NotFound("No error in this time has this fingerprint.".to_owned())
    })?;
    let examples = newest.into_iter().map(LineJson).collect();
    Ok(Json(lines.answer(ErrorBody { group, examples })))
}

/// Unfinished code.
#[derive(Serialize, ToSchema)]
pub(super) struct IncompleteBody {
    /// The most often reached first.
    items: Vec<IncompleteItem>,
    /// Always null: all items are on this page.
    next_cursor: Option<String>,
}

/// Where `todo!` and its kin were reached.
#[utoipa::path(get, path = "/incomplete", tag = "insight", params(When), responses(
    (status = 200, description = "The places; without a range those of the last 24 hours", body = Answer<IncompleteBody>),
    (status = 400, description = "A parameter was not accepted", body = Problem),
))]
pub(super) async fn incomplete(
    caller: Caller,
    Params(when): Params<When>,
) -> Result<Json<Answer<IncompleteBody>>, ApiError> {
    let range = when.or_a_day(time::now())?;
    let lines = Noting::new(&caller.lines);
    let items = analysis::incomplete(&lines, &range).await?;
    Ok(Json(lines.answer(IncompleteBody {
        items,
        next_cursor: None,
    })))
}
