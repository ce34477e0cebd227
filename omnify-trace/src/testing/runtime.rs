//! Captures of async code.

use std::cell::RefCell;

use tracing::dispatcher::{self, DefaultGuard};
use tracing::instrument::WithSubscriber;

use super::Logs;
use crate::layer::Clock;

/// Runs a future and captures what it emits, and what it spawns with [`crate::spawn()`].
pub async fn capture_async(future: impl Future<Output = ()>) -> Logs {
    let (logs, dispatch) = Logs::start(Clock::default());
    future.with_subscriber(dispatch).await;
    logs
}

/// Which runtime a test gets.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Flavor {
    CurrentThread,
    MultiThread(usize),
}

/// Runs a test's body on a runtime of its own, each thread of which is captured.
#[doc(hidden)]
#[track_caller]
pub fn block_on<T, F: Future<Output = T>>(flavor: Flavor, body: impl FnOnce(Logs) -> F) -> T {
    thread_local! {
        static GUARD: RefCell<Option<DefaultGuard>> = const { RefCell::new(None) };
    }
    let (logs, dispatch) = Logs::start(Clock::default());
    let mut builder = match flavor {
        Flavor::CurrentThread => tokio::runtime::Builder::new_current_thread(),
        Flavor::MultiThread(workers) => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.worker_threads(workers);
            builder
        }
    };
    let of_thread = dispatch.clone();
    let runtime = builder
        .enable_all()
        .on_thread_start(move || {
            let guard = dispatcher::set_default(&of_thread);
            GUARD.with(|place| *place.borrow_mut() = Some(guard));
        })
        .on_thread_stop(|| GUARD.with(|place| drop(place.borrow_mut().take())))
        .build();
    match runtime {
        Ok(runtime) => dispatcher::with_default(&dispatch, || runtime.block_on(body(logs))),
        Err(error) => panic!("no runtime for this test: {error}"),
    }
}
