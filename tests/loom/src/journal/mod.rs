//! As much of the journal as the ring needs.

#[path = "../../../../omnify-trace/src/journal/frame.rs"]
mod frame;
#[path = "../../../../omnify-trace/src/journal/header.rs"]
mod header;
#[path = "../../../../omnify-trace/src/journal/ring/mod.rs"]
mod ring;
