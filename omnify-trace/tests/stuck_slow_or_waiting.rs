//! Is it stuck, slow or waiting? What the watchdog says, and when it keeps quiet.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use omnify_trace::layer::{JsonLayer, MemorySink};
use omnify_trace::operation::{self, Settings};
use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt;

const PERIOD: Duration = Duration::from_millis(200);

/// Runs it under a subscriber of its own; the watchdog speaks through it, too.
fn captured<T>(run: impl FnOnce(&MemorySink) -> T) -> Vec<Value> {
    Settings::new().period(PERIOD).apply();
    let sink = MemorySink::new();
    let subscriber = tracing_subscriber::registry().with(JsonLayer::new(sink.clone()));
    tracing::subscriber::with_default(subscriber, || run(&sink));
    sink.events()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn of<'a>(events: &'a [Value], event_type: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| event["event_type"] == event_type)
        .collect()
}

fn wait_for(sink: &MemorySink, event_type: &str) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        if !of(&sink.events(), event_type).is_empty() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

async fn until(sink: &MemorySink, event_type: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while of(&sink.events(), event_type).is_empty() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn a_stuck_step_is_told_with_its_context_and_what_it_waits_for_and_then_recovers() {
    let events = captured(|sink| {
        runtime().block_on(operation::workflow("billing").run_id("run-1").run(async {
            let step = operation::step("charge")
                .budget(Duration::from_millis(50))
                .run(async {
                    tracing::info!("about to call");
                    let call = operation::external_api("bank", "POST", "/charge");
                    call.run(until(sink, "operation_stalled")).await;
                });
            step.await;
        }));
    });
    let stalled = of(&events, "operation_stalled");
    assert!(!stalled.is_empty(), "{events:#?}");
    let report = stalled[0];
    assert_eq!(report["context"]["workflow_id"], "billing");
    assert_eq!(report["context"]["run_id"], "run-1");
    assert_eq!(report["context"]["step_id"], "charge");
    assert_eq!(report["extra"]["operation_kind"], "step");
    assert_eq!(report["extra"]["operation"], "charge");
    assert_eq!(report["extra"]["wait_kind"], "io");
    assert_eq!(report["extra"]["waits_in"], "external_api bank");
    assert_eq!(report["extra"]["budget_ms"], 50.0);
    let age = report["extra"]["age_ms"].as_f64().unwrap();
    assert!((50.0..50.0 + 5.0 * 200.0).contains(&age), "{age}");
    let last = &report["extra"]["last_events"];
    assert!(
        last.as_array()
            .unwrap()
            .iter()
            .any(|event| event["message"] == "about to call")
    );
    assert_eq!(report["level"], "WARN");
    assert_eq!(of(&events, "operation_recovered").len(), 1);
    assert_eq!(
        of(&events, "operation_recovered")[0]["context"]["step_id"],
        "charge"
    );
}

#[test]
fn a_step_that_waits_for_a_person_is_never_stuck() {
    let events = captured(|_| {
        runtime().block_on(operation::workflow("leave").run(async {
            let step = operation::step("approval").budget(Duration::from_millis(100));
            step.run(async {
                operation::waiting_for_human(tokio::time::sleep(Duration::from_millis(900))).await;
            })
            .await;
        }));
    });
    assert!(of(&events, "operation_stalled").is_empty(), "{events:#?}");
    let states: Vec<_> = of(&events, "workflow_step")
        .iter()
        .map(|e| &e["extra"]["status"])
        .collect();
    assert_eq!(states, ["started", "waiting", "started", "completed"]);
}

#[test]
fn reports_come_at_doubling_ages() {
    let events = captured(|_| {
        let step = operation::step("slow").budget(Duration::from_millis(100));
        runtime()
            .block_on(step.run(async { tokio::time::sleep(Duration::from_millis(1900)).await }));
    });
    let ages: Vec<f64> = of(&events, "operation_stalled")
        .iter()
        .map(|event| event["extra"]["age_ms"].as_f64().unwrap())
        .collect();
    assert!((2..=5).contains(&ages.len()), "{ages:?}");
    assert!(
        ages.windows(2).all(|pair| pair[1] >= 1.9 * pair[0]),
        "{ages:?}"
    );
}

#[test]
fn a_step_that_takes_far_longer_than_it_used_to_is_stuck_though_nobody_gave_it_a_budget() {
    let events = captured(|sink| {
        runtime().block_on(operation::workflow("learns").run(async {
            for _ in 0..40 {
                operation::step("usual").run(async {}).await;
            }
            let unknown = operation::step("unknown").start();
            operation::step("usual")
                .run(until(sink, "operation_stalled"))
                .await;
            unknown.complete();
        }));
    });
    let stalled = of(&events, "operation_stalled");
    assert!(!stalled.is_empty(), "{events:#?}");
    assert!(
        stalled
            .iter()
            .all(|event| event["context"]["step_id"] == "usual")
    );
    // Four times a few microseconds is less than the least that is learned.
    assert_eq!(stalled[0]["extra"]["budget_ms"], 2_000.0);
    assert_eq!(of(&events, "operation_recovered").len(), 1);
}

#[test]
fn a_blocked_executor_is_told_with_the_operation_that_blocks_it() {
    let events = captured(|sink| {
        runtime().block_on(operation::workflow("w").run(async {
            let step = operation::step("blocking").run(async {
                assert!(wait_for(sink, "runtime_stalled"));
            });
            step.await;
        }));
    });
    let blocked = of(&events, "runtime_stalled");
    assert_eq!(blocked.len(), 1, "{events:#?}");
    assert_eq!(blocked[0]["context"]["step_id"], "blocking");
    let operations = blocked[0]["extra"]["operations"].as_array().unwrap();
    assert_eq!(operations.len(), 1);
    assert_eq!(operations[0]["operation"], "blocking");
    assert_eq!(operations[0]["workflow_id"], "w");
    assert!(of(&events, "operation_stalled").is_empty());
}

#[test]
fn children_of_spawned_tasks_belong_to_the_operation_around_them() {
    let events = captured(|_| {
        runtime()
            .block_on(operation::workflow("w").run_id("r").run(async {
                let task = omnify_trace::spawn("side", async {
                    operation::step("inside")
                        .run(async { Err::<(), _>("no") })
                        .await
                });
                task.await.unwrap().map_err(str::to_owned)
            }))
            .unwrap_err();
    });
    let failed = of(&events, "workflow_error");
    assert_eq!(failed[0]["extra"]["failed_step"], "inside");
    assert_eq!(
        of(&events, "workflow_step_error")[0]["context"]["run_id"],
        "r"
    );
}
