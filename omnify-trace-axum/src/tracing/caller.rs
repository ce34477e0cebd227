//! Who asks, as far as that is known when a request arrives.

use std::time::Duration;

use http::{HeaderMap, Request};

use super::layer::Settings;
#[cfg(feature = "identity")]
use crate::identity::Identity;

/// A caller whose token was good a moment ago, or nobody.
pub(super) struct Caller {
    #[cfg(feature = "identity")]
    identity: Option<Identity>,
}

#[cfg(feature = "identity")]
impl Caller {
    /// Looks at a request's headers; `now` is the time since 1970.
    pub(super) fn of(settings: &Settings, headers: &HeaderMap, now: Duration) -> Self {
        let known = settings.known_callers.as_ref();
        Self {
            identity: known.and_then(|known| known.caller(headers, now.as_secs())),
        }
    }

    pub(super) fn user(&self) -> Option<&str> {
        self.identity.as_ref()?.user_id()
    }

    pub(super) fn organization(&self) -> Option<&str> {
        self.identity.as_ref()?.organization_id()
    }

    /// Tells the identity layer inside that the span knows.
    pub(super) fn tell<B>(self, request: &mut Request<B>) {
        if let Some(identity) = self.identity {
            request.extensions_mut().insert(identity);
        }
    }
}

#[cfg(not(feature = "identity"))]
impl Caller {
    pub(super) const fn of(_: &Settings, _: &HeaderMap, _: Duration) -> Self {
        Self {}
    }

    pub(super) const fn user(&self) -> Option<&str> {
        None
    }

    pub(super) const fn organization(&self) -> Option<&str> {
        None
    }

    pub(super) const fn tell<B>(self, _: &mut Request<B>) {}
}
