//! Who holds or waits: an operation, a task, a thread.

use std::sync::{Arc, Weak};
use std::thread::ThreadId;

use crate::operation::{self, Op};

#[cfg(feature = "tokio")]
type TaskId = tokio::task::Id;
#[cfg(not(feature = "tokio"))]
type TaskId = std::convert::Infallible;

/// Who runs this code.
#[derive(Debug, Clone)]
pub(crate) struct Party {
    pub(crate) op: Option<Arc<Op>>,
    task: Option<TaskId>,
    thread: ThreadId,
}

impl Party {
    pub(crate) fn current() -> Self {
        Self {
            op: operation::current_op(),
            task: task_id(),
            thread: thread_id(),
        }
    }

    /// The same, its operation apart and not kept alive.
    #[inline]
    pub(crate) fn of_holder() -> (Option<Weak<Op>>, Self) {
        let op = operation::with_current_op(|op| op.map(Arc::downgrade));
        let party = Self {
            op: None,
            task: task_id(),
            thread: thread_id(),
        };
        (op, party)
    }

    pub(crate) fn with_op(&self, op: Option<Arc<Op>>) -> Self {
        Self {
            op,
            task: self.task,
            thread: self.thread,
        }
    }

    pub(crate) fn same_thread(&self, other: &Self) -> bool {
        self.thread == other.thread
    }

    /// Whether it can do nothing, and so release nothing, while `waiter` waits.
    ///
    /// An operation goes on when those inside it have ended; without one, a task or thread is
    /// one sequence of steps.
    pub(crate) fn is_stopped_by(&self, waiter: &Self, blocks_thread: bool) -> bool {
        let open = self.op.as_deref().and_then(Op::nearest_open);
        match (open, self.task) {
            (Some(op), _) => waiter
                .op
                .as_ref()
                .is_some_and(|waiting| waiting.is_within(op)),
            (None, Some(task)) => waiter.task == Some(task),
            (None, None) => blocks_thread && self.same_thread(waiter),
        }
    }

    /// Whether these two are surely not branches of one sequence of steps: operations side by
    /// side, else different tasks, else different threads.
    pub(crate) fn is_apart_from(&self, other: &Self) -> bool {
        if let (Some(one), Some(two)) = (&self.op, &other.op)
            && !one.is_within(two)
            && !two.is_within(one)
        {
            return true;
        }
        match (self.task, other.task) {
            (Some(one), Some(two)) => one != two,
            (None, None) => !self.same_thread(other),
            _ => true,
        }
    }

    pub(crate) fn task(&self) -> Option<String> {
        self.task.map(|id| id.to_string())
    }
}

#[inline]
fn task_id() -> Option<TaskId> {
    #[cfg(feature = "tokio")]
    return tokio::task::try_id();
    #[cfg(not(feature = "tokio"))]
    None
}

#[inline]
fn thread_id() -> ThreadId {
    thread_local! {
        static THREAD: ThreadId = std::thread::current().id();
    }
    THREAD
        .try_with(|id| *id)
        .unwrap_or_else(|_| std::thread::current().id())
}
