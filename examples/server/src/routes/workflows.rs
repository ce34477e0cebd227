//! Starting workflows and asking how they fare.

use axum::{
    Json, Router,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{App, Problem};
use crate::workflow::{
    engine::{Decision, StartError},
    runs::Run,
};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/api/workflows", get(list))
        .route("/api/workflows/{workflow_id}", get(show))
        .route("/api/workflows/{workflow_id}/runs", post(start))
        .route("/api/runs/{run_id}", get(run))
        .route("/api/runs/{run_id}/steps/{step_id}/decision", post(decide))
}

async fn list(State(app): State<App>) -> Json<Value> {
    let all: Vec<Value> = app
        .engine
        .catalogue()
        .iter()
        .map(|d| json!({"workflow_id": d.workflow_id, "name": d.name, "description": d.description, "steps": d.steps.len()}))
        .collect();
    Json(json!({ "workflows": all }))
}

async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let definition = app
        .engine
        .catalogue()
        .get(&id)
        .ok_or_else(|| Problem::not_found("such workflow"))?;
    Ok(Json(json!(*definition)))
}

async fn start(
    State(app): State<App>,
    Path(id): Path<String>,
    input: Result<Json<Value>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Json(input) = input
        .map_err(|rejection| Problem::new(rejection.status(), "OT0744", rejection.body_text()))?;
    let run = app
        .engine
        .start(&id, input)
        .await
        .map_err(|error| match &error {
            StartError::Unknown(_) => Problem::coded(StatusCode::NOT_FOUND, &error),
            StartError::Full => Problem::coded(StatusCode::SERVICE_UNAVAILABLE, &error),
            StartError::Database(source) => Problem::database(source),
        })?;
    let body = json!({
        "run_id": run.run_id, "workflow_id": run.workflow_id, "status": run.status,
        "request_id": run.request_id, "trace_id": run.trace_id,
    });
    Ok((StatusCode::ACCEPTED, Json(body)))
}

async fn run(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Run>, Problem> {
    match app.engine.run(&id).await {
        Ok(Some(run)) => Ok(Json(run)),
        Ok(None) => Err(Problem::not_found("such run")),
        Err(error) => Err(Problem::database(&error)),
    }
}

async fn decide(
    State(app): State<App>,
    Path((run_id, step_id)): Path<(String, String)>,
    Json(decision): Json<Decision>,
) -> Result<StatusCode, Problem> {
    if app.engine.decide(&run_id, &step_id, decision) {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::not_found("approval that waits there"))
}
