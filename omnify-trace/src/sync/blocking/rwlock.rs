//! A reader-writer lock that knows who holds it and who waits.

use std::panic::Location;

use crate::sync::meta::Mode;
use crate::sync::shapes::{guard, lock};
use crate::sync::wait::Waiting;

lock! {
    /// A `parking_lot::RwLock` that knows who holds it and who waits.
    RwLock, parking_lot::RwLock<T>
}

guard! {
    /// Shared access to what an [`RwLock`] protects, until it is dropped.
    RwLockReadGuard, parking_lot::RwLockReadGuard<'a, T>
}

guard! {
    /// Access to what an [`RwLock`] protects, until it is dropped.
    mut RwLockWriteGuard, parking_lot::RwLockWriteGuard<'a, T>
}

impl<T: ?Sized> RwLock<T> {
    /// Blocks this thread until nobody writes, and takes the lock together with other readers.
    #[track_caller]
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        let site = Location::caller();
        let inner = self.inner.try_read().unwrap_or_else(|| {
            let _waiting = Waiting::thread(&self.meta, Mode::Shared, site);
            self.inner.read()
        });
        RwLockReadGuard {
            _held: self.meta.hold_shared(site),
            inner,
        }
    }

    /// Blocks this thread until nobody else has the lock, and takes it.
    #[track_caller]
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        let site = Location::caller();
        let inner = self.inner.try_write().unwrap_or_else(|| {
            let _waiting = Waiting::thread(&self.meta, Mode::Exclusive, site);
            self.inner.write()
        });
        RwLockWriteGuard {
            _held: self.meta.hold_exclusive(site),
            inner,
        }
    }
}
