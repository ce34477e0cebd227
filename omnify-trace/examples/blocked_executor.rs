//! An executor blocked by a synchronous call: `runtime_stalled` names the step that blocks it.
//!
//! `cargo run --example blocked_executor`, then watch `data/logs/backend.log`.

use std::time::Duration;

use omnify_trace::operation;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), omnify_trace::Error> {
    let _guard = omnify_trace::init()?;
    operation::workflow("report")
        .run_id("run-blocks")
        .run(async {
            operation::step("render")
                // Should have been `spawn_blocking`.
                .run(async { std::thread::sleep(Duration::from_secs(4)) })
                .await;
        })
        .await;
    Ok(())
}
