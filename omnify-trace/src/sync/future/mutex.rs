//! An async mutex that knows who holds it and who waits.

use std::panic::Location;

use crate::sync::meta::Mode;
use crate::sync::shapes::{guard, lock};
use crate::sync::wait::Waiting;

lock! {
    /// A `tokio::sync::Mutex` that knows who holds it and who waits.
    Mutex, tokio::sync::Mutex<T>
}

guard! {
    /// Access to what a [`Mutex`] protects, until it is dropped.
    mut MutexGuard, tokio::sync::MutexGuard<'a, T>
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until the lock is free, and takes it. Dropping the future gives up the place in line.
    #[track_caller]
    pub fn lock(&self) -> impl Future<Output = MutexGuard<'_, T>> {
        let site = Location::caller();
        async move {
            let inner = match self.inner.try_lock() {
                Ok(inner) => inner,
                Err(_) => {
                    let _waiting = Waiting::task(&self.meta, Mode::Exclusive, site);
                    self.inner.lock().await
                }
            };
            MutexGuard {
                _held: self.meta.hold_exclusive(site),
                inner,
            }
        }
    }

    /// Blocks this thread until the lock is free, and takes it.
    ///
    /// # Panics
    /// As `tokio::sync::Mutex::blocking_lock` does, inside a runtime.
    #[track_caller]
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        let site = Location::caller();
        let inner = self.inner.try_lock().unwrap_or_else(|_| {
            let _waiting = Waiting::thread(&self.meta, Mode::Exclusive, site);
            self.inner.blocking_lock()
        });
        MutexGuard {
            _held: self.meta.hold_exclusive(site),
            inner,
        }
    }

    /// Takes the lock if it is free.
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let inner = self.inner.try_lock().ok()?;
        Some(MutexGuard {
            _held: self.meta.hold_exclusive(Location::caller()),
            inner,
        })
    }
}
