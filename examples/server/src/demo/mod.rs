//! `omnify-server demo`: the server, its outside services, and people who use it.

mod cast;
mod simulators;
mod traffic;
mod visitor;

pub(crate) use simulators::Simulators;
pub(crate) use traffic::run as traffic;

use serde::Serialize;

/// Who issues the demo's tokens, and for whom.
pub(crate) const ISSUER: &str = "omnify-demo";

/// What the simulated models would cost, in US dollars for a million tokens.
pub(crate) fn set_prices() {
    omnify_trace::operation::Prices::new()
        .model("research-large", 3.0, 15.0)
        .model("writer-small", 0.25, 1.25)
        .apply();
}

/// Signs tokens for the demo's people.
#[derive(Clone)]
pub(crate) struct Tokens(jsonwebtoken::EncodingKey);

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    org_id: &'a str,
    iss: &'static str,
    aud: &'static str,
    exp: i64,
}

impl Tokens {
    /// Tokens that this secret signs.
    pub(crate) fn new(secret: &str) -> Self {
        Self(jsonwebtoken::EncodingKey::from_secret(secret.as_bytes()))
    }

    /// A token of one hour.
    fn sign(&self, user: &str, organization: &str) -> Option<String> {
        let exp = jiff::Timestamp::now().as_second() + 3600;
        let claims = Claims {
            sub: user,
            org_id: organization,
            iss: ISSUER,
            aud: ISSUER,
            exp,
        };
        jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &self.0).ok()
    }
}
