//! The rules that a token has to keep.

use std::collections::HashSet;
use std::sync::Arc;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use omnify_trace::context::{OrganizationId, UserId};
use serde_json::{Map, Value};

use super::cache::Cache;
use super::jwks::Jwks;
use super::{Identity, Inner};

/// Longer tokens are not looked at.
const MAX_TOKEN: usize = 16 * 1024;

/// Why a token was not accepted: the `reason` of `authentication_failed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Not of the form of a token.
    Malformed,
    /// Signed by another algorithm than the configured one.
    Algorithm,
    /// Of a type that is no access token.
    Type,
    /// Signed by a key that nobody knows.
    UnknownKey,
    /// The signature is wrong.
    Signature,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// By another issuer.
    Issuer,
    /// For another audience.
    Audience,
    /// A required claim is missing or of the wrong kind.
    Claim,
    /// The issuer's keys could not be fetched.
    KeysUnavailable,
}

impl Refusal {
    /// The name in a log field.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::Type => "type",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Claim => "claim",
            Self::KeysUnavailable => "keys_unavailable",
        }
    }

    fn of(error: &ErrorKind) -> Self {
        match error {
            ErrorKind::InvalidSignature | ErrorKind::Provider(_) => Self::Signature,
            ErrorKind::ExpiredSignature => Self::Expired,
            ErrorKind::ImmatureSignature => Self::NotYetValid,
            ErrorKind::InvalidIssuer => Self::Issuer,
            ErrorKind::InvalidAudience => Self::Audience,
            ErrorKind::MissingRequiredClaim(name) => match name.as_str() {
                "iss" => Self::Issuer,
                "aud" => Self::Audience,
                _ => Self::Claim,
            },
            ErrorKind::InvalidClaimFormat(_) | ErrorKind::InvalidSubject => Self::Claim,
            ErrorKind::InvalidAlgorithm
            | ErrorKind::InvalidAlgorithmName
            | ErrorKind::UnsupportedAlgorithm => Self::Algorithm,
            _ => Self::Malformed,
        }
    }
}

/// A key, by its id where it has one.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) id: Option<Box<str>>,
    pub(super) key: DecodingKey,
}

#[derive(Debug, Clone)]
pub(super) enum Keys {
    Fixed(Arc<Vec<Key>>),
    Published(Jwks),
}

/// What a look without waiting gives.
pub(super) enum Glance {
    Decided(Result<Identity, Refusal>),
    /// The issuer's keys have to be fetched first.
    NeedsKeys(Box<str>, Box<Header>),
}

#[derive(Debug, Clone)]
pub(super) struct Verifier {
    keys: Keys,
    rules: Validation,
    pub(super) cache: Cache,
    user_claim: Box<str>,
    organization_claim: Box<str>,
}

impl Verifier {
    pub(super) fn new(algorithm: Algorithm, keys: Keys) -> Self {
        let mut rules = Validation::new(algorithm);
        rules.validate_nbf = true;
        rules.validate_aud = false;
        rules.leeway = 30;
        Self {
            keys,
            rules,
            cache: Cache::new(),
            user_claim: "sub".into(),
            organization_claim: "org_id".into(),
        }
    }

    pub(super) fn require_issuer(&mut self, issuer: &str) {
        self.rules
            .iss
            .get_or_insert_with(HashSet::new)
            .insert(issuer.to_owned());
        self.rules.required_spec_claims.insert("iss".to_owned());
        self.cache = Cache::new();
    }

    pub(super) fn require_audience(&mut self, audience: &str) {
        self.rules.validate_aud = true;
        self.rules
            .aud
            .get_or_insert_with(HashSet::new)
            .insert(audience.to_owned());
        self.rules.required_spec_claims.insert("aud".to_owned());
        self.cache = Cache::new();
    }

    pub(super) fn set_leeway(&mut self, seconds: u64) {
        self.rules.leeway = seconds;
        self.cache = Cache::new();
    }

    pub(super) fn set_user_claim(&mut self, name: &str) {
        self.user_claim = name.into();
        // A layer that this one was cloned from may go on with other rules.
        self.cache = Cache::new();
    }

