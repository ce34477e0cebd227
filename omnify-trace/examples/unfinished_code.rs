//! A `todo!()` in a step: `incomplete_code` with its place, and the run ends as failed.
//!
//! `cargo run --example unfinished_code`, then read `data/logs/backend.log`.
#![allow(clippy::todo, reason = "it is what the example is about")]

use omnify_trace::operation;

fn refund() -> u32 {
    todo!("refunds over 100 EUR")
}

#[tokio::main]
async fn main() -> Result<(), omnify_trace::Error> {
    let _guard = omnify_trace::init()?;
    let run = operation::workflow("refund")
        .run_id("run-unfinished")
        .run(async {
            operation::step("pay-back").run(async { refund() }).await;
        });
    let _ = omnify_trace::spawn("refund", run).await;
    Ok(())
}
