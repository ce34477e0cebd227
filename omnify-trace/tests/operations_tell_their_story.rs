//! What operations write, seen through a plain `tracing` collector.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::todo
)]
#![allow(clippy::unimplemented, reason = "such code is what is looked for")]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use omnify_trace::operation;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

type Fields = BTreeMap<String, String>;

#[derive(Default, Clone)]
struct Capture(Arc<Mutex<Vec<Fields>>>);

struct Collect<'a>(&'a mut Fields);

impl Visit for Collect<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut next = value.source();
        while let Some(source) = next {
            text = format!("{text}: {source}");
            next = source.source();
        }
        self.0.insert(field.name().to_owned(), text);
    }
}

struct SpanFields(Fields);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Capture {
    fn on_new_span(
        &self,
        attributes: &tracing::span::Attributes<'_>,
        id: &tracing::span::Id,
        context: Context<'_, S>,
    ) {
        let mut fields = Fields::new();
        attributes.record(&mut Collect(&mut fields));
        context
            .span(id)
            .unwrap()
            .extensions_mut()
            .insert(SpanFields(fields));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::new();
        for span in context.event_scope(event).into_iter().flatten() {
            for (name, value) in &span.extensions().get::<SpanFields>().unwrap().0 {
                fields.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        event.record(&mut Collect(&mut fields));
        self.0.lock().unwrap().push(fields);
    }
}

fn captured(run: impl Future<Output = ()>) -> Vec<Fields> {
    let capture = Capture::default();
    let subscriber = tracing_subscriber::registry().with(capture.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tracing::subscriber::with_default(subscriber, || runtime.block_on(run));
    std::mem::take(&mut capture.0.lock().unwrap())
}

fn types(lines: &[Fields]) -> Vec<&str> {
    lines
        .iter()
        .map(|line| line["event_type"].as_str())
        .collect()
}

#[derive(Debug, thiserror::Error)]
#[error("could not charge")]
struct ChargeError(#[source] std::io::Error);

fn charge() -> Result<u32, ChargeError> {
    Err(ChargeError(std::io::Error::other("connection reset")))
}

#[test]
fn a_failing_step_is_told_with_its_chain_and_named_by_its_run() {
    let lines = captured(async {
        let run = operation::workflow("billing")
            .name("Billing")
            .run_id("run-1")
            .run(async {
                operation::step("quote").run(async { 3 }).await;
                operation::step("charge")
                    .attempt(1)
                    .max_attempts(2)
                    .run(async { charge() })
                    .await
                    .ok();
                operation::step("charge")
                    .attempt(2)
                    .max_attempts(2)
                    .depends_on(["quote"])
                    .run(async { charge() })
                    .await
            });
        assert!(run.await.is_err());
    });
    assert_eq!(
        types(&lines),
        [
            "workflow_start",
            "workflow_step",
            "workflow_step",
            "workflow_step",
            "workflow_step_error",
            "workflow_step",
            "workflow_step_error",
            "workflow_error",
        ]
    );
    assert!(
        lines
            .iter()
            .all(|line| line["run_id"] == "run-1" && line["workflow_id"] == "billing")
    );
    assert_eq!(lines[2]["status"], "completed");
    assert_eq!(lines[4]["will_retry"], "true");
    assert_eq!(lines[6]["will_retry"], "false");
    assert_eq!(lines[6]["step_id"], "charge");
    assert_eq!(lines[5]["depends_on"], "quote");
    assert_eq!(lines[6]["error"], "could not charge: connection reset");
    assert!(lines[6]["exception.type"].ends_with("ChargeError"));
    assert_eq!(lines[7]["failed_step"], "charge");
    assert!(lines[7]["duration_ms"].parse::<f64>().unwrap() >= 0.0);
}

#[test]
fn run_ids_are_version_7_uuids_and_differ() {
    let lines = captured(async {
        operation::workflow("a").run(async {}).await;
        operation::workflow("a").run(async {}).await;
    });
    let first = uuid::Uuid::parse_str(&lines[0]["run_id"]).unwrap();
    assert_eq!(first.get_version_num(), 7);
    assert_ne!(lines[0]["run_id"], lines[2]["run_id"]);
}

#[test]
fn a_cancelled_future_ends_its_operations_from_the_inside_out() {
    let lines = captured(async {
        let stuck = operation::workflow("w").run(async {
            operation::step("s").run(std::future::pending::<()>()).await;
        });
        let limit = std::time::Duration::from_millis(5);
        assert!(tokio::time::timeout(limit, stuck).await.is_err());
        drop(operation::step("never-polled").run(async {}));
    });
    assert_eq!(
        types(&lines),
        [
            "workflow_start",
            "workflow_step",
            "workflow_step_error",
            "workflow_error"
        ]
    );
    assert_eq!(lines[3]["exception.type"], "cancelled");
}

#[test]
fn a_panic_ends_its_operations_and_says_what_it_said() {
    omnify_trace::panic::install();
    let lines = captured(async {
        let task = tokio::spawn(operation::workflow("w").run(async {
            let panics: fn() = || panic!("on the disco");
            operation::step("s").run(async { panics() }).await;
        }));
        assert!(task.await.unwrap_err().is_panic());
    });
    assert_eq!(
        types(&lines),
        [
            "workflow_start",
            "workflow_step",
            "panic",
            "workflow_step_error",
            "workflow_error"
        ]
    );
    assert_eq!(lines[2]["error"], "on the disco");
    assert_eq!(lines[2]["step_id"], "s");
    assert!(lines[2]["location"].contains("operations_tell_their_story.rs:"));
    assert_eq!(lines[3]["error"], "panicked: on the disco");
    assert_eq!(lines[4]["failed_step"], "s");
    assert_eq!(lines[4]["exception.type"], "panic");
}

#[test]
fn unfinished_code_is_a_list_of_its_own() {
    omnify_trace::panic::install();
    let codes: [fn(); 3] = [
        || todo!("refunds"),
        || unimplemented!(),
        || unreachable!("{}", 3),
    ];
    let lines = captured(async {
        for code in codes {
            assert!(std::panic::catch_unwind(code).is_err());
        }
    });
    assert_eq!(types(&lines), ["incomplete_code"; 3]);
    let kinds: Vec<_> = lines.iter().map(|line| line["kind"].as_str()).collect();
    assert_eq!(kinds, ["todo", "unimplemented", "unreachable"]);
}

#[test]
fn calls_queries_and_agents_tell_what_was_recorded_inside() {
    let lines = captured(async {
        operation::agent("researcher")
            .provider("openai")
            .model("gpt-x")
            .run(async {
                operation::external_api("openai", "POST", "/v1/chat")
                    .host("127.0.0.1:9")
                    .run(async { operation::record_status(503) })
                    .await;
                operation::record_usage(100, 20);
                operation::record_cost(0.25);
                operation::db_query("select * from t where id = 7")
                    .run(async {})
                    .await;
                operation::db_query("select 1")
                    .slow_after(std::time::Duration::ZERO)
                    .run_sync(|| operation::record_rows(1));
            })
            .await;
    });
    assert_eq!(
        types(&lines),
        [
            "agent_start",
            "external_api_call",
            "db_query",
            "slow_query",
            "agent_complete"
        ]
    );
    assert_eq!(lines[1]["error"], "HTTP 503");
    assert_eq!(lines[1]["agent"], "researcher");
    assert_eq!(lines[2]["db.statement"], "select * from t where id = ?");
    assert_eq!(lines[3]["rows"], "1");
    assert_eq!(lines[4]["gen_ai.usage.input_tokens"], "100");
    assert_eq!(lines[4]["gen_ai.agent.name"], "researcher");
    assert_eq!(lines[4]["cost_usd"], "0.25");
}

#[test]
fn skipping_and_waiting_for_a_person_are_states_of_a_step() {
    let lines = captured(async {
        operation::step("legal").skip("small amount");
        operation::step("approval")
            .run(async {
                assert_eq!(operation::current().unwrap().name(), "approval");
                operation::waiting_for_human(tokio::task::yield_now()).await;
            })
            .await;
        assert!(operation::current().is_none());
        let guard = operation::step("guarded").start();
        guard.fail("no reason");
    });
    let states: Vec<_> = lines.iter().filter_map(|line| line.get("status")).collect();
    assert_eq!(
        states,
        [
            "skipped",
            "started",
            "waiting",
            "started",
            "completed",
            "started"
        ]
    );
    assert_eq!(lines[0]["reason"], "small amount");
    assert_eq!(lines[6]["error"], "no reason");
}
