//! AgentKit's agent runs: `POST /v1/agent-runs`, `GET /v1/agent-runs/{id}?wait=<seconds>`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{ms, one_in, takes};

/// Runs that are remembered; past that all are forgotten.
const MAX_RUNS: usize = 10_000;

#[derive(Clone, Default)]
struct Runs(Arc<Mutex<HashMap<String, watch::Receiver<Value>>>>);

#[derive(Deserialize)]
struct NewRun {
    agent: String,
    model: String,
    #[serde(default)]
    input: Value,
}

#[derive(Deserialize)]
struct Wait {
    #[serde(default)]
    wait: u64,
}

pub(super) fn router() -> Router {
    Router::new()
        .route("/v1/agent-runs", post(start))
        .route("/v1/agent-runs/{id}", get(look))
        .with_state(Runs::default())
}

async fn start(State(runs): State<Runs>, Json(run): Json<NewRun>) -> Response {
    takes(ms(3), ms(25)).await;
    if one_in(40) {
        tracing::warn!(
            agent = run.agent.as_str(),
            "No worker is free: the run is refused"
        );
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({"error": "no worker is free"})),
        )
            .into_response();
    }
    let id = format!("run_{}", uuid::Uuid::now_v7().simple());
    let queued = json!({"id": id, "status": "queued"});
    let (state, seen) = watch::channel(queued.clone());
    {
        let mut known = runs.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_RUNS {
            known.clear();
        }
        known.insert(id.clone(), seen);
    }
    drop(omnify_trace::spawn("agent-run", work(id, run, state)));
    (StatusCode::ACCEPTED, Json(queued)).into_response()
}

async fn work(id: String, run: NewRun, state: watch::Sender<Value>) {
    let company = run.input["company"].as_str().unwrap_or("the company");
    tracing::info!(
        agent = run.agent.as_str(),
        model = run.model.as_str(),
        run = id.as_str(),
        "Agent run begins"
    );
    state.send_replace(json!({"id": id, "status": "running"}));
    if company.starts_with("Tarpit") {
        // Longer than any step waits: what a lost worker looks like from outside.
        tokio::time::sleep(Duration::from_secs(600)).await;
    } else if company.starts_with("Glacier") {
        takes(ms(6_000), ms(9_000)).await;
    } else {
        takes(ms(120), ms(1_400)).await;
    }
    if company.starts_with("Brittle") || one_in(60) {
        tracing::error!(
            run = id.as_str(),
            "Agent run failed: the model refused the request"
        );
        state.send_replace(
            json!({"id": id, "status": "failed", "error": "the model refused the request"}),
        );
        return;
    }
    let prompt = run.input["prompt"].as_str().unwrap_or_default();
    let summary = answer(&run.agent, company);
    // About four characters make a token.
    let (input, output) = (prompt.len() / 4 + 220, summary.len() / 4 + 60);
    tracing::info!(
        run = id.as_str(),
        input_tokens = input,
        output_tokens = output,
        "Agent run finished"
    );
    state.send_replace(json!({
        "id": id, "status": "completed", "output": {"summary": summary},
        "usage": {"input_tokens": input, "output_tokens": output},
    }));
}

fn answer(agent: &str, company: &str) -> String {
    match agent {
        "company-researcher" => format!(
            "{company} sells to mid-sized businesses in three regions, grew by a fifth last year, and has no loyalty programme yet."
        ),
        "planner" => format!(
            "Week 1: import the contacts of {company}. Week 2: first campaign. Week 4: review with the owner."
        ),
        "strategist" => format!("One idea for {company}: show the time saved, not the features."),
        _ => format!("Hello from {company}! Your mornings just got an hour longer."),
    }
}

async fn look(
    State(runs): State<Runs>,
    Path(id): Path<String>,
    Query(query): Query<Wait>,
) -> Response {
    let known = runs
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&id)
        .cloned();
    let Some(mut state) = known else {
        return (
            StatusCode::NOT_FOUND,
            Json(json!({"error": format!("no run {id}")})),
        )
            .into_response();
    };
    let ended =
        state.wait_for(|state| matches!(state["status"].as_str(), Some("completed" | "failed")));
    let _ = tokio::time::timeout(Duration::from_secs(query.wait.min(60)), ended).await;
    let now = state.borrow().clone();
    Json(now).into_response()
}
