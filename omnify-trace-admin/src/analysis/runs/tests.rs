//! Who says how a run went, where a page and the server both tell of it.

use serde_json::json;

use super::*;
use crate::{store::Line, time::SECOND};

/// An event of the run: at so many seconds, told by `frontend` or `backend`.
fn event(at: i64, source: &str, kind: &str) -> Event {
    parsed(
        at,
        &json!({
            "event_type": kind,
            "source": source,
            "message": format!("{kind} of the {source}"),
            "context": {"run_id": "r", "workflow_id": "onboarding"},
            "extra": {"workflow_name": format!("Onboarding, {source}")},
        }),
    )
}

fn parsed(at: i64, raw: &serde_json::Value) -> Event {
    Event::parse(Line {
        id: at.to_string(),
        timestamp: at * SECOND,
        raw: raw.to_string().into(),
        is_json: true,
        file: "backend.log".into(),
    })
}

fn run(events: &[(i64, &str, &str)]) -> Run {
    let events: Vec<Event> = events
        .iter()
        .map(|(at, source, kind)| event(*at, source, kind))
        .collect();
    rebuild_run("r", &events, &[]).expect("it has events").run
}

#[test]
fn the_servers_end_wins_over_the_pages_whichever_comes_last() {
    for (page_says, page_at, server_says, server_at, status) in [
        (
            "workflow_error",
            9,
            "workflow_complete",
            5,
            RunStatus::Completed,
        ),
        (
            "workflow_complete",
            9,
            "workflow_error",
            5,
            RunStatus::Failed,
        ),
        (
            "workflow_error",
            5,
            "workflow_complete",
            9,
            RunStatus::Completed,
        ),
        (
            "workflow_complete",
            5,
            "workflow_error",
            9,
            RunStatus::Failed,
        ),
    ] {
        let mut events = vec![
            (1, "frontend", "workflow_start"),
            (2, "backend", "workflow_start"),
            (page_at, "frontend", page_says),
            (server_at, "backend", server_says),
        ];
        events.sort_unstable();
        let run = run(&events);
        assert_eq!(run.status, status, "{events:?}");
        assert_eq!(run.started_at, rfc3339(2 * SECOND), "the server's start");
        assert_eq!(run.ended_at, Some(rfc3339(server_at * SECOND)));
        assert_eq!(run.name, "Onboarding, backend");
    }
}

#[test]
fn a_page_cannot_end_a_run_that_the_server_still_works_on() {
    let run = run(&[
        (1, "frontend", "workflow_start"),
        (2, "backend", "workflow_start"),
        (3, "frontend", "workflow_complete"),
    ]);
    assert_eq!((run.status, run.ended_at), (RunStatus::Active, None));
}

#[test]
fn a_run_that_only_a_page_knows_ends_as_the_page_says() {
    let failed = run(&[
        (1, "frontend", "workflow_start"),
        (4, "frontend", "workflow_error"),
    ]);
    assert_eq!(failed.status, RunStatus::Failed);
    assert_eq!(
        failed.error.as_deref(),
        Some("workflow_error of the frontend")
    );
    assert_eq!(failed.duration_ms, Some(3_000.0));
}

#[test]
fn a_call_tells_which_attempt_of_its_step_made_it() {
    let step_event = |at: i64, kind: &str, span: &str, extra: serde_json::Value| {
        let raw = json!({
            "event_type": kind,
            "context": {"run_id": "r", "step_id": "charge", "span_id": span},
            "extra": extra,
        });
        parsed(at, &raw)
    };
    let started = |attempt| json!({"status": "started", "attempt": attempt});
    let events = [
        step_event(1, "workflow_step", "1", started(1)),
        step_event(2, "agent_start", "a", json!({})),
        step_event(
            3,
            "external_api_call",
            "b",
            json!({"api": "crm", "attempt": 1}),
        ),
        step_event(
            4,
            "workflow_step_error",
            "1",
            json!({"attempt": 1, "will_retry": true}),
        ),
        step_event(5, "workflow_step", "2", started(2)),
        step_event(6, "agent_complete", "a", json!({})),
        step_event(
            7,
            "external_api_call",
            "c",
            json!({"api": "crm", "attempt": 1}),
        ),
        step_event(
            8,
            "external_api_call",
            "d",
            json!({"api": "crm", "attempt": 2}),
        ),
    ];
    let view = rebuild_run("r", &events, &[]).expect("it has events");
    let calls = &view.steps.first().expect("it has a step").calls;
    let told: Vec<(i64, Option<i64>)> = calls
        .iter()
        .map(|call| (call.step_attempt, call.attempt))
        .collect();
    assert_eq!(
        told,
        [(1, None), (1, Some(1)), (2, Some(1)), (2, Some(2))],
        "an agent that ends late belongs to the attempt that started it"
    );
}
