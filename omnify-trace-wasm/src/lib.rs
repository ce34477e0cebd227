//! The browser logger's policy: what becomes a line, what it carries, when it is sent, what is dropped.
//!
//! The page's script (the npm package `@omnify/trace`, in `js/`) touches the DOM and the network; this
//! crate decides. It imports nothing: time and randomness come in as arguments, so that every rule is
//! tested without a browser. Lines are schema v1 of `omnify_trace::schema`, without `service`.
//!
//! Size is the budget: no `core::fmt`, no hash maps, no JSON parser; one pass over bytes instead.
#![cfg_attr(all(feature = "module", target_arch = "wasm32"), no_std)]

extern crate alloc;

mod ids;
mod json;
mod limit;
mod line;
mod logger;
#[cfg(all(feature = "module", target_arch = "wasm32"))]
mod module;
mod queue;
mod redact;
mod request;
mod session;
mod time;
mod trace;
mod url;
mod vitals;

pub use logger::Core;
