//! Who asks, as far as that is known when a request arrives.

use std::time::Duration;

use http::HeaderValue;

use super::layer::Settings;
#[cfg(feature = "identity")]
use crate::at_hand::Left;
#[cfg(feature = "identity")]
use crate::identity::{self, Identity};

/// A caller whose token was good a moment ago, or nobody.
pub(super) struct Caller {
    #[cfg(feature = "identity")]
    identity: Option<Identity>,
}

#[cfg(feature = "identity")]
impl Caller {
    /// Looks at a request's `Authorization`; `now` is the time since 1970.
    pub(super) fn of(settings: &Settings, value: Option<&HeaderValue>, now: Duration) -> Self {
        let known = settings.known_callers.as_ref();
        Self {
            identity: known.and_then(|known| known.caller(value?, now.as_secs())),
        }
    }

    pub(super) fn user(&self) -> Option<&str> {
        self.identity.as_ref()?.user_id()
    }

    pub(super) fn organization(&self) -> Option<&str> {
        self.identity.as_ref()?.organization_id()
    }

    /// Leaves the caller at hand for the identity layer that is called at once.
    pub(super) fn leave(self) -> Option<Left<Identity>> {
        self.identity.map(identity::leave)
    }
}

#[cfg(not(feature = "identity"))]
impl Caller {
    pub(super) const fn of(_: &Settings, _: Option<&HeaderValue>, _: Duration) -> Self {
        Self {}
    }

    pub(super) const fn user(&self) -> Option<&str> {
        None
    }

    pub(super) const fn organization(&self) -> Option<&str> {
        None
    }

    pub(super) const fn leave(self) {}
}
