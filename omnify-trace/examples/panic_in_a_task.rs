//! A panic in a spawned task: `panic` with place, thread, backtrace and the run's context.
//!
//! `cargo run --example panic_in_a_task`, then read `data/logs/backend.log`.

use omnify_trace::operation;

#[tokio::main]
async fn main() -> Result<(), omnify_trace::Error> {
    let _guard = omnify_trace::init()?;
    operation::workflow("order")
        .run_id("run-panics")
        .run(async {
            let ordered: Vec<u32> = Vec::new();
            let task = omnify_trace::spawn("count", async move {
                operation::step("count")
                    .run(async { ordered[std::hint::black_box(3)] })
                    .await
            });
            match task.await {
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            }
        })
        .await
        .unwrap_or_default();
    Ok(())
}
