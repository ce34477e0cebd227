//! Log store, analysis and admin API for omnify-trace.

pub mod store;
