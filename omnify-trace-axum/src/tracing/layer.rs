//! Configuration of the request events.

use std::sync::Arc;

use tower_layer::Layer;

use super::client_address::TrustedProxies;
use super::hooks::{DefaultOnEnd, DefaultOnRequest};
use super::service::TracingService;
use crate::classify::ByStatus;
#[cfg(feature = "identity")]
use crate::identity::Known;

/// Gives each request its span and its events.
///
/// ```
/// use axum::{Router, routing::get};
/// use omnify_trace_axum::TracingLayer;
/// let app: Router = Router::new()
///     .route("/users/{id}", get(|| async { "hello" }))
///     .layer(TracingLayer::new());
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct TracingLayer<C = ByStatus, R = DefaultOnRequest, E = DefaultOnEnd> {
    config: Config<C, R, E>,
}

/// What the layer's services share.
#[derive(Debug, Clone)]
pub(crate) struct Config<C, R, E> {
    pub(crate) classify: C,
    pub(crate) on_request: R,
    pub(crate) on_end: E,
    pub(crate) settings: Settings,
}

/// The part that has no types of the user's.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) proxies: TrustedProxies,
    quiet: fn(&str) -> bool,
    quiet_below: &'static [&'static str],
    pub(crate) echo_request_id: bool,
    pub(crate) session_cookie: Option<&'static str>,
    /// Whether our other layers are right inside, with nobody's in between.
    pub(crate) hands_in: bool,
    #[cfg(feature = "identity")]
    pub(crate) known_callers: Option<Known>,
}

impl Settings {
    /// Whether nobody wants to read about requests of this path.
    pub(crate) fn is_quiet(&self, path: &str) -> bool {
        (self.quiet)(path)
            || self
                .quiet_below
                .iter()
                .any(|prefix| path.starts_with(prefix))
    }
}

impl TracingLayer {
    /// All events, no proxy trusted, health checks quiet.
    pub fn new() -> Self {
        let settings = Settings {
            proxies: TrustedProxies::none(),
            quiet: is_health_check,
            quiet_below: &[],
            echo_request_id: true,
            session_cookie: None,
            hands_in: false,
            #[cfg(feature = "identity")]
            known_callers: None,
        };
        Self {
            config: Config {
                classify: ByStatus,
                on_request: DefaultOnRequest,
                on_end: DefaultOnEnd,
                settings,
            },
        }
    }
}

impl Default for TracingLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<C, R, E> TracingLayer<C, R, E> {
    /// Who decides what a failure is. Defaults to [`ByStatus`].
    pub fn classify<C2>(self, classify: C2) -> TracingLayer<C2, R, E> {
        self.with(|_, on_request, on_end| (classify, on_request, on_end))
    }

    /// Who is told of arrivals. Defaults to [`DefaultOnRequest`].
    pub fn on_request<R2>(self, on_request: R2) -> TracingLayer<C, R2, E> {
        self.with(|classify, _, on_end| (classify, on_request, on_end))
    }

    /// Who is told of ends. Defaults to [`DefaultOnEnd`].
    pub fn on_end<E2>(self, on_end: E2) -> TracingLayer<C, R, E2> {
        self.with(|classify, on_request, _| (classify, on_request, on_end))
    }

    fn with<C2, R2, E2>(
        self,
        change: impl FnOnce(C, R, E) -> (C2, R2, E2),
    ) -> TracingLayer<C2, R2, E2> {
        let Config {
            classify,
            on_request,
            on_end,
            settings,
        } = self.config;
        let (classify, on_request, on_end) = change(classify, on_request, on_end);
        TracingLayer {
            config: Config {
                classify,
                on_request,
                on_end,
                settings,
            },
        }
    }

    /// Whose word about the client's address is taken. Defaults to [`TrustedProxies::none`].
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.config.settings.proxies = proxies;
        self
    }

    /// Which paths are quiet: their events have level DEBUG, unless the request fails. Defaults
    /// to health checks and `/metrics`.
    pub fn quiet(mut self, quiet: fn(&str) -> bool) -> Self {
        self.config.settings.quiet = quiet;
        self
    }

    /// Makes everything below these paths quiet too, such as `/admin/`. Defaults to nothing more.
    pub fn quiet_below(mut self, prefixes: &'static [&'static str]) -> Self {
        self.config.settings.quiet_below = prefixes;
        self
    }

    /// The cookie that names the browser session where neither `X-Session-ID` nor the baggage
    /// does. It will be in every line of the request: never name one that logs somebody in.
    /// Defaults to none.
    pub fn session_cookie(mut self, name: &'static str) -> Self {
        self.config.settings.session_cookie = Some(name);
        self
    }

    /// Tells our other layers what this one has found out. Only for when nobody else's is between
    /// them. Defaults to each finding out for itself.
    pub(crate) const fn hand_in(mut self) -> Self {
        self.config.settings.hands_in = true;
        self
    }

    /// Opens the spans of callers who are known with their names. Defaults to knowing nobody: an
    /// identity layer inside tells the span later.
    #[cfg(feature = "identity")]
    pub(crate) fn known_callers(mut self, known: Known) -> Self {
        self.config.settings.known_callers = Some(known);
        self
    }

    /// Whether every response gets an `X-Request-ID`.
    pub(crate) const fn echoes_request_id(&self) -> bool {
        self.config.settings.echo_request_id
    }

    /// Leaves `X-Request-ID` out of responses. Defaults to naming each request to its client.
    pub fn without_response_header(mut self) -> Self {
        self.config.settings.echo_request_id = false;
        self
    }
}

impl<S, C: Clone, R: Clone, E: Clone> Layer<S> for TracingLayer<C, R, E> {
    type Service = TracingService<S, C, R, E>;

    fn layer(&self, inner: S) -> Self::Service {
        TracingService::new(inner, Arc::new(self.config.clone()))
    }
}

/// Asked every few seconds by machines, read by nobody.
fn is_health_check(path: &str) -> bool {
    matches!(
        path,
        "/healthz" | "/readyz" | "/livez" | "/health" | "/ready" | "/live" | "/ping" | "/metrics"
    )
}
