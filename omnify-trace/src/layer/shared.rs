//! Counted handles of memory that is used again: what `Arc` is, but for three things that cost a
//! locked operation each there, thrice in a span's life.
//!
//! - Memory that nobody else holds is known to be so: [`Alone`] may be written to without asking.
//! - It begins to be shared with [two handles at once](Alone::pair), which need no counting up.
//! - Handles [end together](Shared::alone), which needs no counting down if they were the last.
//!
//! # Invariants
//! 1. An `Alone` is the only handle of its memory. Its count means nothing.
//! 2. The count of memory with `Shared` handles is the number of these handles. None comes into
//!    being but by `pair` and by cloning one that exists.
//! 3. A handle's memory lives as long as the handle; it is freed by the last one, or with `Alone`.

use std::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::{Deref, DerefMut},
    process,
    ptr::NonNull,
    sync::atomic::{AtomicUsize, Ordering, fence},
};

struct Inner<T> {
    count: AtomicUsize,
    value: T,
}

/// The only handle of its memory.
pub(crate) struct Alone<T> {
    inner: NonNull<Inner<T>>,
    owns: PhantomData<Inner<T>>,
}

/// One of several handles.
pub(crate) struct Shared<T> {
    inner: NonNull<Inner<T>>,
    owns: PhantomData<Inner<T>>,
}

// SAFETY: an `Alone` is as good as a `Box`.
unsafe impl<T: Send> Send for Alone<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Alone<T> {}
// SAFETY: as with `Arc`: handles on several threads read the value there, and the last one, on
// whichever thread, takes it.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as above; whoever sees a handle can clone it.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

impl<T> Alone<T> {
    pub(crate) fn new(value: T) -> Self {
        let inner = Box::new(Inner {
            count: AtomicUsize::new(0),
            value,
        });
        Self {
            inner: NonNull::from(Box::leak(inner)),
            owns: PhantomData,
        }
    }

    /// The first two handles of the memory that is shared from now on.
    pub(crate) fn pair(self) -> (Shared<T>, Shared<T>) {
        let inner = ManuallyDrop::new(self).inner;
        // SAFETY: the memory lives (3). Nobody else looks at the count (1), and whoever will gets a
        // handle from these two, in a way that lets it see what happened before.
        unsafe { inner.as_ref() }.count.store(2, Ordering::Relaxed);
        let owns = PhantomData;
        (Shared { inner, owns }, Shared { inner, owns })
    }
}

impl<T> Deref for Alone<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the memory lives (3), and whoever writes to it borrows this handle mutably (1).
        &unsafe { self.inner.as_ref() }.value
    }
}

impl<T> DerefMut for Alone<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the memory lives (3), there is no other handle (1), and this one is borrowed.
        &mut unsafe { self.inner.as_mut() }.value
    }
}

impl<T> Drop for Alone<T> {
    fn drop(&mut self) {
        // SAFETY: made by `Box::leak`, and this is the only handle (1), which ends here.
        drop(unsafe { Box::from_raw(self.inner.as_ptr()) });
    }
}

impl<T> Shared<T> {
    fn count(&self) -> &AtomicUsize {
        // SAFETY: the memory lives (3); the count is never borrowed mutably while handles are shared.
        &unsafe { self.inner.as_ref() }.count
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        self.inner == other.inner
    }

    /// Ends this handle, and the other one if there is one: the memory, if they were the last.
    pub(crate) fn alone(self, other: Option<Self>) -> Option<Alone<T>> {
        let both = other.as_ref().is_some_and(|other| self.is(other));
        // As many as are in our hands: nobody is left who could clone one (2). With `Acquire`, what
        // the others did with theirs happened before.
        if self.count().load(Ordering::Acquire) == 1 + usize::from(both) {
            if both {
                std::mem::forget(other);
            }
            let inner = ManuallyDrop::new(self).inner;
            let owns = PhantomData;
            return Some(Alone { inner, owns });
        }
        None
    }
}

impl<T> Clone for Shared<T> {
    #[inline]
    fn clone(&self) -> Self {
        // Nothing depends on the order: this handle keeps the memory alive meanwhile.
        if self.count().fetch_add(1, Ordering::Relaxed) > usize::MAX / 2 {
            // So many handles were forgotten: before the count can wrap, as `Arc` does.
            process::abort();
        }
        Self {
            inner: self.inner,
            owns: PhantomData,
        }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the memory lives (3); while handles are shared nobody borrows it mutably.
        &unsafe { self.inner.as_ref() }.value
    }
}

impl<T> Drop for Shared<T> {
    #[inline]
    fn drop(&mut self) {
        if self.count().fetch_sub(1, Ordering::Release) == 1 {
            // What the others did with their handles happened before what comes now.
            fence(Ordering::Acquire);
            drop(Alone {
                inner: self.inner,
                owns: PhantomData,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Weak},
        thread,
    };

    use super::*;

    /// Memory that tells whether it still lives.
    fn watched() -> (Alone<Arc<()>>, Weak<()>) {
        let value = Arc::new(());
        let weak = Arc::downgrade(&value);
        (Alone::new(value), weak)
    }

    #[test]
    fn memory_lives_as_long_as_a_handle() {
        let (alone, weak) = watched();
        drop(alone);
        assert!(weak.upgrade().is_none());
        let (alone, weak) = watched();
        let (one, other) = alone.pair();
        let third = Shared::clone(&one);
        assert!(one.is(&third));
        drop((one, third));
        assert!(weak.upgrade().is_some());
        drop(other);
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn the_last_handles_have_it_alone() {
        let (alone, weak) = watched();
        let (one, other) = alone.pair();
        let third = Shared::clone(&one);
        assert!(one.alone(Some(other)).is_none(), "a third one is left");
        let alone = third.alone(None).expect("the last one");
        let (one, other) = alone.pair();
        let alone = one.alone(Some(other)).expect("the last two");
        let (one, other) = alone.pair();
        let (stranger, its_weak) = watched();
        let (stranger, _its) = stranger.pair();
        assert!(one.alone(Some(stranger)).is_none(), "not of this memory");
        assert!(its_weak.upgrade().is_some());
        drop(other.alone(None).expect("the last one"));
        assert!(weak.upgrade().is_none());
    }

    /// Under Miri, which sees a missing order between threads as a race.
    #[test]
    fn what_others_read_is_not_overtaken_by_what_the_last_writes() {
        for _ in 0..if cfg!(miri) { 20 } else { 2_000 } {
            let (one, other) = Alone::new([1_u64; 4]).pair();
            let readers = [Shared::clone(&one), Shared::clone(&one)];
            thread::scope(|scope| {
                for reader in readers {
                    scope.spawn(move || assert_eq!(reader.iter().sum::<u64>(), 4));
                }
                scope.spawn(move || drop(other));
                while one.count().load(Ordering::Relaxed) > 1 {
                    thread::yield_now();
                }
                let mut alone = one.alone(None).expect("the last one");
                alone.fill(2);
            });
        }
    }
}
