//! Callers that are known before their request's span opens.

use http::{HeaderMap, header};

use super::{Identity, cache::Cache};

/// The callers whose tokens an [`IdentityLayer`](super::IdentityLayer) found good a moment ago.
///
/// Whoever opens a request's span asks here, so that the span need not be told later, which would
/// cost it its ready fragment. Nothing is decided here: the layer itself looks at each token.
#[derive(Debug, Clone)]
pub(crate) struct Known(pub(super) Cache);

impl Known {
    /// The caller, `now` being seconds since 1970.
    pub(crate) fn caller(&self, headers: &HeaderMap, now: u64) -> Option<Identity> {
        self.0.get(bearer(headers)?, now)
    }
}

/// The token of `Authorization: Bearer`.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(b"bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}
