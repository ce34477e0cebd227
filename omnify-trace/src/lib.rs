//! Structured JSON logs, correlation context and workflow visibility for Rust services.
//!
//! ```no_run
//! fn main() -> Result<(), omnify_trace::Error> {
//!     let _guard = omnify_trace::init()?;
//!     tracing::info!(answer = 42, "ready");
//!     Ok(())
//! }
//! ```
//! See the repository's `docs/ARCHITECTURE.md` for the map of the house.
#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "std")]
pub mod context;
#[cfg(feature = "runtime")]
pub mod error;
#[cfg(feature = "runtime")]
pub mod exposition;
#[cfg(feature = "runtime")]
pub mod journal;
#[cfg(feature = "runtime")]
pub mod layer;
#[cfg(feature = "runtime")]
pub mod operation;
#[cfg(feature = "runtime")]
pub mod panic;
#[cfg(feature = "std")]
pub mod propagation;
#[cfg(feature = "std")]
pub mod redact;
pub mod schema;
#[cfg(feature = "runtime")]
pub mod setup;
#[cfg(feature = "runtime")]
pub mod spawn;
#[cfg(feature = "runtime")]
pub mod sync;
#[cfg(feature = "runtime")]
pub mod testing;

#[cfg(feature = "std")]
pub use context::CorrelationContext;
#[cfg(feature = "runtime")]
pub use error::Error;
#[cfg(feature = "runtime")]
pub use layer::{JsonLayer, Sink, emit_line};
#[cfg(feature = "macros")]
pub use omnify_trace_macros::{agent, db_query, external_api, step, test, workflow};
#[cfg(feature = "std")]
pub use redact::Secret;
pub use schema::{EventType, Stream};
#[cfg(feature = "runtime")]
pub use setup::{Environment, Telemetry, init};
#[cfg(feature = "runtime")]
pub use spawn::thread;
#[cfg(feature = "tokio")]
pub use spawn::{spawn, spawn_blocking};

/// What the macros' code refers to. Not for hands.
#[doc(hidden)]
#[cfg(feature = "macros")]
pub mod __private {
    pub use {inventory, tracing};
}
