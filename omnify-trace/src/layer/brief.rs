//! A lock that is held for some instructions only.
//!
//! Letting it go is a plain store; a lock with a queue of waiting threads has to look for them with
//! a second locked operation, and each span's life would have two of those.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use parking_lot::lock_api::{Mutex, RawMutex};

/// A value behind a [`Lock`].
pub(super) type Brief<T> = Mutex<Lock, T>;

pub(super) struct Lock(AtomicBool);

// SAFETY: `try_lock` says yes to one caller until `unlock`: only it changes the flag from false to
// true, in one step, and nobody but the holder changes it back. `Acquire` and `Release` put what
// holders do in order.
unsafe impl RawMutex for Lock {
    const INIT: Self = Self(AtomicBool::new(false));
    type Guard = ();

    #[inline]
    fn lock(&self) {
        if self.try_lock().is_none() {
            self.wait();
        }
    }

    #[inline]
    fn try_lock(&self) -> Option<()> {
        (!self.0.swap(true, Ordering::Acquire)).then_some(())
    }

    #[inline]
    unsafe fn unlock(&self, (): ()) {
        self.0.store(false, Ordering::Release);
    }

    fn is_locked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Lock {
    #[cold]
    fn wait(&self) {
        for turn in 0_u32.. {
            match turn {
                0..64 => std::hint::spin_loop(),
                64..96 => thread::yield_now(),
                // Its holder is not running, and perhaps of lower priority than we are.
                _ => thread::sleep(Duration::from_micros(50)),
            }
            if !self.is_locked() && self.try_lock().is_some() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let turns = if cfg!(miri) { 20 } else { 20_000 };
        let sum = Brief::new(0_u64);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| (0..turns).for_each(|_| *sum.lock() += 1));
            }
        });
        assert_eq!(*sum.lock(), 3 * turns);
        let held = sum.lock();
        assert!(sum.try_lock().is_none());
        thread::scope(|scope| {
            let waits = scope.spawn(|| *sum.lock());
            thread::sleep(Duration::from_millis(2));
            drop(held);
            assert_eq!(waits.join().ok(), Some(3 * turns));
        });
    }
}
