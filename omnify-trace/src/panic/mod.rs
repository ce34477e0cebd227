//! The panic hook: one structured event for each panic, with where, why and in which context.
//!
//! `todo!`, `unimplemented!` and `unreachable!` become `incomplete_code`, a work list of its
//! own; every other panic becomes `panic`. The earlier hook runs afterwards.
//!
//! ```
//! omnify_trace::panic::install();
//! ```

mod category;
mod hook;

pub use category::{Incomplete, incomplete};
pub use hook::install;

pub(crate) use hook::last_message;
