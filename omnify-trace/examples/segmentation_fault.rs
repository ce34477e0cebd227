//! Ends by a segmentation fault in the middle of a run: the next start tells `crash_detected`
//! and names the run and the step that were in flight.
//!
//! `cargo run --example segmentation_fault; cargo run --example ordinary`, then read `data/logs/backend.log`.

use omnify_trace::operation;
use rustix::process::{Signal, getpid, kill_process};

#[tokio::main]
async fn main() -> Result<(), omnify_trace::Error> {
    let _guard = omnify_trace::init()?;
    operation::workflow("order")
        .run_id("run-segv")
        .run(async {
            operation::step("charge")
                .run(async {
                    // Rust's own handler takes the first and stands back; a real fault comes again.
                    for _ in 0..2 {
                        let _ = kill_process(getpid(), Signal::SEGV);
                    }
                    std::future::pending::<()>().await;
                })
                .await;
        })
        .await;
    Ok(())
}
