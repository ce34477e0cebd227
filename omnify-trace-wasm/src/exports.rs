//! What the page's script calls. One logger a module: a page has one person in front of it.
//!
//! Functions over a static and not an exported class: a class costs two kilobytes of checks against
//! aliasing, and here nothing calls back into the module while it runs.

use alloc::vec::Vec;

use spin::{Mutex, MutexGuard};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{logger::Core, scan};

static CORE: Mutex<Option<Core>> = Mutex::new(None);

/// The logger's place; `None` after a trap in the middle of something. Apart, because it is small only once.
#[inline(never)]
fn place() -> Option<MutexGuard<'static, Option<Core>>> {
    CORE.try_lock()
}

/// Does something with the logger; without one nothing.
fn with<T: Default>(act: impl FnOnce(&mut Core) -> T) -> T {
    match place() {
        Some(mut core) => core.as_mut().map(act).unwrap_or_default(),
        None => T::default(),
    }
}

/// Makes the logger, with a session of its own, in the place of any earlier one. `seed` is 32 random
/// bytes; `now`, here and everywhere, is Unix milliseconds.
#[wasm_bindgen]
pub fn create(seed: &[u8], now: f64) {
    if let Some(mut core) = place() {
        // In a page the module is fresh and there is nothing to free.
        core::mem::forget(core.replace(Core::new(seed, now)));
    }
}

/// Sets a text, by the code of a `Setting`.
#[wasm_bindgen]
pub fn set(what: u8, value: &str, now: f64) {
    with(|core| core.set(what, value, now));
}

/// Answers a text, by the code of a `Fact`.
#[wasm_bindgen]
pub fn get(what: u8, now: f64) -> Vec<u8> {
    with(|core| core.get(what, now))
}

/// Answers a counter, by the code of a `Count`.
#[wasm_bindgen]
pub fn count(what: u8) -> u32 {
    with(|core| core.count(what))
}

/// Takes notice of something, by the code of a `Sign`; `value` is what it sets.
#[wasm_bindgen]
pub fn notice(what: u8, value: f64, now: f64) -> bool {
    with(|core| core.notice(what, value, now))
}

/// Logs an entry: `level` 0 (trace) to 4 (error); `event` by its code; `request` is the number of the
/// request that the entry tells of, or negative. `parts` is one string, because each string is a
/// crossing: the application's own event type, `extra` and `exception` as JSON objects (each may be
/// empty), then the message, with a NUL between them. Answers whether the entry was kept.
#[wasm_bindgen]
pub fn log(level: u8, event: u8, parts: &str, request: i32, now: f64) -> bool {
    with(|core| core.log(level, event, scan::parts(parts), request, now))
}

/// Judges an error by what makes it the same as others: its class, stack and message, with a NUL
/// between them. Answers the reference to show for it, 9 characters; then, if it is to be logged, how
/// many equal ones it stands for.
#[wasm_bindgen]
pub fn judge(parts: &str, now: f64) -> Vec<u8> {
    with(|core| core.judge(scan::parts(parts), now))
}

/// Headers for a request: 55 characters of `traceparent`, 36 of `X-Request-ID`. With `follow`, its
/// number for [`log`] and [`request_end`] comes after them, and a `-` before them where they must not
/// be sent; a `+` follows if the request belongs to the open run; with consent a space and the session's
/// id end it. Empty: nothing is to be sent or followed.
#[wasm_bindgen]
pub fn request_start(url: &str, follow: bool, now: f64) -> Vec<u8> {
    with(|core| core.request_start(url, follow, now))
}

/// A request ended; its number is free again.
#[wasm_bindgen]
pub fn request_end(request: u32, now: f64) {
    with(|core| core.request_end(request, now));
}

/// Milliseconds until [`take`] should be called; negative when nothing waits.
#[wasm_bindgen]
pub fn due(now: f64) -> f64 {
    with(|core| core.due(now))
}

/// The next batch's body, at most `limit` bytes; empty when nothing may be sent. Its number counts up
/// from 1. With `hurry`, as the page goes away, pauses are not kept: there is no later.
#[wasm_bindgen]
pub fn take(limit: u32, hurry: bool, now: f64) -> Vec<u8> {
    with(|core| core.take(limit as usize, hurry, now))
}

/// Batch `id` was answered with `status` (0: not at all), `rejected` of its entries were not accepted,
/// and `Retry-After` asked for `pause` milliseconds (0: it did not).
#[wasm_bindgen]
pub fn done(id: u32, status: u16, rejected: u32, pause: f64, now: f64) {
    with(|core| core.done(id, status, rejected, pause, now));
}
