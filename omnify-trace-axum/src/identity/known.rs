//! Callers that are known before their request's span opens.

use std::cell::Cell;

use http::{HeaderMap, HeaderValue, header};

use super::{Identity, cache::Cache};
use crate::at_hand::{self, Left};

/// The callers whose tokens an [`IdentityLayer`](super::IdentityLayer) found good a moment ago.
///
/// Whoever opens a request's span asks here, so that the span need not be told later, which would
/// cost it its ready fragment; and hands the answer [in](leave), so that it is not asked for twice.
#[derive(Debug, Clone)]
pub(crate) struct Known(pub(super) Cache);

impl Known {
    /// The caller that an `Authorization` names, `now` being seconds since 1970.
    pub(crate) fn caller(&self, authorization: &HeaderValue, now: u64) -> Option<Identity> {
        self.0.get(token(authorization)?, now)
    }
}

thread_local! {
    static AT_HAND: Cell<Option<Identity>> = const { Cell::new(None) };
}

/// Leaves the caller that [`Known`] named for its very layer, which is called at once.
pub(crate) fn leave(caller: Identity) -> Left<Identity> {
    at_hand::leave(&AT_HAND, caller)
}

/// The caller that was left for this layer, once.
pub(super) fn left() -> Option<Identity> {
    at_hand::take(&AT_HAND)
}

/// The token of `Authorization: Bearer`.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    token(headers.get(header::AUTHORIZATION)?)
}

fn token(authorization: &HeaderValue) -> Option<&[u8]> {
    let (scheme, token) = authorization
        .as_bytes()
        .split_at_checked(b"bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}
