//! The browser logger's policy: what becomes a line, what it carries, when it is sent, what is dropped.
//!
//! The page's script (the npm package `@omnify/trace`, in `js/`) touches the DOM and the network and
//! tells what happened; this crate decides. It imports nothing: time and randomness come in as
//! arguments, so that every rule is tested without a browser. Lines are schema v1 of
//! `omnify_trace::schema`, without `service`.
//!
//! Size is the budget, so there are few functions with few arguments, and no `core::fmt`, no hash maps,
//! no JSON parser: one pass over bytes instead.
#![cfg_attr(all(feature = "module", target_arch = "wasm32"), no_std)]

extern crate alloc;

mod codes;
mod exports;
mod ids;
mod json;
mod limit;
mod line;
mod logger;
#[cfg(all(feature = "module", target_arch = "wasm32"))]
mod module;
mod origin;
mod queue;
mod redact;
mod request;
mod scan;
mod session;
mod time;
mod trace;

pub use exports::*;
