//! The whole stack in one call.

use axum::Router;

#[cfg(feature = "identity")]
use crate::identity::IdentityLayer;
use crate::tracing::REQUEST_ID;
use crate::{PerformanceLayer, SecurityLayer, TracingLayer, TrustedProxies};

/// What [`stack`] puts around a router. Each part has its own builder; the defaults suit a JSON API.
#[derive(Debug, Clone, Default)]
#[must_use]
#[non_exhaustive]
pub struct StackOptions {
    /// Request spans and events.
    pub tracing: TracingLayer,
    /// Budgets and counters.
    pub performance: PerformanceLayer,
    /// Protective headers and scoring.
    pub security: SecurityLayer,
    /// Tokens, if there are any.
    #[cfg(feature = "identity")]
    pub identity: Option<IdentityLayer>,
}

impl StackOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Request spans and events. Defaults to [`TracingLayer::new`].
    pub fn tracing(mut self, layer: TracingLayer) -> Self {
        self.tracing = layer;
        self
    }

    /// Budgets and counters. Defaults to [`PerformanceLayer::new`].
    pub fn performance(mut self, layer: PerformanceLayer) -> Self {
        self.performance = layer;
        self
    }

    /// Protective headers and scoring. Defaults to [`SecurityLayer::new`].
    pub fn security(mut self, layer: SecurityLayer) -> Self {
        self.security = layer;
        self
    }

    /// Tokens. Defaults to none.
    #[cfg(feature = "identity")]
    pub fn identity(mut self, layer: IdentityLayer) -> Self {
        self.identity = Some(layer);
        self
    }

    /// Whose word about the client's address is taken, by all parts. Defaults to
    /// [`TrustedProxies::none`].
    pub fn trusted_proxies(mut self, proxies: &TrustedProxies) -> Self {
        self.tracing = self.tracing.trusted_proxies(proxies.clone());
        self.security = self.security.trusted_proxies(proxies.clone());
        self
    }
}

/// Puts the stack around a router: tracing outermost, so that everything inside happens in the
/// request's span.
///
/// Call it last, after all routes and the fallback are there: as with `Router::layer`, what is
/// added afterwards is not covered.
pub fn stack<S: Clone + Send + Sync + 'static>(
    router: Router<S>,
    mut options: StackOptions,
) -> Router<S> {
    options.tracing = options.tracing.hand_in();
    if options.tracing.echoes_request_id() {
        options.security = options.security.expect_header(&REQUEST_ID);
    }
    // One `layer` call for all: each costs every request a boxed future.
    #[cfg(feature = "identity")]
    if let Some(identity) = options.identity {
        let tracing = options.tracing.known_callers(identity.known());
        return router.layer((tracing, options.security, options.performance, identity));
    }
    router.layer((options.tracing, options.security, options.performance))
}
