//! Two threads that deadlock over blocking locks: one `deadlock_detected` within a second.
//!
//! `cargo run --example deadlock_of_threads`, then watch `data/logs/backend.log`.

use std::sync::{Arc, Barrier};

use omnify_trace::operation;
use omnify_trace::sync::Mutex;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _guard = omnify_trace::init()?;
    let stock = Arc::new(Mutex::named("stock", 3));
    let ledger = Arc::new(Mutex::named("ledger", 0));
    let both_hold_one = Arc::new(Barrier::new(2));
    let mut threads = vec![];
    for (run, first, second) in [
        ("run-sells", stock.clone(), ledger.clone()),
        ("run-counts", ledger, stock),
    ] {
        let both = Arc::clone(&both_hold_one);
        threads.push(omnify_trace::thread(run, move || {
            operation::workflow("shop").run_id(run).run_sync(|| {
                let _first = first.lock();
                both.wait();
                let _second = second.lock();
            });
        })?);
    }
    for thread in threads {
        let _ = thread.join();
    }
    Ok(())
}
