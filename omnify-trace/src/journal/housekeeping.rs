//! Rotated files: compressed, and removed when nobody is to keep them. On a thread of its own, so
//! that draining does not wait for it.

use super::options::JournalOptions;

/// Starts a round in the background.
pub(super) fn start(_options: &JournalOptions) {}