    pub(super) fn set_organization_claim(&mut self, name: &str) {
        self.organization_claim = name.into();
        self.cache = Cache::new();
    }

    /// Decides at once where the keys are at hand. `token` is as the client sent it.
    pub(super) fn glance(&self, token: &[u8], now: u64) -> Glance {
        // What is in the cache is text: nothing else can be equal to it.
        if let Some(identity) = self.cache.get(token, now) {
            return Glance::Decided(Ok(identity));
        }
        let Ok(token) = std::str::from_utf8(token) else {
            return Glance::Decided(Err(Refusal::Malformed));
        };
        let header = match self.header(token) {
            Ok(header) => header,
            Err(refusal) => return Glance::Decided(Err(refusal)),
        };
        match &self.keys {
            Keys::Fixed(keys) => Glance::Decided(self.verify(token, &header, keys, now)),
            Keys::Published(published) => match published.fresh(header.kid.as_deref()) {
                Some(keys) => Glance::Decided(self.verify(token, &header, &keys, now)),
                None => Glance::NeedsKeys(token.into(), Box::new(header)),
            },
        }
    }

    /// Decides after fetching the issuer's keys.
    pub(super) async fn wait(
        &self,
        token: &str,
        header: &Header,
        now: u64,
    ) -> Result<Identity, Refusal> {
        let Keys::Published(published) = &self.keys else {
            return Err(Refusal::UnknownKey);
        };
        let keys = published
            .fetched(header.kid.as_deref())
            .await
            .ok_or(Refusal::KeysUnavailable)?;
        self.verify(token, header, &keys, now)
    }

    /// The header, as far as it may be believed: it may name a key, nothing else.
    fn header(&self, token: &str) -> Result<Header, Refusal> {
        if token.len() > MAX_TOKEN {
            return Err(Refusal::Malformed);
        }
        let header = decode_header(token).map_err(|error| Refusal::of(error.kind()))?;
        if !self.rules.algorithms.contains(&header.alg) {
            return Err(Refusal::Algorithm);
        }
        let is_access =
            |kind: &str| kind.eq_ignore_ascii_case("JWT") || kind.eq_ignore_ascii_case("at+jwt");
        if !header.typ.as_deref().is_none_or(is_access) {
            return Err(Refusal::Type);
        }
        if !header.kid.as_deref().is_none_or(is_key_id) {
            return Err(Refusal::UnknownKey);
        }
        Ok(header)
    }

    fn verify(
        &self,
        token: &str,
        header: &Header,
        keys: &[Key],
        now: u64,
    ) -> Result<Identity, Refusal> {
        let mut refusal = Refusal::UnknownKey;
        let wanted = header.kid.as_deref();
        for key in keys
            .iter()
            .filter(|key| wanted.is_none() || key.id.is_none() || key.id.as_deref() == wanted)
        {
            match decode::<Map<String, Value>>(token, &key.key, &self.rules) {
                Ok(token_data) => {
                    let identity = self.identity(token_data.claims)?;
                    self.cache.put(token, &identity, now);
                    return Ok(identity);
                }
                // The signature was good: what could not be read are the claims.
                Err(error) if matches!(error.kind(), ErrorKind::Json(_)) => {
                    refusal = Refusal::Claim;
                }
                Err(error) => refusal = Refusal::of(error.kind()),
            }
            if refusal != Refusal::Signature {
                break;
            }
        }
        Err(refusal)
    }

    fn identity(&self, claims: Map<String, Value>) -> Result<Identity, Refusal> {
        let text = |name: &str| match claims.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(Refusal::Claim),
        };
        let user = text(&self.user_claim)?.map(UserId::new).transpose();
        let organization = text(&self.organization_claim)?
            .map(OrganizationId::new)
            .transpose();
        let (Ok(user_id), Ok(organization_id)) = (user, organization) else {
            return Err(Refusal::Claim);
        };
        let expires = claims
            .get("exp")
            .and_then(Value::as_f64)
            .unwrap_or_default() as u64;
        Ok(Identity {
            inner: Arc::new(Inner {
                user_id,
                organization_id,
                claims,
                expires,
            }),
        })
    }
}

fn is_key_id(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._=+/-:".contains(&byte))
}
