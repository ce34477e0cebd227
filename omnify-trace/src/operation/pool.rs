//! Operations that ended, kept by their thread for the next ones: opening one allocates nothing.

use std::cell::RefCell;
use std::sync::Arc;

use super::op::Op;

/// A thread keeps no more than this: memory stays bounded.
const KEPT: usize = 64;

thread_local! {
    static BLANK: RefCell<Vec<Arc<Op>>> = const { RefCell::new(Vec::new()) };
}

/// An operation of which nothing is known yet, shared with nobody.
#[inline]
pub(super) fn blank() -> Arc<Op> {
    let kept = BLANK.try_with(|blank| blank.try_borrow_mut().ok()?.pop());
    kept.ok()
        .flatten()
        .unwrap_or_else(|| Arc::new(Op::default()))
}

/// Takes back an operation that its owner is done with. What somebody else still has a share in
/// (a handle, an operation inside, a lock's list of holders) is left to the last of them.
#[inline]
pub(super) fn give_back(mut op: Arc<Op>) {
    let Some(alone) = Arc::get_mut(&mut op) else {
        return;
    };
    // Closing its span may run anybody's code: nothing is borrowed here.
    alone.clear();
    let _ = BLANK.try_with(|blank| {
        if let Ok(mut blank) = blank.try_borrow_mut()
            && blank.len() < KEPT
        {
            blank.push(op);
        }
    });
}

#[cfg(test)]
mod tests {
    use crate::operation;

    #[test]
    fn an_ended_operation_is_used_again_and_one_with_a_share_elsewhere_is_not() {
        let address = || operation::current().map(|op| std::sync::Arc::as_ptr(&op.0));
        let first = operation::step("a").run_sync_any(address);
        assert_eq!(operation::step("b").run_sync_any(address), first);
        let kept = operation::step("c").run_sync_any(|| operation::current().unwrap());
        assert_eq!(kept.name(), "c");
        assert_ne!(operation::step("d").run_sync_any(address), first);
        assert_eq!(kept.name(), "c", "a handle outlives its operation");
    }

    #[test]
    fn nothing_of_the_one_before_is_left() {
        operation::agent("a")
            .budget(std::time::Duration::ZERO)
            .run_sync(|| {
                operation::record_usage(7, 7);
                let op = operation::current().unwrap();
                op.0.watch.remember(b"t", b"something happened");
                op.0.watch.set_wait_kind(operation::WaitKind::Io);
                op.0.watch.poll_begins();
                op.0.watch.human_begins();
                op.0.watch.excuse();
                op.0.watch.reported(0);
            });
        operation::agent("b").run_sync(|| {
            let op = operation::current().unwrap();
            assert_eq!((op.name(), op.budget()), ("b", None));
            assert_eq!(op.wait_kind(), operation::WaitKind::Unknown);
            assert!(op.0.take_notes().is_none());
            assert!(op.0.watch.remembered().is_empty());
            assert!(!op.0.watch.waits_for_human() && !op.0.watch.has_ended());
            assert_eq!(op.0.watch.polling_for(5), None);
            assert_eq!(op.0.watch.polling_for(6), None);
            assert_eq!(
                op.0.watch
                    .reports
                    .load(std::sync::atomic::Ordering::Relaxed),
                0
            );
        });
    }
}
