//! Ends by a SIGKILL, as the kernel sends when memory runs out in the middle of a run: the next start tells `crash_detected`
//! and names the run and the step that were in flight.
//!
//! `cargo run --example killed; cargo run --example ordinary`, then read `data/logs/backend.log`.

use omnify_trace::operation;
use rustix::process::{Signal, getpid, kill_process};

#[tokio::main]
async fn main() -> Result<(), omnify_trace::Error> {
    let _guard = omnify_trace::init()?;
    operation::workflow("order")
        .run_id("run-killed")
        .run(async {
            operation::step("charge")
                .run(async {
                    let _ = kill_process(getpid(), Signal::KILL);
                    std::future::pending::<()>().await;
                })
                .await;
        })
        .await;
    Ok(())
}
