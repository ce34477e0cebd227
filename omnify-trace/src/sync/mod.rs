//! Locks that know who holds them and who waits.
//!
//! [`Mutex`] and [`RwLock`] block their thread (they stand on `parking_lot`, and so do without
//! poisoning); those in [`future`] suspend their task (they stand on tokio's). While one waits,
//! the operation around it has the wait kind `lock`; a cycle of waits across any mix of them is
//! reported as `deadlock_detected` with every party's context and both its call sites.
//!
//! ```
//! let stock = omnify_trace::sync::Mutex::named("stock", 3);
//! *stock.lock() -= 1;
//! assert_eq!(*stock.lock(), 2);
//! ```
//!
//! [`future`] also has a semaphore and channels: a wait for them is known, too, and is part of
//! cycles. What lives here: `blocking` and `future` (the locks), `party` (who), `meta` (who holds),
//! `wait` (who waits), `deadlock` (cycles, and what reports say of locks).

mod blocking;
pub(crate) mod deadlock;
#[cfg(feature = "tokio")]
pub mod future;
mod meta;
mod party;
mod shapes;
mod wait;

pub use blocking::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
