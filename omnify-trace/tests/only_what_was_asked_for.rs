//! Operations write what they were told to, and nothing else: arguments, prompts, retries.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use omnify_trace::operation::Settings;
use omnify_trace::sync::{Mutex, future};
use omnify_trace::testing::{self, Logs};
use omnify_trace::{EventType, agent, db_query, external_api, operation, step, workflow};

#[derive(Debug, thiserror::Error)]
#[error("could not charge")]
struct ChargeError(#[source] std::io::Error);

#[step("charge", fields(amount), output_bytes = |id| id.as_ref().map_or(0, String::len) as u64)]
async fn charge(card: &str, amount: u32) -> Result<String, ChargeError> {
    tracing::info!("charging");
    if amount == 0 {
        return Err(ChargeError(std::io::Error::other("connection reset")));
    }
    Ok(format!("{}-{amount}", card.len()))
}

#[workflow("billing")]
async fn billing(card: &str, amount: u32) -> Result<String, ChargeError> {
    charge(card, amount).await
}

#[agent("researcher", model = "gpt-x")]
fn research(question: &str) -> usize {
    operation::record_prompt(question);
    operation::record_answer("an answer nobody asked for");
    question.len()
}

#[external_api("bank", "POST", "/cards/{id}")]
async fn post(card: &str) -> usize {
    card.len()
}

#[db_query("select * from cards where number = 4111111111111111 and owner = $1")]
async fn query(card: &str) -> usize {
    card.len()
}

const CARD: &str = "4111 1111 1111 1111";

#[omnify_trace::test]
async fn arguments_are_written_only_by_name(logs: Logs) {
    billing(CARD, 7).await.unwrap();
    research(CARD);
    post(CARD).await;
    query(CARD).await;
    let all = format!("{:?}", logs.events());
    assert!(
        !all.contains("4111 1111") && !all.contains("41111111"),
        "{all}"
    );
    assert!(!all.contains("nobody asked for"), "{all}");
    let steps = logs.steps("charge");
    steps[0].span_field("amount", 7);
    steps[1]
        .extra("output_bytes", 4)
        .extra("status", "completed");
    logs.only(EventType::DbQuery).extra(
        "db.statement",
        "select * from cards where number = ? and owner = $1",
    );
    logs.assert_ran("billing", "charge");
}

#[omnify_trace::test]
async fn a_failure_is_written_with_its_chain(logs: Logs) {
    billing(CARD, 0).await.unwrap_err();
    let failed = logs.only(EventType::WorkflowStepError);
    failed
        .caused_by("could not charge")
        .caused_by("connection reset");
    let failed = logs.only(EventType::WorkflowError);
    failed
        .caused_by("connection reset")
        .extra("failed_step", "charge");
}

#[test]
fn prompts_and_answers_are_clean_and_bounded_where_they_are_asked_for() {
    let logs = testing::capture(|| {
        operation::agent("a").model("m").content(40).run_sync(|| {
            operation::record_prompt("my password=hunter2, and then a text that goes on and on");
            operation::record_answer(&"ä".repeat(100));
            operation::tool("search").content(100).run_sync(|| {
                operation::record_prompt("{\"q\":\"rust\"}");
                operation::record_answer("three hits");
            });
        });
    });
    let told = logs.all(EventType::AgentComplete);
    let (tool, agent) = (&told[0], &told[1]);
    let prompt = agent
        .get(&["extra", "gen_ai.input.messages"])
        .as_str()
        .unwrap();
    assert!(
        prompt.starts_with("my password=[redacted]") && prompt.len() == 40,
        "{prompt}"
    );
    agent.extra("gen_ai.output.messages", "ä".repeat(20));
    tool.extra("gen_ai.tool.call.arguments", "{\"q\":\"rust\"}");
    tool.extra("gen_ai.tool.call.result", "three hits");
    assert!(tool.get(&["extra", "gen_ai.input.messages"]).is_null());
    assert!(tool.get(&["extra", "gen_ai.agent.name"]).is_null());
    tool.context("agent", "a");
}

#[test]
fn the_model_that_answered_decides_the_price() {
    operation::Prices::new()
        .model("big", 10.0, 10.0)
        .model("small", 1.0, 1.0)
        .apply();
    let logs = testing::capture(|| {
        operation::agent("a").model("big").run_sync(|| {
            operation::record_response_model("small");
            operation::record_usage(1_000_000, 1_000_000);
        });
    });
    let told = logs.only(EventType::AgentComplete);
    told.extra("cost_usd", 2.0)
        .extra("gen_ai.response.model", "small");
}

#[omnify_trace::test]
async fn a_final_failure_is_not_tried_again_whatever_was_planned(logs: Logs) {
    let run = operation::workflow("w").run(async {
        let step = operation::step("approve").attempt(1).max_attempts(5);
        step.run(async {
            operation::no_retry();
            Err::<(), _>("declined")
        })
        .await
    });
    run.await.unwrap_err();
    let told = logs.only(EventType::WorkflowStepError);
    told.extra("will_retry", false).extra("attempt", 1);
    assert_eq!(told.json()["level"], "ERROR");
    logs.only(EventType::WorkflowError)
        .extra("failed_step", "approve");
}

struct Chatty;

impl std::fmt::Display for Chatty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        operation::record_usage(1, 1);
        f.write_str("says something about itself")
    }
}

impl std::fmt::Debug for Chatty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Chatty {}

#[test]
fn an_error_that_records_while_it_is_written_blocks_nobody() {
    let logs = testing::capture(|| {
        operation::agent("outer").run_sync(|| {
            let failing = operation::agent("inner").start();
            failing.in_scope(|| {});
            failing.fail(&Chatty);
        });
    });
    let _ = logs.only(EventType::AgentError);
}

#[omnify_trace::test]
async fn a_lock_held_across_a_long_wait_is_named(logs: Logs) {
    Settings::new().period(Duration::from_millis(100)).apply();
    let (stock, ledger) = (future::Mutex::named("stock", 0), Mutex::named("ledger", 0));
    let step = operation::step("slow").budget(Duration::from_millis(50));
    step.run(async {
        let _held = stock.lock().await;
        drop(ledger.lock());
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while logs.all(EventType::OperationStalled).is_empty() {
            assert!(std::time::Instant::now() < deadline);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let told = &logs.all(EventType::OperationStalled)[0];
    let locks = told.get(&["extra", "locks"]).as_array().unwrap();
    assert_eq!(locks.len(), 1, "only the one that is held: {locks:?}");
    assert_eq!(locks[0]["lock"], "stock");
    assert!(
        locks[0]["held_at"]
            .as_str()
            .unwrap()
            .contains("only_what_was_asked_for.rs:")
    );
    let _ = logs.only(EventType::OperationRecovered);
}

#[omnify_trace::test]
async fn steps_in_parallel_have_the_same_parent(logs: Logs) {
    operation::workflow("w")
        .run(async {
            let step = |id: &'static str| operation::step(id).run(tokio::task::yield_now());
            tokio::join!(step("a"), step("b"), step("c"));
            step("d").await;
        })
        .await;
    logs.assert_ran("w", "(a | b | c) > d");
    logs.assert_spans(&["workflow[step step step step]"]);
}
