//! Cycles of lock waits are reported with every party's context and call sites; others are not.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use omnify_trace::layer::{JsonLayer, MemorySink};
use omnify_trace::operation::{self, Settings};
use omnify_trace::sync::{self, future};
use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt;

const PERIOD: Duration = Duration::from_millis(400);

fn captured<T>(run: impl FnOnce(&MemorySink) -> T) -> Vec<Value> {
    Settings::new().period(PERIOD).apply();
    let sink = MemorySink::new();
    let subscriber = tracing_subscriber::registry().with(JsonLayer::new(sink.clone()));
    tracing::subscriber::with_default(subscriber, || run(&sink));
    sink.events()
}

fn deadlocks(events: &[Value]) -> Vec<&Value> {
    events
        .iter()
        .filter(|event| event["event_type"] == "deadlock_detected")
        .collect()
}

fn poll_for_deadlock(sink: &MemorySink) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while deadlocks(&sink.events()).is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn parties(event: &Value) -> &Vec<Value> {
    event["extra"]["parties"].as_array().unwrap()
}

/// Both take their first lock, meet, and ask for the other's.
async fn cross(
    first: Arc<future::Mutex<u8>>,
    second: Arc<future::Mutex<u8>>,
    met: Arc<tokio::sync::Barrier>,
) {
    let _first = first.lock().await;
    met.wait().await;
    let _second = second.lock().await;
}

#[test]
fn two_tasks_over_async_locks() {
    let events = captured(|sink| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (a, b) = (
                future::Mutex::named("stock", 0),
                future::Mutex::named("ledger", 0),
            );
            let (a, b) = (Arc::new(a), Arc::new(b));
            let met = Arc::new(tokio::sync::Barrier::new(2));
            let one = tokio::spawn(operation::workflow("order").run_id("run-1").run(cross(
                a.clone(),
                b.clone(),
                met.clone(),
            )));
            let two = tokio::spawn(
                operation::workflow("refund")
                    .run_id("run-2")
                    .run(cross(b, a, met)),
            );
            let deadline = Instant::now() + Duration::from_secs(20);
            while deadlocks(&sink.events()).is_empty() && Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            one.abort();
            two.abort();
        });
    });
    let found = deadlocks(&events);
    assert_eq!(found.len(), 1, "{events:#?}");
    let parties = parties(found[0]);
    assert_eq!(parties.len(), 2);
    let of = |run: &str| {
        parties
            .iter()
            .find(|p| p["context"]["run_id"] == run)
            .unwrap()
    };
    let (order, refund) = (of("run-1"), of("run-2"));
    assert_eq!(
        (&order["holds"], &order["waits_for"]),
        (&"stock".into(), &"ledger".into())
    );
    assert_eq!(
        (&refund["holds"], &refund["waits_for"]),
        (&"ledger".into(), &"stock".into())
    );
    for party in parties {
        assert!(
            party["held_at"]
                .as_str()
                .unwrap()
                .contains("both_sides.rs:"),
            "{party}"
        );
        assert!(
            party["waits_at"]
                .as_str()
                .unwrap()
                .contains("both_sides.rs:"),
            "{party}"
        );
        assert_ne!(party["held_at"], party["waits_at"]);
        assert!(party["waits_ms"].as_f64().unwrap() < 1_000.0, "{party}");
    }
    assert_eq!(found[0]["level"], "ERROR");
}

