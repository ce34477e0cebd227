//! Locks that suspend their task.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use omnify_trace::sync::future::{Mutex, RwLock};
//! let stock = Mutex::named("stock", 3);
//! *stock.lock().await -= 1;
//! assert_eq!(*stock.lock().await, 2);
//! let prices = RwLock::new(vec![1]);
//! prices.write().await.push(2);
//! assert_eq!(prices.read().await.len(), 2);
//! # }
//! ```

mod mutex;
mod rwlock;

pub use mutex::{Mutex, MutexGuard};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
