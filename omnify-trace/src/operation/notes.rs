//! What becomes known of an operation while it runs.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::op::Text;

/// Everything that can become known.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) input_tokens: Option<u64>,
    pub(crate) output_tokens: Option<u64>,
    pub(crate) cost_usd: Option<f64>,
    pub(crate) status_code: Option<u16>,
    pub(crate) rows: Option<u64>,
    pub(crate) output_bytes: Option<u64>,
    pub(crate) failed_step: Option<Text>,
    pub(crate) no_retry: bool,
    pub(crate) response_model: Option<Box<str>>,
    pub(crate) prompt: Option<Box<str>>,
    pub(crate) answer: Option<Box<str>>,
}

impl Notes {
    /// What most operations have to note.
    pub(crate) const NONE: Self = Self {
        input_tokens: None,
        output_tokens: None,
        cost_usd: None,
        status_code: None,
        rows: None,
        output_bytes: None,
        failed_step: None,
        no_retry: false,
        response_model: None,
        prompt: None,
        answer: None,
    };
}

/// Made when the first thing is noted; until then it costs one look at a flag.
#[derive(Debug, Default)]
pub(super) struct Noted {
    any: AtomicBool,
    notes: Mutex<Option<Box<Notes>>>,
}

impl Noted {
    pub(super) fn note(&self, note: impl FnOnce(&mut Notes)) {
        let mut notes = self.notes.lock();
        note(notes.get_or_insert_default());
        self.any.store(true, Ordering::Release);
    }

    /// Whether something noted so far is so.
    pub(super) fn is(&self, is: impl FnOnce(&Notes) -> bool) -> bool {
        self.any.load(Ordering::Acquire) && self.notes.lock().as_deref().is_some_and(is)
    }

    /// Everything noted so far.
    pub(super) fn take(&self) -> Option<Box<Notes>> {
        match self.any.load(Ordering::Acquire) {
            true => self.notes.lock().take(),
            false => None,
        }
    }

    /// Nothing is noted any more.
    pub(super) fn forget(&mut self) {
        if std::mem::take(self.any.get_mut()) {
            *self.notes.get_mut() = None;
        }
    }
}
