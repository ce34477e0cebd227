//! The sources of the journal's ring, as they are, with loom's atomics in the place of the
//! processor's. The models are theirs: `omnify-trace/src/journal/ring/models`.
#![cfg(test)]
#![allow(dead_code, unused_imports, reason = "half of the core is not here")]

mod journal;
#[path = "../../../omnify-trace/src/schema/mod.rs"]
mod schema;
