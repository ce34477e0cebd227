//! Configuration of headers and scoring.

use std::sync::Arc;

use http::HeaderName;
use tower_layer::Layer;

use super::headers::{Prepared, SecurityHeaders};
use super::score;
use super::service::SecurityService;
use crate::tracing::TrustedProxies;

/// Sets protective headers and reports requests that look like attacks.
///
/// ```
/// use axum::{Router, routing::get};
/// use omnify_trace_axum::SecurityLayer;
/// let app: Router = Router::new().route("/", get(|| async { "hello" })).layer(SecurityLayer::new());
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct SecurityLayer {
    config: Arc<Config>,
}

#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) headers: Prepared,
    /// Longest prefix first.
    pub(super) overrides: Vec<(String, Prepared)>,
    pub(super) report_at: Option<u16>,
    pub(super) block_at: Option<u16>,
    pub(super) proxies: TrustedProxies,
}

impl Config {
    /// Which headers of their own answers below this path have, if any: known when the request
    /// arrives, so that nobody has to keep its path.
    pub(super) fn special(&self, path: &str) -> Option<usize> {
        let mut overrides = self.overrides.iter();
        overrides.position(|(prefix, _)| is_below(path, prefix))
    }

    pub(super) fn headers(&self, special: Option<usize>) -> &Prepared {
        let special = special.and_then(|index| self.overrides.get(index));
        special.map_or(&self.headers, |(_, headers)| headers)
    }
}

/// `/admin` covers `/admin` and `/admin/users`, not `/administrator`.
fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || prefix.ends_with('/'))
}

impl SecurityLayer {
    /// [`SecurityHeaders::api`], suspicious requests reported, none blocked.
    pub fn new() -> Self {
        score::warm_up();
        let config = Config {
            headers: Prepared::new(SecurityHeaders::api()),
            overrides: Vec::new(),
            report_at: Some(score::SUSPICIOUS),
            block_at: None,
            proxies: TrustedProxies::none(),
        };
        Self {
            config: Arc::new(config),
        }
    }

    fn change(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(Arc::make_mut(&mut self.config));
        self
    }

    /// The headers of every answer. Defaults to [`SecurityHeaders::api`].
    pub fn headers(self, headers: SecurityHeaders) -> Self {
        self.change(|config| config.headers = Prepared::new(headers))
    }

    /// Other headers for a path and everything below it. Defaults to none.
    pub fn headers_below(self, prefix: impl Into<String>, headers: SecurityHeaders) -> Self {
        self.change(|config| {
            let headers = Prepared::new(headers);
            config.overrides.push((prefix.into(), headers));
            config
                .overrides
                .sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        })
    }

    /// Keeps a place for a header that a layer outside sets on every response. To be called last.
    pub(crate) fn expect_header(self, name: &HeaderName) -> Self {
        self.change(|config| {
            config.headers.expect(name);
            for (_, headers) in &mut config.overrides {
                headers.expect(name);
            }
        })
    }

    /// The score from which `suspicious_request` is written. Defaults to
    /// [`SUSPICIOUS`](score::SUSPICIOUS).
    pub fn report_at(self, score: u16) -> Self {
        self.change(|config| config.report_at = Some(score))
    }

    /// Sets headers only.
    pub fn without_scoring(self) -> Self {
        self.change(|config| {
            config.report_at = None;
            config.block_at = None;
        })
    }

    /// The score from which a request is answered 403 without reaching its handler. Defaults to
    /// never.
    pub fn block_at(self, score: u16) -> Self {
        self.change(|config| config.block_at = Some(score))
    }

    /// Whose word about the client's address is taken. Defaults to [`TrustedProxies::none`].
    pub fn trusted_proxies(self, proxies: TrustedProxies) -> Self {
        self.change(|config| config.proxies = proxies)
    }
}

impl Default for SecurityLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for SecurityLayer {
    type Service = SecurityService<S>;

    fn layer(&self, inner: S) -> SecurityService<S> {
        SecurityService {
            inner,
            config: Arc::clone(&self.config),
        }
    }
}
