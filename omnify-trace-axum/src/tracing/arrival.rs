//! What all layers of one request want to know of its arrival, found out once.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use axum::extract::MatchedPath;
use http::{HeaderValue, Method, Request, Uri};
use tracing::Span;

use super::query::cut;
use super::request_id::Minted;
use crate::at_hand::{self, Left};

/// A request that has arrived.
pub(crate) struct Arrival {
    pub(crate) span: Span,
    pub(crate) method: Method,
    pub(super) uri: Uri,
    pub(super) name: Name,
    pub(super) route: Option<MatchedPath>,
    pub(super) quiet: bool,
    pub(crate) started: Instant,
    /// The same in whole seconds of any clock.
    pub(crate) second: u64,
    /// Nanoseconds from the start to when a layer last looked at the clock; 0 for never.
    pub(super) latest: AtomicU64,
}

impl Arrival {
    /// A request that no layer outside has told of.
    pub(crate) fn unnamed<B>(request: &Request<B>, started: Instant, second: u64) -> Self {
        Self {
            span: Span::current(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            name: Name::None,
            route: None,
            quiet: false,
            started,
            second,
            latest: AtomicU64::new(0),
        }
    }

    /// The raw path, cut to a sane length.
    pub(crate) fn path(&self) -> &str {
        cut(self.uri.path())
    }

    /// The time since the start, left for the layer outside.
    pub(crate) fn look(&self) -> Duration {
        let elapsed = self.started.elapsed();
        let nanos = elapsed.as_secs() * 1_000_000_000 + u64::from(elapsed.subsec_nanos());
        self.latest.store(nanos.max(1), Relaxed);
        elapsed
    }

    /// The same, unless a layer inside has looked since [`forget`](Self::forget).
    pub(crate) fn looked(&self) -> Duration {
        match self.latest.load(Relaxed) {
            0 => self.look(),
            nanos => Duration::from_nanos(nanos),
        }
    }

    /// To be called before a layer inside goes on: what it saw before is too long ago.
    pub(crate) fn forget(&self) {
        self.latest.store(0, Relaxed);
    }
}

thread_local! {
    static AT_HAND: Cell<Option<Arc<Arrival>>> = const { Cell::new(None) };
}

/// Leaves the arrival for a layer of ours that is called at once.
pub(super) fn leave(arrival: &Arc<Arrival>) -> Left<Arc<Arrival>> {
    at_hand::leave(&AT_HAND, Arc::clone(arrival))
}

/// The arrival that a layer outside has left, once.
pub(crate) fn left() -> Option<Arc<Arrival>> {
    at_hand::take(&AT_HAND)
}

/// What a request is called.
pub(crate) enum Name {
    /// Nobody has to know.
    None,
    /// As its caller calls it.
    Given(HeaderValue),
    /// As we do.
    Minted(Minted),
}

impl Name {
    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Given(value) => value.to_str().ok(),
            Self::Minted(id) => std::str::from_utf8(id.as_bytes()).ok(),
        }
    }

    pub(super) fn header(&self) -> Option<HeaderValue> {
        match self {
            Self::None => None,
            Self::Given(value) => Some(value.clone()),
            Self::Minted(id) => HeaderValue::from_bytes(id.as_bytes()).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_holds_until_it_is_forgotten() {
        let arrival = Arrival::unnamed(&Request::new(()), Instant::now(), 1);
        let seen = arrival.look();
        while arrival.started.elapsed() <= seen {}
        assert_eq!(arrival.looked(), seen);
        arrival.forget();
        assert!(arrival.looked() > seen);
    }
}
