//! Tokens that were good a moment ago.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use parking_lot::Mutex;

use super::Identity;

const SLOTS: usize = 1024;
/// Seconds for which a verdict is kept: a key that was withdrawn works no longer than that.
const KEPT: u64 = 60;

struct Entry {
    token: Box<str>,
    identity: Identity,
    until: u64,
}

/// A table of fixed size: a token has one place, and the newest has it.
#[derive(Clone)]
pub(super) struct Cache {
    slots: Arc<[Mutex<Option<Entry>>]>,
    hasher: RandomState,
}

impl Cache {
    pub(super) fn new() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| Mutex::new(None)).collect(),
            hasher: RandomState::default(),
        }
    }

    /// The end of a token is its signature: enough to tell tokens apart, and what is found is
    /// compared in full.
    fn slot(&self, token: &[u8]) -> &Mutex<Option<Entry>> {
        let tail = &token[token.len().saturating_sub(16)..];
        &self.slots[self.hasher.hash_one(tail) as usize % SLOTS]
    }

    pub(super) fn get(&self, token: &[u8], now: u64) -> Option<Identity> {
        let slot = self.slot(token).lock();
        let entry = slot
            .as_ref()
            .filter(|entry| *entry.token.as_bytes() == *token && now < entry.until)?;
        Some(entry.identity.clone())
    }

    pub(super) fn put(&self, token: &str, identity: &Identity, now: u64) {
        let until = identity.inner.expires.min(now + KEPT);
        let entry = Entry {
            token: token.into(),
            identity: identity.clone(),
            until,
        };
        *self.slot(token.as_bytes()).lock() = Some(entry);
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Tokens are never printed.
        f.write_str("Cache")
    }
}
