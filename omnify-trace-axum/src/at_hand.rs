//! What a layer of ours leaves for another one that it calls at once, with the same request.
//!
//! Only for where nobody else's layer is in between, as under `stack()`: a request's extensions
//! would say the same to anybody, but each costs an allocation.

use std::cell::Cell;
use std::thread::LocalKey;

/// A place of each thread where one layer leaves something and another one takes it.
pub(crate) type Place<T> = LocalKey<Cell<Option<T>>>;

/// Leaves `value` until what is returned is dropped, or it is taken.
pub(crate) fn leave<T>(place: &'static Place<T>, value: T) -> Left<T> {
    let _ = place.try_with(|cell| cell.set(Some(value)));
    Left(place)
}

/// What was left, once.
pub(crate) fn take<T>(place: &'static Place<T>) -> Option<T> {
    place.try_with(Cell::take).ok().flatten()
}

/// Something is at hand, until this is dropped.
#[must_use]
pub(crate) struct Left<T: 'static>(&'static Place<T>);

impl<T> Drop for Left<T> {
    fn drop(&mut self) {
        // A request that did not get so far, such as one that is blocked, leaves nothing to the next.
        drop(take(self.0));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    thread_local! {
        static PLACE: Cell<Option<Arc<()>>> = const { Cell::new(None) };
    }

    #[test]
    fn what_is_left_is_taken_once_and_only_by_whom_it_was_left_to() {
        let given = Arc::new(());
        let left = leave(&PLACE, Arc::clone(&given));
        assert!(Arc::ptr_eq(&take(&PLACE).unwrap(), &given));
        assert!(take(&PLACE).is_none());
        drop(left);
        drop(leave(&PLACE, Arc::clone(&given)));
        assert!(take(&PLACE).is_none());
        assert_eq!(Arc::strong_count(&given), 1);
    }
}
