//! What a test can say about what was emitted.
//!
//! A capture belongs to its test and to everything that the test spawns; two tests that run at
//! the same time never see each other. Reports of the watchdog arrive in the capture of the
//! operation that they are about.
//!
//! ```
//! use omnify_trace::{EventType, operation, testing};
//!
//! let logs = testing::capture(|| {
//!     operation::workflow("order").run_sync(|| {
//!         operation::step("quote").run_sync(|| {});
//!         operation::step("charge").attempt(2).run_sync(|| {});
//!     });
//! });
//! logs.only(EventType::WorkflowComplete).context("workflow_id", "order");
//! logs.steps("charge")[0].extra("attempt", 2).extra("status", "started");
//! assert_eq!(logs.workflow("order").path(), "quote > charge");
//! logs.assert_clean();
//! ```
//!
//! With `#[omnify_trace::test]` a whole test is captured, on a runtime of its own, whose threads
//! and tasks are captured, too:
//!
//! ```
//! use omnify_trace::testing::Logs;
//!
//! #[omnify_trace::test]
//! async fn a_spawned_task_is_captured(logs: Logs) {
//!     tokio::spawn(async { tracing::info!("inside") }).await.unwrap();
//!     assert_eq!(logs.messages(), ["inside"]);
//! }
//! # fn main() {}
//! ```
#![allow(clippy::panic, reason = "assertions of tests fail by panicking")]

mod event;
mod logs;
mod path;
#[cfg(feature = "tokio")]
mod runtime;
mod tree;

pub use event::Event;
pub use logs::{Logs, capture, capture_with};
pub use path::Workflow;
#[cfg(feature = "tokio")]
pub use runtime::capture_async;
#[cfg(feature = "tokio")]
#[doc(hidden)]
pub use runtime::{Flavor, block_on};
pub use tree::Span;
