//! A semaphore that knows who has its permits and who waits.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use tokio::sync::{AcquireError, TryAcquireError};

use crate::sync::meta::{Meta, Mode, Owned, What};
use crate::sync::wait::Waiting;

/// A `tokio::sync::Semaphore` that knows who has its permits and who waits. Clones share it.
#[derive(Clone)]
pub struct Semaphore {
    meta: Arc<Meta>,
    inner: Arc<tokio::sync::Semaphore>,
}

/// Permits of a [`Semaphore`], given back when this is dropped.
#[must_use = "the permit is given back as soon as it is dropped"]
#[derive(Debug)]
pub struct Permit {
    // Dropped first: who has it no more must not be blamed for it.
    _held: Owned,
    inner: tokio::sync::OwnedSemaphorePermit,
}

impl Semaphore {
    /// A semaphore with so many permits, that reports name by its place in the source.
    #[track_caller]
    #[must_use]
    pub fn new(permits: usize) -> Self {
        Self::make(None, permits)
    }

    /// A semaphore with a name for reports.
    #[track_caller]
    #[must_use]
    pub fn named(name: &'static str, permits: usize) -> Self {
        Self::make(Some(name), permits)
    }

    #[track_caller]
    fn make(name: Option<&'static str>, permits: usize) -> Self {
        Self {
            meta: Meta::of(What::Permits, name),
            inner: Arc::new(tokio::sync::Semaphore::new(permits)),
        }
    }

    /// Waits for a permit. Dropping the future gives up the place in line.
    ///
    /// # Errors
    /// The semaphore was closed.
    #[track_caller]
    pub fn acquire(&self) -> impl Future<Output = Result<Permit, AcquireError>> + use<> {
        self.acquire_many(1)
    }

    /// Waits for so many permits at once.
    ///
    /// # Errors
    /// The semaphore was closed.
    #[track_caller]
    pub fn acquire_many(
        &self,
        permits: u32,
    ) -> impl Future<Output = Result<Permit, AcquireError>> + use<> {
        let site = Location::caller();
        let this = self.clone();
        async move {
            let inner = Arc::clone(&this.inner);
            let inner = match inner.try_acquire_many_owned(permits) {
                Ok(inner) => inner,
                Err(_) => {
                    let _waiting = Waiting::task(&this.meta, Mode::Shared, site);
                    Arc::clone(&this.inner).acquire_many_owned(permits).await?
                }
            };
            Ok(Permit {
                _held: this.meta.own(site),
                inner,
            })
        }
    }

    /// Takes a permit if there is one.
    ///
    /// # Errors
    /// There is none, or the semaphore was closed.
    #[track_caller]
    pub fn try_acquire(&self) -> Result<Permit, TryAcquireError> {
        let inner = Arc::clone(&self.inner).try_acquire_owned()?;
        Ok(Permit {
            _held: self.meta.own(Location::caller()),
            inner,
        })
    }

    /// How many permits are free.
    #[must_use]
    pub fn available_permits(&self) -> usize {
        self.inner.available_permits()
    }

    /// Adds permits.
    pub fn add_permits(&self, permits: usize) {
        self.inner.add_permits(permits);
    }

    /// Refuses all who wait and all who come.
    pub fn close(&self) {
        self.inner.close();
    }
}

impl Permit {
    /// Never gives it back.
    pub fn forget(self) {
        self.inner.forget();
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
