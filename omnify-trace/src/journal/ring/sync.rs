//! The atomics that threads and processes share: the processor's, or those of loom, which runs the
//! same code in every order that the memory model allows (see `models`).

#[cfg(not(all(test, loom)))]
pub(in crate::journal) use std::sync::atomic::{AtomicU64, AtomicUsize, fence};

#[cfg(all(test, loom))]
pub(in crate::journal) use super::models::memory::AtomicU64;
#[cfg(all(test, loom))]
pub(in crate::journal) use loom::sync::atomic::{AtomicUsize, fence};
