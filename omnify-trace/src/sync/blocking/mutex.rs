//! A mutex that knows who holds it and who waits.

use std::panic::Location;

use crate::sync::meta::Mode;
use crate::sync::shapes::{guard, lock};
use crate::sync::wait::Waiting;

lock! {
    /// A `parking_lot::Mutex` that knows who holds it and who waits.
    Mutex, parking_lot::Mutex<T>
}

guard! {
    /// Access to what a [`Mutex`] protects, until it is dropped.
    mut MutexGuard, parking_lot::MutexGuard<'a, T>
}

impl<T: ?Sized> Mutex<T> {
    /// Blocks this thread until the lock is free, and takes it.
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        let site = Location::caller();
        let inner = self.inner.try_lock().unwrap_or_else(|| {
            let _waiting = Waiting::thread(&self.meta, Mode::Exclusive, site);
            self.inner.lock()
        });
        MutexGuard {
            _held: self.meta.hold_exclusive(site),
            inner,
        }
    }

    /// Takes the lock if it is free.
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let inner = self.inner.try_lock()?;
        Some(MutexGuard {
            _held: self.meta.hold_exclusive(Location::caller()),
            inner,
        })
    }
}
