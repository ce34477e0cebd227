//! Who asks: JSON Web Tokens, checked by fixed rules, mapped to user and organization.
//!
//! The algorithm is the configuration's, never the token's; `exp` is required, `nbf` is checked,
//! issuer and audience are required where they are configured; keys that a token brings along
//! (`jwk`, `jku`, `x5u`, `x5c`) are ignored. A token that fails is an `authentication_failed`
//! event, not an identity, and it is never written anywhere.
//!
//! What lives here: `layer` (configuration), `verify` (the rules), `jwks` (keys of an issuer),
//! `cache` (tokens that were good a moment ago), `known` (whom they name), `service`.

mod cache;
mod jwks;
mod known;
mod layer;
mod service;
mod verify;

use std::sync::Arc;

use omnify_trace::context::{OrganizationId, UserId};
use serde_json::{Map, Value};

pub(crate) use known::{Known, leave};

pub use jwks::{Jwks, JwksError};
pub use layer::{Algorithm, IdentityLayer, KeyError};
pub use service::{IdentityFuture, IdentityService};
pub use verify::Refusal;

/// A caller whose token was good; in the extensions of its requests.
#[derive(Debug, Clone)]
pub struct Identity {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    user_id: Option<UserId>,
    organization_id: Option<OrganizationId>,
    claims: Map<String, Value>,
    /// Seconds since 1970.
    expires: u64,
}

impl Identity {
    /// The user, as the claim for it says.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.inner.user_id.as_ref().map(UserId::as_str)
    }

    /// The organization, as the claim for it says.
    #[must_use]
    pub fn organization_id(&self) -> Option<&str> {
        self.inner
            .organization_id
            .as_ref()
            .map(OrganizationId::as_str)
    }

    /// All claims of the token.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        &self.inner.claims
    }
}
