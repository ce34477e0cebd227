//! Panics in the middle of a run. Built with `panic = "abort"` the process ends there: the panic is
//! told all the same, and the next start tells `crash_detected` with the run, the step and the signal.
//!
//! `cargo run --example panic_aborts; cargo run --example ordinary`, then read `data/logs/backend.log`.
#![allow(clippy::unwrap_used, reason = "the panic is the point")]

use omnify_trace::operation;

fn main() -> Result<(), omnify_trace::Error> {
    let _guard = omnify_trace::init()?;
    operation::workflow("order")
        .run_id("run-aborts")
        .run_sync(|| {
            operation::step("charge").run_sync(|| {
                let charged: Option<u32> =
                    std::env::args().nth(7).and_then(|text| text.parse().ok());
                charged.ok_or("no charge").unwrap();
            });
        });
    Ok(())
}
