//! Which trace something belongs to.
//!
//! A page view is a trace; a user action opens one of its own. What the page does **within 2 s of an
//! action, or within 1 s of the answer to a request of that action, at most 30 s after it**, belongs to
//! the action: the browser cannot follow a promise chain, and this is what a person would say too. The
//! next action takes over; after it, background traffic belongs to the page view again.

use alloc::vec::Vec;

use crate::ids::Ids;

const AFTER_ACTION_MS: f64 = 2_000.0;
const AFTER_ANSWER_MS: f64 = 1_000.0;
const LONGEST_MS: f64 = 30_000.0;

/// A trace and the span in it that other things are children of.
pub(crate) struct Root {
    pub(crate) trace_id: Vec<u8>,
    pub(crate) span_id: Vec<u8>,
}

impl Root {
    fn new(ids: &mut Ids) -> Self {
        Self {
            trace_id: ids.long(),
            span_id: ids.short(),
        }
    }
}

struct Action {
    root: Root,
    opened: f64,
    until: f64,
}

/// The page's trace and the open action's.
pub(crate) struct Traces {
    page: Root,
    action: Option<Action>,
}

impl Traces {
    pub(crate) fn new(ids: &mut Ids) -> Self {
        Self {
            page: Root::new(ids),
            action: None,
        }
    }

    /// Another page or route is shown.
    pub(crate) fn new_page(&mut self, ids: &mut Ids) {
        self.page = Root::new(ids);
    }

    /// A person did something.
    pub(crate) fn open_action(&mut self, ids: &mut Ids, now: f64) {
        self.action = Some(Action {
            root: Root::new(ids),
            opened: now,
            until: now + AFTER_ACTION_MS,
        });
    }

    /// Whether a person did something a moment ago.
    pub(crate) fn just_acted(&self, now: f64) -> bool {
        self.action
            .as_ref()
            .is_some_and(|action| now - action.opened < AFTER_ANSWER_MS)
    }

    /// A request of this trace was answered: what follows from the answer belongs to the trace too.
    pub(crate) fn answered(&mut self, trace_id: &[u8], now: f64) {
        if let Some(action) = &mut self.action
            && action.root.trace_id == trace_id
        {
            let until = (now + AFTER_ANSWER_MS).min(action.opened + LONGEST_MS);
            action.until = action.until.max(until);
        }
    }

    /// The action's root while it is open, else the page's.
    pub(crate) fn current(&self, now: f64) -> &Root {
        match &self.action {
            Some(action) if now <= action.until && now >= action.opened => &action.root,
            _ => &self.page,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> (Ids, Traces) {
        let mut ids = Ids::new(&[3; 32]);
        let traces = Traces::new(&mut ids);
        (ids, traces)
    }

    fn act(ids: &mut Ids, traces: &mut Traces, now: f64) -> Vec<u8> {
        traces.open_action(ids, now);
        traces.current(now).trace_id.clone()
    }

    #[test]
    fn what_follows_a_click_within_two_seconds_is_its_own() {
        let (mut ids, mut traces) = fresh();
        let page = traces.current(0.0).trace_id.clone();
        let click = act(&mut ids, &mut traces, 100.0);
        assert_ne!(click, page);
        assert_eq!(traces.current(2_100.0).trace_id, click);
        assert_eq!(traces.current(2_101.0).trace_id, page);
    }

    #[test]
    fn an_answer_keeps_its_action_open_but_not_for_ever() {
        let (mut ids, mut traces) = fresh();
        let click = act(&mut ids, &mut traces, 0.0);
        traces.answered(&click, 10_000.0);
        assert_eq!(traces.current(10_900.0).trace_id, click);
        traces.answered(&click, 29_900.0);
        assert_eq!(traces.current(30_000.0).trace_id, click);
        assert_ne!(traces.current(30_001.0).trace_id, click);
    }

    #[test]
    fn an_answer_to_an_earlier_action_changes_nothing() {
        let (mut ids, mut traces) = fresh();
        let first = act(&mut ids, &mut traces, 0.0);
        let second = act(&mut ids, &mut traces, 100.0);
        traces.answered(&first, 5_000.0);
        assert_ne!(traces.current(5_500.0).trace_id, second);
    }
}
