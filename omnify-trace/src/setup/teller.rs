//! Telling of held-back duplicates when nothing else does: a thread that sleeps until something is
//! held back, and then looks once a window.

use std::{
    sync::Arc,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use tracing::{
    dispatcher::{self, WeakDispatch},
    subscriber::NoSubscriber,
};

use super::story;
use crate::layer::Policies;

/// Ends the thread when it is dropped.
pub(super) struct Teller {
    over: Arc<AtomicBool>,
    thread: thread::Thread,
}

impl Teller {
    /// `None` if duplicates are not held back, or the system has no thread left: then they are told
    /// of by the next equal message, by a flush and at the end.
    pub(super) fn start(policies: Option<&Arc<Policies>>, dispatch: &WeakDispatch) -> Option<Self> {
        let policies = Arc::clone(policies?);
        policies.duplicates.as_ref()?;
        let over = Arc::new(AtomicBool::new(false));
        let (ended, dispatch) = (Arc::clone(&over), dispatch.clone());
        let thread = thread::Builder::new()
            .name("omnify-duplicates".to_owned())
            .spawn(move || {
                let nobody = NoSubscriber::default();
                tracing::subscriber::with_default(nobody, || work(&policies, &dispatch, &ended));
            })
            .ok()?;
        Some(Self {
            over,
            thread: thread.thread().clone(),
        })
    }
}

fn work(policies: &Policies, dispatch: &WeakDispatch, over: &AtomicBool) {
    let Some(table) = &policies.duplicates else {
        return;
    };
    table.tell_me();
    let mut waiting = false;
    loop {
        if waiting {
            thread::park_timeout(table.window());
        } else {
            thread::park();
        }
        if over.load(Ordering::Acquire) {
            return;
        }
        let told;
        (told, waiting) = table.take_settled();
        if told.is_empty() {
            continue;
        }
        let Some(dispatch) = dispatch.upgrade() else {
            return;
        };
        dispatcher::with_default(&dispatch, || told.iter().for_each(story::duplicates));
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        self.thread.unpark();
    }
}
