//! Unfinished code that was reached: where, and how often.

use std::panic::Location;

use parking_lot::Mutex;

use super::Incomplete;

/// More places than this are not listed: memory stays bounded.
const MOST: usize = 1024;

static LIST: Mutex<Vec<IncompleteCode>> = Mutex::new(Vec::new());

/// Unfinished code that this process has reached.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IncompleteCode {
    /// `file:line:column`.
    pub location: String,
    /// Which macro stands there.
    pub kind: Incomplete,
    /// What it says.
    pub message: String,
    /// How often it was reached since the process began.
    pub hits: u64,
}

/// The unfinished code that this process has reached so far, the most frequent first.
///
/// ```
/// # #![allow(clippy::todo)]
/// omnify_trace::panic::install();
/// let _ = std::panic::catch_unwind(|| todo!("refunds"));
/// let list = omnify_trace::panic::incomplete_code();
/// assert_eq!((list[0].hits, list[0].message.as_str()), (1, "not yet implemented: refunds"));
/// ```
#[must_use]
pub fn incomplete_code() -> Vec<IncompleteCode> {
    let mut list = LIST.lock().clone();
    list.sort_by(|a, b| {
        b.hits
            .cmp(&a.hits)
            .then_with(|| a.location.cmp(&b.location))
    });
    list
}

/// Counts one hit, and gives how many there are now.
pub(super) fn hit(location: Option<&Location<'_>>, kind: Incomplete, message: &str) -> u64 {
    let location = location.map_or_else(String::new, ToString::to_string);
    let mut list = LIST.lock();
    if let Some(known) = list.iter_mut().find(|known| known.location == location) {
        known.hits += 1;
        return known.hits;
    }
    if list.len() < MOST {
        list.push(IncompleteCode {
            location,
            kind,
            message: message.to_owned(),
            hits: 1,
        });
    }
    1
}
