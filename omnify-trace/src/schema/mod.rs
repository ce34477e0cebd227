//! Schema v1 of a log line: names that the writer, the store, the browser logger and the
//! dashboard share. Compiles for wasm32 without an allocator in use: constants and the calendar only.
//!
//! `docs/log-schema.md` says what each field means; the JSON Schema beside it is tested
//! against real output.

pub mod event_type;
pub mod fields;
pub mod stream;
pub mod time;

pub use event_type::EventType;
pub use stream::Stream;

/// The version of the line format. It changes only when a reader of the old one would misread.
pub const VERSION: u32 = 1;