#[test]
fn two_parallel_steps_of_one_task() {
    let events = captured(|sink| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(operation::workflow("w").run(async {
            let (a, b) = (
                Arc::new(future::Mutex::new(0)),
                Arc::new(future::Mutex::new(0)),
            );
            let met = Arc::new(tokio::sync::Barrier::new(2));
            let one = operation::step("one").run(cross(a.clone(), b.clone(), met.clone()));
            let two = operation::step("two").run(cross(b, a, met));
            let told = async {
                let deadline = Instant::now() + Duration::from_secs(20);
                while deadlocks(&sink.events()).is_empty() && Instant::now() < deadline {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            tokio::select! {
                _ = async { tokio::join!(one, two) } => unreachable!(),
                () = told => {}
            }
        }));
    });
    let found = deadlocks(&events);
    assert_eq!(found.len(), 1, "{events:#?}");
    let mut steps: Vec<_> = parties(found[0])
        .iter()
        .map(|p| p["context"]["step_id"].as_str().unwrap())
        .collect();
    steps.sort_unstable();
    assert_eq!(steps, ["one", "two"]);
}

/// Two threads that lock in opposite order: the watchdog tells, and nobody can help them, so
/// they are left behind.
fn opposite_threads(lock_second: fn(&sync::Mutex<u8>)) -> Vec<Value> {
    captured(|sink| {
        let a: &'static _ = Box::leak(Box::new(sync::Mutex::named("a", 0)));
        let b: &'static _ = Box::leak(Box::new(sync::Mutex::named("b", 0)));
        let met: &'static Barrier = Box::leak(Box::new(Barrier::new(2)));
        for (name, first, second) in [("left", a, b), ("right", b, a)] {
            let thread = omnify_trace::thread(name, move || {
                operation::step(name).run_sync(|| {
                    let _first = first.lock();
                    met.wait();
                    lock_second(second);
                });
            });
            drop(thread.unwrap());
        }
        poll_for_deadlock(sink);
    })
}

#[test]
fn two_threads_over_blocking_locks() {
    let events = opposite_threads(|second| drop(second.lock()));
    let found = deadlocks(&events);
    assert_eq!(found.len(), 1, "{events:#?}");
    let mut steps: Vec<_> = parties(found[0])
        .iter()
        .map(|p| p["context"]["step_id"].as_str().unwrap())
        .collect();
    steps.sort_unstable();
    assert_eq!(steps, ["left", "right"]);
}

#[test]
fn a_task_and_a_thread_across_both_kinds() {
    let events = captured(|sink| {
        let asynchronous: &'static _ = Box::leak(Box::new(future::Mutex::named("async", 0)));
        let blocking: &'static _ = Box::leak(Box::new(sync::Mutex::named("blocking", 0)));
        let met: &'static Barrier = Box::leak(Box::new(Barrier::new(2)));
        let one = omnify_trace::thread("runs a task", move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap();
            runtime.block_on(operation::step("task").run(async {
                let _first = asynchronous.lock().await;
                met.wait();
                let _second = blocking.lock();
            }));
        });
        let two = omnify_trace::thread("blocks", move || {
            let _first = blocking.lock();
            met.wait();
            let _second = asynchronous.blocking_lock();
        });
        drop((one.unwrap(), two.unwrap()));
        poll_for_deadlock(sink);
    });
    let found = deadlocks(&events);
    assert_eq!(found.len(), 1, "{events:#?}");
    let held: Vec<_> = parties(found[0])
        .iter()
        .map(|p| p["holds"].as_str().unwrap())
        .collect();
    assert!(
        held.contains(&"async") && held.contains(&"blocking"),
        "{held:?}"
    );
}

#[test]
fn a_thread_that_locks_twice_waits_for_itself() {
    let events = captured(|sink| {
        let lock: &'static _ = Box::leak(Box::new(sync::RwLock::named("config", 0)));
        let thread = omnify_trace::thread("upgrade", move || {
            let _read = lock.read();
            let _write = lock.write();
        });
        drop(thread.unwrap());
        poll_for_deadlock(sink);
    });
    let found = deadlocks(&events);
    assert_eq!(found.len(), 1, "{events:#?}");
    assert_eq!(parties(found[0]).len(), 1);
}

#[test]
fn branches_of_one_task_that_share_a_lock_are_no_deadlock() {
    let events = captured(|_| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(operation::workflow("w").run(async {
            let lock = future::Mutex::new(0);
            let branch = || async {
                let mut guard = lock.lock().await;
                tokio::time::sleep(PERIOD).await;
                *guard += 1;
            };
            tokio::join!(branch(), branch(), branch());
            assert_eq!(lock.into_inner(), 3);
        }));
    });
    assert!(deadlocks(&events).is_empty(), "{events:#?}");
}

