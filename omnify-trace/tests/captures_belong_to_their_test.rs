//! The capture API: what it sees, what it does not, and what it says of a workflow's path.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use omnify_trace::testing::{self, Logs};
use omnify_trace::{EventType, operation, step};

#[omnify_trace::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_and_threads_of_any_worker_are_captured(logs: Logs) {
    let tasks: Vec<_> = (0..8)
        .map(|n| tokio::spawn(async move { tracing::info!("task {n}") }))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    tokio::task::spawn_blocking(|| tracing::info!("blocking"))
        .await
        .unwrap();
    omnify_trace::thread("t", || tracing::info!("thread"))
        .unwrap()
        .join()
        .unwrap();
    assert_eq!(logs.messages().len(), 10);
}

#[test]
fn two_captures_at_once_never_see_each_other() {
    let met = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        for name in ["one", "two"] {
            let met = &met;
            scope.spawn(move || {
                let logs = testing::capture(|| {
                    for _ in 0..100 {
                        tracing::info!("{name}");
                        if name == "one" {
                            std::thread::yield_now();
                        }
                    }
                    met.wait();
                });
                assert_eq!(logs.messages(), vec![name; 100]);
            });
        }
    });
}

#[omnify_trace::test]
async fn a_path_tells_sequence_parallelism_nesting_retries_and_skips(logs: Logs) {
    operation::workflow("order")
        .run(async {
            let nap = || tokio::time::sleep(Duration::from_millis(2));
            operation::step("a").run(nap()).await;
            let b = operation::step("b").run(nap());
            let c = operation::step("c").run(nap());
            tokio::join!(b, c);
            let inner = async { operation::step("inner").run(nap()).await };
            operation::step("outer").run(inner).await;
            let failing = operation::step("d").attempt(1).max_attempts(2);
            failing
                .run(async { Err::<(), _>("first") })
                .await
                .unwrap_err();
            operation::step("d")
                .attempt(2)
                .max_attempts(2)
                .run(nap())
                .await;
            operation::step("e").skip("not today");
        })
        .await;
    logs.assert_ran("order", "a > (b | c) > outer[inner] > d! > d > e-");
    logs.assert_spans(&["workflow[step step step step[step] step step step]"]);
    let run = logs.workflow("order");
    assert_eq!(run.end().unwrap().event_type(), "workflow_complete");
    logs.only(EventType::WorkflowStepError)
        .caused_by("first")
        .extra("will_retry", true);
    logs.none(EventType::OperationStalled);
}

#[test]
#[should_panic(expected = "right: \"b > a\"")]
fn another_way_is_not_the_way() {
    let logs = testing::capture(|| {
        operation::workflow("w").run_sync(|| {
            operation::step("a").run_sync(|| {});
            operation::step("b").run_sync(|| {});
        });
    });
    logs.assert_ran("w", "a > b").assert_ran("w", "b > a");
}

#[test]
#[should_panic(expected = "workflow_error")]
fn a_failed_run_did_not_run_well() {
    let logs = testing::capture(|| {
        let failing = || {
            operation::step("a")
                .will_retry(true)
                .run_sync(|| Err::<(), _>("no"))
        };
        operation::workflow("w").run_sync(failing).unwrap_err();
    });
    logs.assert_ran("w", "a!");
}

#[test]
fn spans_are_a_tree_also_of_threads_and_of_plain_spans() {
    let logs = testing::capture(|| {
        let request = tracing::info_span!("request").entered();
        tracing::info!("in");
        tracing::info_span!("inner").in_scope(|| tracing::info!("deeper"));
        let thread = omnify_trace::thread("t", || tracing::info!("in a thread"));
        thread.unwrap().join().unwrap();
        drop(request);
        tracing::info_span!("alone").in_scope(|| tracing::info!("apart"));
    });
    logs.assert_spans(&["request[inner t]", "alone"]);
    assert_eq!(logs.spans()[0].children()[1].name(), "t");
}

#[test]
fn a_test_may_have_a_clock_of_its_own() {
    use omnify_trace::layer::Clock;
    let noon = Clock::Custom(std::sync::Arc::new(|| Duration::from_secs(1_795_262_400)));
    let logs = testing::capture_with(noon, |logs| {
        tracing::info!("now");
        assert_eq!(logs.len(), 1);
    });
    assert_eq!(
        logs.events()[0].json()["timestamp"],
        "2026-11-21T12:00:00.000000000Z"
    );
}

#[test]
#[should_panic(expected = "workflow_step_error was not expected")]
fn trouble_is_not_clean() {
    let logs = testing::capture(|| {
        operation::step("s")
            .run_sync(|| Err::<(), _>("no"))
            .unwrap_err();
    });
    logs.assert_clean();
}

#[test]
#[should_panic(expected = "extra.attempt is 1, not 2")]
fn a_wrong_field_is_named_with_what_was_found() {
    let logs = testing::capture(|| operation::step("s").attempt(1).run_sync(|| {}));
    let _ = logs.steps("s")[0].extra("attempt", 2);
}

#[step("runs")]
fn runs() {}

#[step("never-runs")]
fn never_runs() {}

#[omnify_trace::test]
fn steps_that_never_ran_are_listed_with_their_place(logs: Logs) {
    runs();
    if std::hint::black_box(false) {
        never_runs();
    }
    let never = logs.steps_never_run();
    assert_eq!(never.len(), 1);
    assert_eq!(never[0].id(), "never-runs");
    assert!(
        never[0]
            .location()
            .contains("captures_belong_to_their_test.rs:")
    );
}
