//! Configuration of the intake, and its router.

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::post;

use super::intake;
use super::rate::Limiter;
use crate::tracing::TrustedProxies;

/// The intake at `POST /api/logs/frontend` with the default limits.
///
/// ```
/// use axum::Router;
/// use omnify_trace_axum::frontend_logs;
/// let app: Router = Router::new().merge(frontend_logs());
/// ```
pub fn frontend_logs<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FrontendLogs::new().router()
}

/// Limits and manners of the intake.
#[derive(Debug, Clone)]
#[must_use]
pub struct FrontendLogs {
    pub(super) max_body: usize,
    pub(super) max_entries: usize,
    pub(super) max_entry: usize,
    pub(super) per_second: NonZeroU32,
    pub(super) origins: Vec<String>,
    pub(super) proxies: TrustedProxies,
}

/// What requests share.
pub(super) struct Shared {
    pub(super) options: FrontendLogs,
    pub(super) limiter: Limiter,
}

impl FrontendLogs {
    /// 256 KiB a body, 500 entries a batch, 32 KiB an entry, 50 entries a second and address.
    pub fn new() -> Self {
        Self {
            max_body: 256 * 1024,
            max_entries: 500,
            max_entry: 32 * 1024,
            per_second: const { NonZeroU32::new(50).unwrap() },
            origins: Vec::new(),
            proxies: TrustedProxies::none(),
        }
    }

    /// Bytes of a body. Defaults to 256 KiB.
    pub const fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Entries of a batch. Defaults to 500.
    pub const fn max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries;
        self
    }

    /// Bytes of an entry. Defaults to 32 KiB.
    pub const fn max_entry(mut self, bytes: usize) -> Self {
        self.max_entry = bytes;
        self
    }

    /// Entries a second, per address and per session, on average; bursts may be twenty times as
    /// much. Defaults to 50.
    pub const fn per_second(mut self, entries: NonZeroU32) -> Self {
        self.per_second = entries;
        self
    }

    /// Another origin, such as `https://shop.example`, whose pages may send lines. Defaults to
    /// the server's own only.
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// Whose word about the client's address is taken. Defaults to [`TrustedProxies::none`].
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// The router, to be merged into an application's.
    ///
    /// Addresses are known only when the application is served with
    /// `into_make_service_with_connect_info::<SocketAddr>()`; otherwise all share one budget.
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let limit = DefaultBodyLimit::max(self.max_body);
        let shared = Arc::new(Shared {
            limiter: Limiter::new(self.per_second.get()),
            options: self,
        });
        let preflight = Arc::clone(&shared);
        Router::new().route(
            "/api/logs/frontend",
            post(move |request| intake::take(shared, request))
                .options(move |headers| intake::preflight(preflight, headers))
                .layer(limit),
        )
    }
}

impl Default for FrontendLogs {
    fn default() -> Self {
        Self::new()
    }
}
