//! A step that waits for a person: its state is `waiting`, and nobody calls it stuck.
//!
//! `cargo run --example waits_for_approval`, then read `data/logs/workflow.log`.

use std::time::Duration;

use omnify_trace::operation;

#[tokio::main]
async fn main() -> Result<(), omnify_trace::Error> {
    let _guard = omnify_trace::init()?;
    operation::workflow("leave")
        .run_id("run-waits")
        .run(async {
            operation::step("approval")
                .budget(Duration::from_millis(200))
                // The person takes three seconds, fifteen times the step's budget.
                .run(operation::waiting_for_human(tokio::time::sleep(
                    Duration::from_secs(3),
                )))
                .await;
        })
        .await;
    Ok(())
}
