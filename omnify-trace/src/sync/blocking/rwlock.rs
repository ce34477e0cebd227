//! A reader-writer lock that knows who holds it and who waits.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::Arc;

use crate::sync::meta::{Held, Meta, Mode};
use crate::sync::wait::Waiting;

/// A `parking_lot::RwLock` that knows who holds it and who waits.
pub struct RwLock<T: ?Sized> {
    meta: Arc<Meta>,
    inner: parking_lot::RwLock<T>,
}

/// Shared access to what an [`RwLock`] protects, until it is dropped.
#[must_use = "the lock is released as soon as the guard is dropped"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    _held: Held<'a>,
    inner: parking_lot::RwLockReadGuard<'a, T>,
}

/// Access to what an [`RwLock`] protects, until it is dropped.
#[must_use = "the lock is released as soon as the guard is dropped"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    _held: Held<'a>,
    inner: parking_lot::RwLockWriteGuard<'a, T>,
}

impl<T> RwLock<T> {
    /// A lock that reports name by its place in the source.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self {
            meta: Meta::new(None),
            inner: parking_lot::RwLock::new(value),
        }
    }

    /// A lock with a name for reports.
    #[track_caller]
    pub fn named(name: &'static str, value: T) -> Self {
        Self {
            meta: Meta::new(Some(name)),
            inner: parking_lot::RwLock::new(value),
        }
    }

    /// What it protected.
    pub fn into_inner(self) -> T {
        self.inner.into_inner()
    }
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

    /// What it protects, without locking: the borrow proves that nobody else has it.
    pub fn get_mut(&mut self) -> &mut T {
        self.inner.get_mut()
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
