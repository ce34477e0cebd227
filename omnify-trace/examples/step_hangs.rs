//! A step that hangs: `operation_stalled` within its budget and a second, with what it waits for.
//!
//! `cargo run --example step_hangs`, then watch `data/logs/backend.log`; it never ends by itself.

use std::time::Duration;

use omnify_trace::operation;

#[tokio::main]
async fn main() -> Result<(), omnify_trace::Error> {
    let _guard = omnify_trace::init()?;
    operation::workflow("order")
        .run_id("run-hangs")
        .run(async {
            operation::step("charge")
                .budget(Duration::from_millis(300))
                .run(async {
                    tracing::info!("asking the bank");
                    // A bank that takes the call and never answers.
                    operation::external_api("bank", "POST", "/charges")
                        .run(std::future::pending::<()>())
                        .await;
                })
                .await;
        })
        .await;
    Ok(())
}
