//! The innermost operation that runs on this thread, and what code inside says of it.

use std::cell::RefCell;
use std::future::Future;
use std::sync::Arc;

use super::kind::{Kind, WaitKind};
use super::op::{Handle, Op};
use super::run::{Carried, Waiting};

thread_local! {
    static CURRENT: RefCell<Option<Arc<Op>>> = const { RefCell::new(None) };
}

/// The innermost operation around this code, if there is one.
#[must_use]
pub fn current() -> Option<Handle> {
    current_op().map(Handle)
}

/// This thread panics: what its operations' polls take from now on is not held against them.
pub(crate) fn excuse() {
    if let Some(op) = current_op() {
        op.ancestors().for_each(|op| op.watch.excuse());
    }
}

/// Looks at the innermost operation without a share in it.
#[inline]
pub(crate) fn with_current_op<R>(look: impl FnOnce(Option<&Arc<Op>>) -> Option<R>) -> Option<R> {
    CURRENT
        .try_with(|current| look(current.try_borrow().ok()?.as_ref()))
        .ok()
        .flatten()
}

pub(crate) fn current_op() -> Option<Arc<Op>> {
    CURRENT
        .try_with(|current| current.try_borrow().ok()?.clone())
        .ok()
        .flatten()
}

/// Makes an operation the innermost one until the guard goes.
pub(crate) struct Entered(Option<Arc<Op>>);

pub(crate) fn enter(op: Option<Arc<Op>>) -> Entered {
    Entered(swap(op))
}

impl Drop for Entered {
    fn drop(&mut self) {
        swap(self.0.take());
    }
}

fn swap(op: Option<Arc<Op>>) -> Option<Arc<Op>> {
    CURRENT
        .try_with(|current| match current.try_borrow_mut() {
            Ok(mut slot) => std::mem::replace(&mut *slot, op),
            Err(_) => None,
        })
        .ok()
        .flatten()
}

/// An event was written on this thread: the innermost operation remembers it for a stuck report.
#[inline]
pub(crate) fn heard<'a>(line: impl FnOnce() -> (&'a [u8], &'a [u8])) {
    let _ = CURRENT.try_with(|current| {
        if let Ok(current) = current.try_borrow()
            && let Some(op) = &*current
        {
            let (timestamp, message) = line();
            op.watch.remember(timestamp, message);
        }
    });
}

/// A closure that stays inside the operation around this code, wherever it runs.
pub(crate) fn carried<R>(work: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let op = current_op();
    move || {
        let _current = op.map(|op| enter(Some(op)));
        work()
    }
}

/// The nearest operation of one of these kinds, from the innermost outwards.
fn with_nearest(kinds: &[Kind], tell: impl FnOnce(&Handle)) {
    let mut next = current_op();
    while let Some(op) = next {
        if kinds.contains(&op.kind()) {
            tell(&Handle(op));
            return;
        }
        next = op.parent.clone();
    }
}

/// Tokens of the agent or model call around this code. Adds up.
pub fn record_usage(input_tokens: u64, output_tokens: u64) {
    with_nearest(&[Kind::Agent], |op| {
        op.record_usage(input_tokens, output_tokens);
    });
}

/// Cost in US dollars of the agent or model call around this code. Adds up.
pub fn record_cost(cost_usd: f64) {
    with_nearest(&[Kind::Agent], |op| op.record_cost(cost_usd));
}

/// The model that answered the agent or model call around this code.
pub fn record_response_model(model: &str) {
    with_nearest(&[Kind::Agent], |op| op.record_response_model(model));
}

/// What the agent, model or tool around this code was given. Written only if that call asked for
/// it with [`content`](super::Agent::content).
pub fn record_prompt(text: &str) {
    with_nearest(&[Kind::Agent], |op| op.record_prompt(text));
}

/// What the agent, model or tool around this code answered. Written only if that call asked for
/// it with [`content`](super::Agent::content).
pub fn record_answer(text: &str) {
    with_nearest(&[Kind::Agent], |op| op.record_answer(text));
}

/// The failure that the step around this code is about to end with is final: no other attempt
/// follows, whatever its builder said.
pub fn no_retry() {
    with_nearest(&[Kind::Step], Handle::no_retry);
}

/// HTTP status of the external call around this code.
pub fn record_status(status_code: u16) {
    with_nearest(&[Kind::ExternalApi], |op| op.record_status(status_code));
}

/// Rows that the query around this code returned or changed.
pub fn record_rows(rows: u64) {
    with_nearest(&[Kind::DbQuery], |op| op.record_rows(rows));
}

/// Size of the output of the step or workflow around this code.
pub fn record_output_bytes(bytes: u64) {
    with_nearest(&[Kind::Step, Kind::Workflow], |op| {
        op.record_output_bytes(bytes);
    });
}

/// A future that stays inside the operation around this code, wherever it is spawned.
///
/// [`spawn`](crate::spawn()) does so by itself.
pub fn carry<F: Future>(future: F) -> Carried<F> {
    Carried::new(current_op(), future)
}

/// Runs a future of which is known what it waits for, so that a stuck report can say so.
pub fn waiting<F: Future>(kind: WaitKind, future: F) -> Waiting<F> {
    Waiting::new(kind, future)
}

/// Waits for a person: the step around it is `waiting` meanwhile, and is never called stuck.
pub fn waiting_for_human<F: Future>(future: F) -> Waiting<F> {
    waiting(WaitKind::Human, future)
}
