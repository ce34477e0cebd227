//! Ordinary mixed load, and not one report.
//!
//! The long form is in the slow group: `OMNIFY_SOAK_SECONDS=600 cargo test --test no_false_alarms -- --ignored`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use omnify_trace::sync::{self, future};
use omnify_trace::testing::Logs;
use omnify_trace::{EventType, operation};

/// Beyond this a capture is not kept in memory. Going through it blocks whoever writes a line
/// meanwhile: it must not take long, or the watchdog is right to report the workers.
const MOST_EVENTS: usize = 2_000;

struct Shop {
    stock: future::Mutex<u64>,
    prices: future::RwLock<u64>,
    ledger: sync::Mutex<u64>,
    config: sync::RwLock<u64>,
}

async fn order(shop: Arc<Shop>, number: u64) {
    let nap = |ms: u64| tokio::time::sleep(Duration::from_millis(ms));
    operation::step("quote")
        .run(async {
            let _price = shop.prices.read().await;
            nap(number % 7).await;
        })
        .await;
    let reserve = operation::step("reserve").run(async {
        let mut stock = shop.stock.lock().await;
        nap(number % 3).await;
        *stock += 1;
        drop(stock);
        *shop.ledger.lock() += *shop.config.read();
    });
    let notify = operation::step("notify").run(async {
        let call = operation::external_api("mail", "POST", "/send");
        call.run(nap(number % 11)).await;
    });
    tokio::join!(reserve, notify);
    if number.is_multiple_of(50) {
        *shop.prices.write().await += 1;
        *shop.config.write() += 1;
        let work = || std::thread::sleep(Duration::from_millis(30));
        omnify_trace::spawn_blocking("report", work).await.unwrap();
    }
    if number.is_multiple_of(97) {
        let approval = operation::step("approval").budget(Duration::from_millis(100));
        approval.run(operation::waiting_for_human(nap(1_500))).await;
    }
}

async fn load(seconds: u64, logs: Logs) {
    let shop = Arc::new(Shop {
        stock: future::Mutex::new(0),
        prices: future::RwLock::new(1),
        ledger: sync::Mutex::new(0),
        config: sync::RwLock::new(1),
    });
    let end = Instant::now() + Duration::from_secs(seconds);
    let orders = Arc::new(AtomicU64::new(0));
    let mut customers = vec![];
    for _ in 0..8 {
        let (shop, orders) = (Arc::clone(&shop), Arc::clone(&orders));
        customers.push(omnify_trace::spawn("customer", async move {
            while Instant::now() < end {
                let number = orders.fetch_add(1, Ordering::Relaxed);
                operation::workflow("order")
                    .run(order(Arc::clone(&shop), number))
                    .await;
            }
        }));
    }
    for customer in customers {
        while !customer.is_finished() {
            tokio::time::sleep(Duration::from_millis(50)).await;
            forget_ordinary(&logs);
        }
        customer.await.unwrap();
    }
    for report in [
        EventType::OperationStalled,
        EventType::OperationRecovered,
        EventType::DeadlockDetected,
        EventType::RuntimeStalled,
        EventType::Panic,
        EventType::WorkflowError,
    ] {
        logs.none(report);
    }
    assert!(
        orders.load(Ordering::Relaxed) > 50 * seconds,
        "hardly any load"
    );
}

/// Reports are rare and stay; the rest may not fill the memory.
fn forget_ordinary(logs: &Logs) {
    if logs.len() > MOST_EVENTS {
        logs.retain(|line| {
            [
                "stalled",
                "deadlock_detected",
                "operation_recovered",
                "\"panic\"",
                "workflow_error",
            ]
            .iter()
            .any(|report| line.contains(report))
        });
    }
}

#[omnify_trace::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_seconds_of_ordinary_load(logs: Logs) {
    load(3, logs).await;
}

#[omnify_trace::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: ten minutes"]
async fn ten_minutes_of_ordinary_load(logs: Logs) {
    let seconds = std::env::var("OMNIFY_SOAK_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok());
    load(seconds.unwrap_or(600), logs).await;
}
