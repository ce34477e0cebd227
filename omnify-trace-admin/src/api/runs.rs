//! Workflows and their runs.

use axum::{Json, extract::Path};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    caller::Caller,
    params::{Params, When, given, number},
    problem::{ApiError, Problem},
    whole::{Answer, Noting},
};
use crate::{
    analysis::{self, RunDetail, RunPage, RunQuestion, RunStatus, Workflows, with},
    time,
};

/// Every workflow in figures.
#[utoipa::path(get, path = "/workflows", tag = "workflows", params(When), responses(
    (status = 200, description = "The figures; without a range those of the last 24 hours", body = Answer<Workflows>),
    (status = 400, description = "A parameter was not accepted", body = Problem),
))]
pub(super) async fn workflows(
    caller: Caller,
    Params(when): Params<When>,
) -> Result<Json<Answer<Workflows>>, ApiError> {
    let range = when.or_a_day(time::now())?;
    let lines = Noting::new(&caller.lines);
    let workflows = analysis::workflows(&lines, &*caller.whole, &range).await?;
    Ok(Json(lines.answer(workflows)))
}

/// Which runs.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct RunParams {
    /// One workflow.
    workflow_id: Option<String>,
    /// `active`, `completed`, `failed`, `stalled` or `interrupted`.
    status: Option<String>,
    /// One user.
    user_id: Option<String>,
    /// One organization.
    organization_id: Option<String>,
    /// Runs a page, 1 to 500. Defaults to 50.
    limit: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl RunParams {
    fn question(&self) -> Result<RunQuestion, ApiError> {
        let status = given(&self.status)
            .map(|name| {
                RunStatus::from_wire(name).ok_or_else(|| {
                    ApiError::invalid("status", format!("`{name}` is not a state of a run."))
                })
            })
            .transpose()?;
        let filters = [
            ("context.workflow_id", &self.workflow_id),
            ("context.user_id", &self.user_id),
            ("context.organization_id", &self.organization_id),
        ];
        Ok(RunQuestion {
            filters: filters
                .into_iter()
                .filter_map(|(field, value)| given(value).map(|value| with(field, [value])))
                .collect(),
            status,
            limit: number("limit", &self.limit, 50, 500)?,
            cursor: given(&self.cursor).map(str::to_owned),
        })
    }
}

async fn page(
    caller: &Caller,
    when: &When,
    params: &RunParams,
) -> Result<Json<Answer<RunPage>>, ApiError> {
    let range = when.or_a_day(time::now())?;
    let question = params.question()?;
    let lines = Noting::new(&caller.lines);
    let runs = analysis::runs(&lines, &*caller.whole, &range, &question).await?;
    Ok(Json(lines.answer(runs)))
}

/// Runs of all workflows, the newest first.
#[utoipa::path(get, path = "/runs", tag = "workflows", params(When, RunParams), responses(
    (status = 200, description = "A page; without a range of the last 24 hours", body = Answer<RunPage>),
    (status = 400, description = "A parameter was not accepted", body = Problem),
))]
pub(super) async fn list(
    caller: Caller,
    Params(when): Params<When>,
    Params(params): Params<RunParams>,
) -> Result<Json<Answer<RunPage>>, ApiError> {
    page(&caller, &when, &params).await
}

/// Runs of one workflow, the newest first.
#[utoipa::path(get, path = "/workflows/{id}/runs", tag = "workflows",
    params(("id" = String, Path, description = "Of the workflow"), When, RunParams), responses(
    (status = 200, description = "A page; without a range of the last 24 hours", body = Answer<RunPage>),
    (status = 400, description = "A parameter was not accepted", body = Problem),
))]
pub(super) async fn of_workflow(
    caller: Caller,
    Path(id): Path<String>,
    Params(when): Params<When>,
    Params(params): Params<RunParams>,
) -> Result<Json<Answer<RunPage>>, ApiError> {
    page(
        &caller,
        &when,
        &RunParams {
            workflow_id: Some(id),
            ..params
        },
    )
    .await
}

/// One run with its steps and calls.
#[utoipa::path(get, path = "/runs/{run_id}", tag = "workflows",
    params(("run_id" = String, Path, description = "Of the run")), responses(
    (status = 200, description = "The run", body = Answer<RunDetail>),
    (status = 404, description = "No line names it", body = Problem),
))]
pub(super) async fn one(
    caller: Caller,
    Path(run_id): Path<String>,
) -> Result<Json<Answer<RunDetail>>, ApiError> {
    let lines = Noting::new(&caller.lines);
    let run = analysis::run_detail(&lines, &*caller.whole, &run_id).await?;
    run.map(|run| Json(lines.answer(run)))
        .ok_or_else(|| ApiError::NotFound("No line names this run.".to_owned()))
}
