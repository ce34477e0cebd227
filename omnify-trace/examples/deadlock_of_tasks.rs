//! Two tasks that deadlock over async locks: one `deadlock_detected` within a second.
//!
//! `cargo run --example deadlock_of_tasks`, then watch `data/logs/backend.log`.

use std::sync::Arc;

use omnify_trace::operation;
use omnify_trace::sync::future::Mutex;
use tokio::sync::Barrier;

async fn transfer(from: Arc<Mutex<i64>>, to: Arc<Mutex<i64>>, both_hold_one: Arc<Barrier>) {
    let mut from = from.lock().await;
    both_hold_one.wait().await;
    let mut to = to.lock().await;
    *from -= 1;
    *to += 1;
}

#[tokio::main]
async fn main() -> Result<(), omnify_trace::Error> {
    let _guard = omnify_trace::init()?;
    let alice = Arc::new(Mutex::named("account of Alice", 100));
    let bob = Arc::new(Mutex::named("account of Bob", 100));
    let both = Arc::new(Barrier::new(2));
    let one = omnify_trace::spawn(
        "there",
        operation::workflow("transfer")
            .run_id("run-there")
            .run(transfer(alice.clone(), bob.clone(), both.clone())),
    );
    let two = omnify_trace::spawn(
        "back",
        operation::workflow("transfer")
            .run_id("run-back")
            .run(transfer(bob, alice, both)),
    );
    let _ = tokio::join!(one, two);
    Ok(())
}
