//! The keys that an issuer publishes: kept, fetched by one at a time, renewed when they rotate.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{JwkSet, PublicKeyUse};
use parking_lot::RwLock;
use tokio::time::Instant;

use super::verify::Key;

/// Keys are renewed after this long.
const FRESH: Duration = Duration::from_secs(600);
/// Keys whose issuer cannot be reached are used this long.
const STALE: Duration = Duration::from_secs(24 * 3600);
/// The issuer is asked at most this often, whatever key ids strangers invent.
const BETWEEN: Duration = Duration::from_secs(10);

/// Why keys could not be fetched (code `OT0223`).
#[derive(Debug, thiserror::Error)]
#[error("OT0223: the issuer's keys could not be fetched: {0}")]
pub struct JwksError(pub String);

type Fetching = Pin<Box<dyn Future<Output = Result<Bytes, JwksError>> + Send>>;
type Fetch = dyn Fn() -> Fetching + Send + Sync;

/// An issuer's JSON Web Key Set. Cloning shares the keys.
#[derive(Clone)]
pub struct Jwks {
    shared: Arc<Shared>,
}

struct Shared {
    fetch: Box<Fetch>,
    state: RwLock<State>,
    /// Held while fetching: others wait for the result instead of asking too.
    gate: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    keys: Arc<Vec<Key>>,
    fetched: Option<Instant>,
    tried: Option<Instant>,
}

impl Jwks {
    /// Keys that `fetch` brings: the document at the issuer's `jwks_uri`. Only an address of
    /// your configuration, by https; never one from a token.
    pub fn new<F, R>(fetch: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<Bytes, JwksError>> + Send + 'static,
    {
        let fetch = Box::new(move || Box::pin(fetch()) as Fetching);
        Self {
            shared: Arc::new(Shared {
                fetch,
                state: RwLock::default(),
                gate: tokio::sync::Mutex::new(()),
            }),
        }
    }

    /// The keys published at this address.
    #[cfg(feature = "reqwest")]
    #[must_use]
    pub fn at(client: reqwest::Client, url: impl Into<String>) -> Self {
        let url: Arc<str> = url.into().into();
        Self::new(move || {
            let (client, url) = (client.clone(), Arc::clone(&url));
            async move {
                let fetch = async {
                    let request = client.get(&*url).timeout(Duration::from_secs(10));
                    request.send().await?.error_for_status()?.bytes().await
                };
                fetch
                    .await
                    .map_err(|error: reqwest::Error| JwksError(error.to_string()))
            }
        })
    }

    /// The keys, if they are fresh and have this one.
    pub(super) fn fresh(&self, id: Option<&str>) -> Option<Arc<Vec<Key>>> {
        let state = self.shared.state.read();
        let is_fresh = state.fetched.is_some_and(|at| at.elapsed() < FRESH);
        let too_soon = state.tried.is_some_and(|at| at.elapsed() < BETWEEN);
        let has_key = id.is_none_or(|id| has(&state.keys, id));
        // Too soon to ask again: what is there has to do.
        ((is_fresh && has_key) || (too_soon && state.fetched.is_some()))
            .then(|| Arc::clone(&state.keys))
    }

    /// The keys, fetched by one caller while the others wait.
    pub(super) async fn fetched(&self, id: Option<&str>) -> Option<Arc<Vec<Key>>> {
        let _gate = self.shared.gate.lock().await;
        if let Some(keys) = self.fresh(id) {
            return Some(keys);
        }
        let too_soon = self
            .shared
            .state
            .read()
            .tried
            .is_some_and(|at| at.elapsed() < BETWEEN);
        if !too_soon {
            let outcome = (self.shared.fetch)()
                .await
                .and_then(|document| parse(&document));
            let mut state = self.shared.state.write();
            state.tried = Some(Instant::now());
            match outcome {
                Ok(keys) => {
                    state.keys = Arc::new(keys);
                    state.fetched = state.tried;
                }
                Err(error) => {
                    tracing::warn!(target: "omnify_trace::identity", error = %error, "Keys not renewed");
                }
            }
        }
        let state = self.shared.state.read();
        let usable = state.fetched.is_some_and(|at| at.elapsed() < STALE);
        usable.then(|| Arc::clone(&state.keys))
    }
}

impl std::fmt::Debug for Jwks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jwks")
            .field("keys", &self.shared.state.read().keys.len())
            .finish()
    }
}

fn has(keys: &[Key], id: &str) -> bool {
    keys.iter().any(|key| key.id.as_deref() == Some(id))
}

/// The keys for signatures; those of kinds that we do not know are passed over, and so are shared
/// secrets: a published one is none.
fn parse(document: &[u8]) -> Result<Vec<Key>, JwksError> {
    let set: JwkSet =
        serde_json::from_slice(document).map_err(|error| JwksError(error.to_string()))?;
    let for_signatures = |key: &&jsonwebtoken::jwk::Jwk| {
        key.common
            .public_key_use
            .as_ref()
            .is_none_or(|purpose| *purpose == PublicKeyUse::Signature)
            && !matches!(
                key.algorithm,
                jsonwebtoken::jwk::AlgorithmParameters::OctetKey(_)
            )
    };
    let keys = set.keys.iter().filter(for_signatures).filter_map(|key| {
        let id = key.common.key_id.as_deref().map(Box::from);
        DecodingKey::from_jwk(key).ok().map(|key| Key { id, key })
    });
    Ok(keys.collect())
}
