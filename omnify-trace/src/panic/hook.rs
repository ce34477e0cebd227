//! The hook itself: guarded against itself, chained to the earlier one.

use std::any::Any;
use std::backtrace::Backtrace;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::panic::{Location, PanicHookInfo};
use std::sync::Once;

use tracing::error;

use super::category::{Category, category};
use super::work_list;
use crate::schema::EventType;

const TARGET: &str = "omnify_trace::panic";
/// More of a message than this is cut.
const MAX_MESSAGE: usize = 8 * 1024;

thread_local! {
    static REPORTING: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A panic as an error, for the event's exception.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct PanicError(String);

/// Installs the hook before the present one, which runs after ours. Further calls do nothing.
pub fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let earlier = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            report(info);
            earlier(info);
        }));
    });
}

/// The message of this thread's latest panic, for each operation that it ends.
pub(crate) fn last_message() -> Cow<'static, str> {
    LAST.try_with(|last| last.try_borrow().ok()?.clone())
        .ok()
        .flatten()
        .map_or(Cow::Borrowed("panic"), Cow::Owned)
}

/// A panic while reporting a panic (an odd `Display`, a subscriber that panics) is left to the
/// earlier hook alone.
struct Guard;

impl Guard {
    fn enter() -> Option<Self> {
        let entered = REPORTING
            .try_with(|reporting| !reporting.replace(true))
            .unwrap_or(false);
        entered.then_some(Self)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = REPORTING.try_with(|reporting| reporting.set(false));
    }
}

fn report(info: &PanicHookInfo<'_>) {
    let Some(_guard) = Guard::enter() else { return };
    crate::operation::excuse();
    let message = payload_text(info.payload());
    let _ = LAST.try_with(|last| {
        if let Ok(mut last) = last.try_borrow_mut() {
            *last = Some(message.clone());
        }
    });
    let thread = std::thread::current();
    let backtrace = Backtrace::force_capture().to_string();
    let error = PanicError(message);
    emit(
        &error,
        info.location(),
        thread.name().unwrap_or("unnamed"),
        &backtrace,
    );
}

fn emit(error: &PanicError, place: Option<&Location<'_>>, thread: &str, backtrace: &str) {
    let location = place.map(ToString::to_string);
    let location = location.as_deref();
    let at = location.unwrap_or("an unknown place");
    let cause = error as &(dyn std::error::Error + 'static);
    let (category, confidence) = category(&error.0);
    if let Category::IncompleteCode(kind) = category {
        let hits = work_list::hit(place, kind, &error.0);
        error!(
            target: TARGET,
            event_type = EventType::IncompleteCode.as_str(),
            thread,
            location,
            kind = kind.as_str(),
            hits,
            confidence = confidence.as_str(),
            error = cause,
            exception.type = kind.as_str(),
            exception.stacktrace = backtrace,
            exception.category = category.as_str(),
            "Code that is not finished was reached at {at}: {error}",
        );
    } else {
        error!(
            target: TARGET,
            event_type = EventType::Panic.as_str(),
            thread,
            location,
            confidence = confidence.as_str(),
            error = cause,
            exception.type = "panic",
            exception.stacktrace = backtrace,
            exception.category = category.as_str(),
            "Panic in thread {thread} at {at}: {error}",
        );
    }
}

fn payload_text(payload: &dyn Any) -> String {
    let text = payload
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is not text");
    let mut end = text.len().min(MAX_MESSAGE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
