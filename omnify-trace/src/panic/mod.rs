//! The panic hook: one structured event for each panic, with where, why and in which context.
//!
//! `todo!`, `unimplemented!` and `unreachable!` become `incomplete_code`, a work list of its
//! own ([`incomplete_code`]); every other panic becomes `panic`, with its [`Category`] as far as
//! the message tells. The earlier hook runs afterwards. A panic while a panic is reported is left
//! to the earlier hook alone.
//!
//! ```
//! omnify_trace::panic::install();
//! ```

mod category;
mod hook;
mod work_list;

pub use category::{Category, Confidence, Incomplete, category, incomplete};
pub use hook::install;
pub use work_list::{IncompleteCode, incomplete_code};

pub(crate) use hook::last_message;
