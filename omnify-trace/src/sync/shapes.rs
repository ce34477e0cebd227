//! What every lock and every guard has in common.

/// A lock around `$inner<T>`: making it, taking it apart.
macro_rules! lock {
    ($(#[$doc:meta])* $name:ident, $inner:path) => {
        $(#[$doc])*
        pub struct $name<T: ?Sized> {
            meta: std::sync::Arc<crate::sync::meta::Meta>,
            inner: $inner,
        }

        impl<T> $name<T> {
            /// A lock that reports name by its place in the source.
            #[track_caller]
            pub fn new(value: T) -> Self {
                Self {
                    meta: crate::sync::meta::Meta::new(None),
                    inner: <$inner>::new(value),
                }
            }

            /// A lock with a name for reports.
            #[track_caller]
            pub fn named(name: &'static str, value: T) -> Self {
                Self {
                    meta: crate::sync::meta::Meta::new(Some(name)),
                    inner: <$inner>::new(value),
                }
            }

            /// What it protected.
            pub fn into_inner(self) -> T {
                self.inner.into_inner()
            }
        }

        impl<T: ?Sized> $name<T> {
            /// What it protects, without locking: the borrow proves that nobody else has it.
            pub fn get_mut(&mut self) -> &mut T {
                self.inner.get_mut()
            }
        }

        impl<T: Default> Default for $name<T> {
            #[track_caller]
            fn default() -> Self {
                Self::new(T::default())
            }
        }

        impl<T: ?Sized + std::fmt::Debug> std::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}

/// A guard around `$inner<'a, T>`; with `mut`, one that may be written through.
macro_rules! guard {
    ($(#[$doc:meta])* mut $name:ident, $inner:path) => {
        guard! { $(#[$doc])* $name, $inner }

        impl<T: ?Sized> std::ops::DerefMut for $name<'_, T> {
            fn deref_mut(&mut self) -> &mut T {
                &mut self.inner
            }
        }
    };
    ($(#[$doc:meta])* $name:ident, $inner:path) => {
        $(#[$doc])*
        #[must_use = "the lock is released as soon as the guard is dropped"]
        pub struct $name<'a, T: ?Sized> {
            // Dropped first: who holds it no more must not be blamed for it.
            _held: crate::sync::meta::Held<'a>,
            inner: $inner,
        }

        impl<T: ?Sized> std::ops::Deref for $name<'_, T> {
            type Target = T;

            fn deref(&self) -> &T {
                &self.inner
            }
        }

        impl<T: ?Sized + std::fmt::Debug> std::fmt::Debug for $name<'_, T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}

pub(super) use {guard, lock};
