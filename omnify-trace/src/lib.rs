//! Structured JSON logs, correlation context and workflow visibility for Rust services.
//!
//! See the repository's `docs/ARCHITECTURE.md` for the map of the house.

pub mod propagation;
pub mod schema;

#[cfg(feature = "runtime")]
pub mod journal;
#[cfg(feature = "runtime")]
pub mod operation;
#[cfg(feature = "runtime")]
pub mod panic;

#[cfg(feature = "macros")]
pub use omnify_trace_macros::{agent, db_query, external_api, step, workflow};

/// What the macros' code refers to. Not for hands.
#[doc(hidden)]
#[cfg(feature = "macros")]
pub mod __private {
    pub use {inventory, tracing};
}
