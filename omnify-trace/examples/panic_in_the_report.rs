//! A panic whose message panics itself: Rust ends such a process at once. What was written before is
//! kept, and the next start tells `crash_detected` with the run, the step and the signal.
//!
//! `cargo run --example panic_in_the_report; cargo run --example ordinary`, then read `data/logs/backend.log`.
#![allow(clippy::panic, reason = "the panic is the point")]

use std::fmt;

use omnify_trace::operation;

struct Odd;

impl fmt::Display for Odd {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("inside the message")
    }
}

fn main() -> Result<(), omnify_trace::Error> {
    let _guard = omnify_trace::init()?;
    operation::workflow("order").run_id("run-odd").run_sync(|| {
        operation::step("charge").run_sync_any(|| panic!("{Odd}"));
    });
    Ok(())
}