#[test]
fn a_stuck_report_names_the_lock_and_its_holder() {
    let events = captured(|sink| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let lock = future::RwLock::named("prices", 0);
            let stalled = || {
                sink.events()
                    .iter()
                    .any(|e| e["event_type"] == "operation_stalled")
            };
            let holder = operation::step("holder").run(async {
                let _guard = lock.write().await;
                let deadline = Instant::now() + Duration::from_secs(20);
                while !stalled() && Instant::now() < deadline {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            });
            let waiter = operation::step("waiter")
                .budget(Duration::from_millis(50))
                .run(async {
                    assert_eq!(*lock.read().await, 0);
                });
            tokio::join!(holder, waiter);
        });
    });
    let stalled = events
        .iter()
        .find(|e| e["event_type"] == "operation_stalled")
        .unwrap();
    assert_eq!(stalled["extra"]["wait_kind"], "lock");
    assert_eq!(stalled["context"]["step_id"], "waiter");
    let lock = &stalled["extra"]["locks"][0];
    assert_eq!(lock["lock"], "prices");
    assert_eq!(lock["holders"][0]["operation"], "holder");
    assert!(deadlocks(&events).is_empty());
}

fn current_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// Runs until a deadlock is told, which stops everything.
async fn told_in_time(sink: &MemorySink, work: impl Future<Output = ()>) {
    let told = async {
        let deadline = Instant::now() + Duration::from_secs(20);
        while deadlocks(&sink.events()).is_empty() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! { () = told => {}, () = work => {} }
}

#[test]
fn a_semaphore_and_a_lock() {
    let events = captured(|sink| {
        let permits = future::Semaphore::named("calls", 1);
        let stock = Arc::new(future::Mutex::named("stock", 0));
        let met = Arc::new(tokio::sync::Barrier::new(2));
        current_thread().block_on(told_in_time(sink, async {
            let calls = {
                let (permits, stock, met) = (permits.clone(), Arc::clone(&stock), Arc::clone(&met));
                omnify_trace::spawn(
                    "calls",
                    operation::workflow("calls").run_id("c").run(async move {
                        let _permit = permits.acquire().await.unwrap();
                        met.wait().await;
                        let _stock = stock.lock().await;
                    }),
                )
            };
            let sells = omnify_trace::spawn(
                "sells",
                operation::workflow("sells").run_id("s").run(async move {
                    let _stock = stock.lock().await;
                    met.wait().await;
                    let _permit = permits.acquire().await.unwrap();
                }),
            );
            calls.await.unwrap();
            sells.await.unwrap();
        }));
    });
    let told = deadlocks(&events);
    assert_eq!(told.len(), 1, "{events:#?}");
    let parties = parties(told[0]);
    let of = |run: &str| {
        parties
            .iter()
            .find(|p| p["context"]["run_id"] == run)
            .unwrap()
    };
    assert_eq!(
        (&of("c")["holds"], &of("c")["waits_for"]),
        (&"calls".into(), &"stock".into())
    );
    assert_eq!(
        (&of("s")["holds"], &of("s")["waits_for"]),
        (&"stock".into(), &"calls".into())
    );
}

#[test]
fn a_semaphore_with_another_holder_who_goes_on_is_no_deadlock() {
    let events = captured(|_| {
        let permits = future::Semaphore::named("calls", 2);
        let stock = Arc::new(future::Mutex::named("stock", 0));
        let met = Arc::new(tokio::sync::Barrier::new(3));
        current_thread().block_on(async {
            let other = {
                let (permits, met) = (permits.clone(), Arc::clone(&met));
                omnify_trace::spawn(
                    "other",
                    operation::workflow("other").run(async move {
                        let permit = permits.acquire().await.unwrap();
                        met.wait().await;
                        tokio::time::sleep(PERIOD * 3).await;
                        drop(permit);
                    }),
                )
            };
            let calls = {
                let (permits, stock, met) = (permits.clone(), Arc::clone(&stock), Arc::clone(&met));
                omnify_trace::spawn(
                    "calls",
                    operation::workflow("calls").run(async move {
                        let permit = permits.acquire().await.unwrap();
                        met.wait().await;
                        let _stock = stock.lock().await;
                        drop(permit);
                    }),
                )
            };
            operation::workflow("sells")
                .run(async {
                    let stock = stock.lock().await;
                    met.wait().await;
                    let _permit = permits.acquire().await.unwrap();
                    drop(stock);
                })
                .await;
            other.await.unwrap();
            calls.await.unwrap();
        });
    });
    assert!(deadlocks(&events).is_empty(), "{events:#?}");
}

#[test]
fn two_tasks_that_wait_for_each_others_messages() {
    let events = captured(|sink| {
        let (to_b, mut from_a) = future::channel::<u8>("a to b", 1);
        let (to_a, mut from_b) = future::channel::<u8>("b to a", 1);
        current_thread().block_on(told_in_time(sink, async {
            let a = omnify_trace::spawn(
                "a",
                operation::workflow("a").run_id("a").run(async move {
                    let to_b = to_b.here();
                    from_b.recv().await;
                    to_b.send(1).await.unwrap();
                }),
            );
            let b = omnify_trace::spawn(
                "b",
                operation::workflow("b").run_id("b").run(async move {
                    let to_a = to_a.here();
                    from_a.recv().await;
                    to_a.send(1).await.unwrap();
                }),
            );
            a.await.unwrap();
            b.await.unwrap();
        }));
    });
    let told = deadlocks(&events);
    assert_eq!(told.len(), 1, "{events:#?}");
    let mut waits: Vec<_> = parties(told[0])
        .iter()
        .map(|p| p["waits_for"].as_str().unwrap())
        .collect();
    waits.sort_unstable();
    assert_eq!(waits, ["a to b", "b to a"]);
}

#[test]
fn channels_carry_what_they_are_given() {
    current_thread().block_on(async {
        let (sender, mut receiver) = future::channel("numbers", 1);
        let second = sender.clone();
        let filling = async {
            for number in 0..100 {
                sender.send(number).await.unwrap();
            }
            drop(sender);
            assert!(second.try_send(100).is_err() || second.try_send(101).is_err());
            drop(second);
        };
        let (_, sum) = tokio::join!(filling, async {
            let mut sum = 0;
            while let Some(number) = receiver.recv().await {
                sum += number;
                if number == 99 {
                    break;
                }
            }
            sum
        });
        assert_eq!(sum, 4950);
        let (answer, question) = future::oneshot("reply");
        let ask = async { question.recv().await };
        let (answered, sent) = tokio::join!(ask, async { answer.here().send(7) });
        assert_eq!((answered, sent), (Ok(7), Ok(())));
        let (answer, question) = future::oneshot::<u8>("dropped");
        drop(answer);
        assert!(question.recv().await.is_err());
    });
}

#[test]
fn a_step_that_waits_for_a_message_says_so() {
    let events = captured(|sink| {
        let (_sender, mut receiver) = future::channel::<u8>("orders", 1);
        current_thread().block_on(async {
            let told = async {
                while !sink
                    .events()
                    .iter()
                    .any(|e| e["event_type"] == "operation_stalled")
                {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            let step = operation::step("next").budget(Duration::from_millis(50));
            let wait = step.run(async { receiver.recv().await });
            let limit = Duration::from_secs(20);
            tokio::time::timeout(limit, async {
                tokio::select! { () = told => {}, _ = wait => {} }
            })
            .await
            .unwrap();
        });
    });
    let told = events
        .iter()
        .find(|e| e["event_type"] == "operation_stalled")
        .unwrap();
    assert_eq!(told["extra"]["wait_kind"], "channel");
    assert_eq!(told["extra"]["locks"][0]["lock"], "orders");
}
