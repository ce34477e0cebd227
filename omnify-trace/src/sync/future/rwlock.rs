//! An async reader-writer lock that knows who holds it and who waits.

use std::panic::Location;

use crate::sync::meta::Mode;
use crate::sync::shapes::{guard, lock};
use crate::sync::wait::Waiting;

lock! {
    /// A `tokio::sync::RwLock` that knows who holds it and who waits.
    RwLock, tokio::sync::RwLock<T>
}

guard! {
    /// Shared access to what an [`RwLock`] protects, until it is dropped.
    RwLockReadGuard, tokio::sync::RwLockReadGuard<'a, T>
}

guard! {
    /// Access to what an [`RwLock`] protects, until it is dropped.
    mut RwLockWriteGuard, tokio::sync::RwLockWriteGuard<'a, T>
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until nobody writes, and takes the lock together with other readers.
    /// Dropping the future gives up the place in line.
    #[track_caller]
    pub fn read(&self) -> impl Future<Output = RwLockReadGuard<'_, T>> {
        let site = Location::caller();
        async move {
            let inner = match self.inner.try_read() {
                Ok(inner) => inner,
                Err(_) => {
                    let _waiting = Waiting::task(&self.meta, Mode::Shared, site);
                    self.inner.read().await
                }
            };
            RwLockReadGuard {
                _held: self.meta.hold_shared(site),
                inner,
            }
        }
    }

    /// Waits until nobody else has the lock, and takes it.
    /// Dropping the future gives up the place in line.
    #[track_caller]
    pub fn write(&self) -> impl Future<Output = RwLockWriteGuard<'_, T>> {
        let site = Location::caller();
        async move {
            let inner = match self.inner.try_write() {
                Ok(inner) => inner,
                Err(_) => {
                    let _waiting = Waiting::task(&self.meta, Mode::Exclusive, site);
                    self.inner.write().await
                }
            };
            RwLockWriteGuard {
                _held: self.meta.hold_exclusive(site),
                inner,
            }
        }
    }
}
