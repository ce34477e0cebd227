//! Locks, a semaphore and channels that suspend their task.
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
//! let calls = omnify_trace::sync::future::Semaphore::named("calls to the bank", 2);
//! let permit = calls.acquire().await.unwrap();
//! assert_eq!(calls.available_permits(), 1);
//! # }
//! ```

mod channel;
mod mutex;
mod rwlock;
mod semaphore;

pub use channel::{Answer, Question, Receiver, Sender, channel, oneshot};
pub use mutex::{Mutex, MutexGuard};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use semaphore::{Permit, Semaphore};
