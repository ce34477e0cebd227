//! Operations: opening and closing one, traced locks beside the plain ones.

use std::{fs, hint::black_box, time::Duration};

use anyhow::{Context as _, Result, bail};
use omnify_trace::{
    JsonLayer,
    layer::NoSink,
    operation,
    sync::{Mutex, RwLock, future},
};
use tracing_subscriber::prelude::*;

use crate::{
    Options,
    child::{Case, Subject},
    report::Report,
    rounds,
};

type Measure<'a> = &'a mut dyn FnMut(&mut dyn FnMut(u64));

const OPERATION: &str = "open and close an operation";
const MUTEX: &str = "mutex, uncontended";
const READ: &str = "rwlock read, uncontended";
const ASYNC: &str = "async mutex, uncontended";
const WATCHDOG: &str = "watchdog";

/// What is measured here.
pub const CASES: &[Case] = &[
    Case {
        name: OPERATION,
        milliseconds: 10,
        subjects: &[
            Subject {
                name: "operation, no subscriber: registry and watchdog alone",
                run: without_subscriber,
            },
            Subject {
                name: "the same, 10,000 others open",
                run: with_many_open,
            },
            Subject {
                name: "operation with its span and event",
                run: with_events,
            },
            Subject {
                name: "a step with its span and both events",
                run: with_both_events,
            },
            Subject {
                name: "a plain span and event by hand",
                run: by_hand,
            },
        ],
    },
    Case {
        name: MUTEX,
        milliseconds: 10,
        subjects: &[
            Subject {
                name: "parking_lot::Mutex",
                run: plain_mutex,
            },
            Subject {
                name: "omnify_trace::sync::Mutex",
                run: traced_mutex,
            },
        ],
    },
    Case {
        name: READ,
        milliseconds: 10,
        subjects: &[
            Subject {
                name: "parking_lot::RwLock",
                run: plain_read,
            },
            Subject {
                name: "omnify_trace::sync::RwLock",
                run: traced_read,
            },
        ],
    },
    Case {
        name: ASYNC,
        milliseconds: 10,
        subjects: &[
            Subject {
                name: "tokio::sync::Mutex",
                run: plain_async,
            },
            Subject {
                name: "omnify_trace::sync::future::Mutex",
                run: traced_async,
            },
        ],
    },
];

/// Measures everything of this area.
///
/// # Errors
/// If a subject fails.
pub fn run(options: &Options) -> Result<Report> {
    let mut report = rounds::measure("operations", options)?;
    report.compare(OPERATION, "ns", "a plain span and event by hand");
    report.compare(MUTEX, "ns", "parking_lot::Mutex");
    report.compare(READ, "ns", "parking_lot::RwLock");
    report.compare(ASYNC, "ns", "tokio::sync::Mutex");
    let seconds = if options.quick { 2 } else { 20 };
    let share = watchdog(Duration::from_secs(seconds))?;
    let subject = "omnify_trace, 10,000 open operations";
    report.add("operations", WATCHDOG, subject, share, "% of a core");
    Ok(report)
}

/// What part of one core the watchdog's thread takes while 10,000 operations are open.
fn watchdog(time: Duration) -> Result<f64> {
    let open: Vec<_> = (0..10_000)
        .map(|_| operation::step("waits").start())
        .collect();
    let before = watchdog_ran()?;
    std::thread::sleep(time);
    let ran = watchdog_ran()?.saturating_sub(before);
    open.into_iter().for_each(operation::Active::complete);
    Ok(ran.as_secs_f64() / time.as_secs_f64() * 100.0)
}

/// How long the watchdog's thread has been on a processor since it began.
fn watchdog_ran() -> Result<Duration> {
    for task in fs::read_dir("/proc/self/task")? {
        let task = task?.path();
        if fs::read_to_string(task.join("comm"))?.trim() == "omnify-watchdog" {
            let times = fs::read_to_string(task.join("schedstat"))?;
            let first = times.split(' ').next().context("an empty schedstat")?;
            return Ok(Duration::from_nanos(first.parse()?));
        }
    }
    bail!("there is no watchdog")
}

fn one() {
    operation::external_api("crm", "GET", "/contacts/{id}").run_sync(|| black_box(()));
}

fn without_subscriber(measure: Measure<'_>) {
    measure(&mut |turns| (0..turns).for_each(|_| one()));
}

fn with_many_open(measure: Measure<'_>) {
    let open: Vec<_> = (0..10_000)
        .map(|_| operation::step("waits").start())
        .collect();
    without_subscriber(measure);
    open.into_iter().for_each(operation::Active::complete);
}

fn with_events(measure: Measure<'_>) {
    tracing_subscriber::registry()
        .with(JsonLayer::new(NoSink))
        .init();
    without_subscriber(measure);
}

fn with_both_events(measure: Measure<'_>) {
    tracing_subscriber::registry()
        .with(JsonLayer::new(NoSink))
        .init();
    measure(&mut |turns| {
        for _ in 0..turns {
            operation::step("charge").run_sync(|| black_box(()));
        }
    });
}

fn by_hand(measure: Measure<'_>) {
    tracing_subscriber::registry()
        .with(JsonLayer::new(NoSink))
        .init();
    measure(&mut |turns| {
        for _ in 0..turns {
            let span = tracing::error_span!("external_api", api = "crm");
            let start = std::time::Instant::now();
            span.in_scope(|| {
                black_box(());
                tracing::info!(
                    event_type = "external_api_call",
                    api = "crm",
                    method = "GET",
                    route = "/contacts/{id}",
                    duration_ms = start.elapsed().as_secs_f64() * 1e3,
                    "GET of crm answered",
                );
            });
        }
    });
}

fn plain_mutex(measure: Measure<'_>) {
    let lock = parking_lot::Mutex::new(0_u64);
    measure(&mut |turns| (0..turns).for_each(|_| *black_box(&lock).lock() += 1));
}

fn traced_mutex(measure: Measure<'_>) {
    let lock = Mutex::new(0_u64);
    measure(&mut |turns| (0..turns).for_each(|_| *black_box(&lock).lock() += 1));
}

fn plain_read(measure: Measure<'_>) {
    let lock = parking_lot::RwLock::new(0_u64);
    measure(&mut |turns| (0..turns).for_each(|_| _ = black_box(*black_box(&lock).read())));
}

fn traced_read(measure: Measure<'_>) {
    let lock = RwLock::new(0_u64);
    measure(&mut |turns| (0..turns).for_each(|_| _ = black_box(*black_box(&lock).read())));
}

/// The locks are free, so that their futures are ready at once and need no runtime.
fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

fn plain_async(measure: Measure<'_>) {
    let lock = tokio::sync::Mutex::new(0_u64);
    measure(&mut |turns| {
        for _ in 0..turns {
            if let Some(mut guard) = ready(black_box(&lock).lock()) {
                *guard += 1;
            }
        }
    });
}

fn traced_async(measure: Measure<'_>) {
    let lock = future::Mutex::new(0_u64);
    measure(&mut |turns| {
        for _ in 0..turns {
            if let Some(mut guard) = ready(black_box(&lock).lock()) {
                *guard += 1;
            }
        }
    });
}
