//! An async mutex that knows who holds it and who waits.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::Arc;

use crate::sync::meta::{Held, Meta, Mode};
use crate::sync::wait::Waiting;

/// A `tokio::sync::Mutex` that knows who holds it and who waits.
pub struct Mutex<T: ?Sized> {
    meta: Arc<Meta>,
    inner: tokio::sync::Mutex<T>,
}

/// Access to what a [`Mutex`] protects, until it is dropped.
#[must_use = "the lock is released as soon as the guard is dropped"]
pub struct MutexGuard<'a, T: ?Sized> {
    // Dropped first: who holds it no more must not be blamed for it.
    _held: Held<'a>,
    inner: tokio::sync::MutexGuard<'a, T>,
}

impl<T> Mutex<T> {
    /// A lock that reports name by its place in the source.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self {
            meta: Meta::new(None),
            inner: tokio::sync::Mutex::new(value),
        }
    }

    /// A lock with a name for reports.
    #[track_caller]
    pub fn named(name: &'static str, value: T) -> Self {
        Self {
            meta: Meta::new(Some(name)),
            inner: tokio::sync::Mutex::new(value),
        }
    }

    /// What it protected.
    pub fn into_inner(self) -> T {
        self.inner.into_inner()
    }
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

    /// What it protects, without locking: the borrow proves that nobody else has it.
    pub fn get_mut(&mut self) -> &mut T {
        self.inner.get_mut()
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
