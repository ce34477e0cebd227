//! The browser logger: a toolchain that knows wasm32, the module, its glue, its tests.

mod distribution;
mod package;
mod runner;
mod toolchain;

pub(crate) use package::build;
pub(crate) use runner::test;
pub(crate) use toolchain::ensure_toolchain;

/// The target triple.
const TARGET: &str = "wasm32-unknown-unknown";
/// The crate that becomes the module.
const PACKAGE: &str = "omnify-trace-wasm";
