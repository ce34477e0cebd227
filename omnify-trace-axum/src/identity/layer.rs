//! Configuration of tokens.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use tower_layer::Layer;

use super::jwks::Jwks;
use super::known::Known;
use super::service::IdentityService;
use super::verify::{Key, Keys, Verifier};

/// The algorithms that can be configured. One layer has one: which, is never the token's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// ECDSA over P-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    pub(super) const fn of_library(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Hs256 => jsonwebtoken::Algorithm::HS256,
            Self::Hs384 => jsonwebtoken::Algorithm::HS384,
            Self::Hs512 => jsonwebtoken::Algorithm::HS512,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::Ps256 => jsonwebtoken::Algorithm::PS256,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        }
    }
}

/// A key that cannot be used (code `OT0221`).
#[derive(Debug, thiserror::Error)]
#[error("OT0221: the key cannot be used for {algorithm:?}: {reason}")]
pub struct KeyError {
    algorithm: Algorithm,
    reason: String,
}

impl KeyError {
    /// The stable code, with a paragraph in `docs/errors.md`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "OT0221"
    }
}

/// Reads `Authorization: Bearer`, and puts user and organization into the request's context.
///
/// ```
/// use axum::{Router, routing::get};
/// use omnify_trace_axum::identity::IdentityLayer;
/// let secret = [7_u8; 32];
/// let app: Router = Router::new()
///     .route("/", get(|| async { "hello" }))
///     .layer(IdentityLayer::hs256(&secret).issuer("https://id.example").audience("shop"));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct IdentityLayer {
    verifier: Verifier,
    required: bool,
}

impl IdentityLayer {
    /// HMAC with SHA-256 and a shared secret, which should have 32 random bytes or more.
    pub fn hs256(secret: &[u8]) -> Self {
        Self::shared_secret(Algorithm::Hs256, secret)
    }

    /// HMAC with SHA-384 and a shared secret of 48 random bytes or more.
    pub fn hs384(secret: &[u8]) -> Self {
        Self::shared_secret(Algorithm::Hs384, secret)
    }

    /// HMAC with SHA-512 and a shared secret of 64 random bytes or more.
    pub fn hs512(secret: &[u8]) -> Self {
        Self::shared_secret(Algorithm::Hs512, secret)
    }

    fn shared_secret(algorithm: Algorithm, secret: &[u8]) -> Self {
        if secret.len() < 32 {
            tracing::warn!(
                target: "omnify_trace::identity",
                bytes = secret.len(),
                "OT0222: the secret for tokens is short enough to be guessed; use 32 random bytes or more"
            );
        }
        let key = Key {
            id: None,
            key: DecodingKey::from_secret(secret),
        };
        Self::with(algorithm, Keys::Fixed(Arc::new(vec![key])))
    }

    /// A public key in PEM, of the algorithm's kind.
    ///
    /// # Errors
    /// [`KeyError`] if the text is no such key, or the algorithm has no public keys.
    pub fn public_key(algorithm: Algorithm, pem: &[u8]) -> Result<Self, KeyError> {
        let key = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => DecodingKey::from_rsa_pem(pem),
            Algorithm::Es256 => DecodingKey::from_ec_pem(pem),
            Algorithm::EdDsa => DecodingKey::from_ed_pem(pem),
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
                let reason = "a shared secret is no public key".to_owned();
                return Err(KeyError { algorithm, reason });
            }
        };
        let key = key.map_err(|error| KeyError {
            algorithm,
            reason: error.to_string(),
        })?;
        Ok(Self::with(
            algorithm,
            Keys::Fixed(Arc::new(vec![Key { id: None, key }])),
        ))
    }

    /// The keys that an issuer publishes.
    ///
    /// # Errors
    /// [`KeyError`] for an algorithm with a shared secret: such keys are never published.
    pub fn jwks(algorithm: Algorithm, keys: Jwks) -> Result<Self, KeyError> {
        if matches!(
            algorithm,
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512
        ) {
            let reason = "a shared secret is never published".to_owned();
            return Err(KeyError { algorithm, reason });
        }
        Ok(Self::with(algorithm, Keys::Published(keys)))
    }

    fn with(algorithm: Algorithm, keys: Keys) -> Self {
        Self {
            verifier: Verifier::new(algorithm.of_library(), keys),
            required: false,
        }
    }

    /// Who has to have issued a token. Defaults to anyone who has the key: set it.
    pub fn issuer(mut self, issuer: &str) -> Self {
        self.verifier.require_issuer(issuer);
        self
    }

    /// For whom a token has to be meant. Defaults to anyone: set it.
    pub fn audience(mut self, audience: &str) -> Self {
        self.verifier.require_audience(audience);
        self
    }

    /// How far clocks may be apart, a minute at most. Defaults to 30 seconds.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.verifier.set_leeway(leeway.as_secs().min(60));
        self
    }

    /// The claim that names the user. Defaults to `sub`.
    pub fn user_claim(mut self, name: &str) -> Self {
        self.verifier.set_user_claim(name);
        self
    }

    /// The claim that names the organization. Defaults to `org_id`.
    pub fn organization_claim(mut self, name: &str) -> Self {
        self.verifier.set_organization_claim(name);
        self
    }

    /// Whom the tokens name that were good a moment ago.
    pub(crate) fn known(&self) -> Known {
        Known(self.verifier.cache.clone())
    }

    /// Answers 401 to requests without a good token. Defaults to letting them pass unnamed.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

impl<S> Layer<S> for IdentityLayer {
    type Service = IdentityService<S>;

    fn layer(&self, inner: S) -> IdentityService<S> {
        // The cache of good tokens is the layer's: every route's service shares it.
        IdentityService::new(inner, Arc::new(self.verifier.clone()), self.required)
    }
}
