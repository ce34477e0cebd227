//! The admin API: routes, their shapes, and the OpenAPI document made from both.

mod accounts;
mod alerts;
mod caller;
mod export;
mod export_table;
mod health;
mod insight;
mod issues;
mod known;
mod layers;
mod levels;
mod logs;
mod metrics;
mod params;
mod problem;
mod runs;
mod session;
mod stream;
mod support;
mod whole;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Json, Router, extract::State as AxumState, http::HeaderMap, middleware, response::Response,
};
use tower_http::compression::{
    CompressionLayer,
    predicate::{NotForContentType, Predicate, SizeAbove},
};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use omnify_trace::setup::Levels;
pub use problem::{ApiError, ParameterProblem, Problem};
#[cfg(test)]
pub(crate) use whole::Noting;

use crate::{
    access::LoginLimiter,
    instances::Relay,
    state::{IssueRow, State},
    store::LogStore,
};

/// Where the API lives.
pub const BASE: &str = "/api/admin";

/// What every route may use. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn LogStore>,
    pub(crate) state: State,
    pub(crate) logins: LoginLimiter,
    pub(crate) tokens: LoginLimiter,
    pub(crate) session_length: Duration,
    pub(crate) secure_cookies: bool,
    pub(crate) service_name: String,
    pub(crate) started: Instant,
    pub(crate) levels: Option<Levels>,
    pub(crate) lost_lines: Option<LostLines>,
    pub(crate) more_metrics: Option<MoreMetrics>,
    pub(crate) streams: stream::Streams,
    /// To and from the other instances, where there are any.
    pub(crate) relay: Option<Relay>,
    known: known::Known,
    openapi: std::sync::OnceLock<String>,
}

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    pub(crate) fn new(store: Arc<dyn LogStore>, state: State, options: Options) -> Self {
        let limiter = |name, failures| {
            LoginLimiter::new(
                name,
                failures,
                Duration::from_secs(60),
                state.redis().cloned(),
            )
        };
        let (logins, tokens) = (limiter("logins", 5), limiter("tokens", 60));
        let streams = stream::Streams::default();
        let relay = state.redis().zip(options.followed).map(|(redis, log_dir)| {
            Relay::start(redis.clone(), &log_dir, Arc::clone(&store), streams.watch())
        });
        Self(Arc::new(Inner {
            store,
            state,
            logins,
            tokens,
            session_length: options.session_length,
            secure_cookies: options.secure_cookies,
            service_name: options.service_name,
            started: Instant::now(),
            levels: options.levels,
            lost_lines: options.lost_lines,
            more_metrics: options.more_metrics,
            streams,
            relay,
            known: known::Known::of(&described().split_for_parts().1),
            openapi: std::sync::OnceLock::new(),
        }))
    }

    /// What people decided about error groups, by fingerprint.
    async fn decided(&self) -> Result<HashMap<String, IssueRow>, ApiError> {
        let issues = self.state.issues().await?;
        Ok(issues
            .into_iter()
            .map(|issue| (issue.fingerprint.clone(), issue))
            .collect())
    }
}

/// Says how many lines the journal lost so far.
pub(crate) type LostLines = Arc<dyn Fn() -> u64 + Send + Sync>;
/// Figures of others, in the format asked for.
pub(crate) type MoreMetrics =
    Arc<dyn Fn(omnify_trace::exposition::Exposition) -> String + Send + Sync>;

/// What the builder decides about the API.
pub(crate) struct Options {
    /// The log directory, if the store knows the lines of no other instance.
    pub(crate) followed: Option<PathBuf>,
    pub(crate) session_length: Duration,
    pub(crate) secure_cookies: bool,
    pub(crate) service_name: String,
    pub(crate) levels: Option<Levels>,
    pub(crate) lost_lines: Option<LostLines>,
    pub(crate) more_metrics: Option<MoreMetrics>,
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Omnify Trace admin API", description = "Logs, runs, traces and figures of the services in one log directory. Errors are problem+json."),
    modifiers(&Security),
    security(("token" = []), ("session" = [])),
    components(schemas(Problem, ParameterProblem)),
)]
struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(
            "token",
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()),
        );
        components.add_security_scheme(
            "session",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(session::COOKIE))),
        );
    }
}

/// Every route under [`BASE`], with its description.
fn described() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(
            session::log_in,
            session::who_am_i,
            session::log_out
        ))
        .routes(routes!(logs::list))
        .routes(routes!(logs::histogram))
        .routes(routes!(logs::facets))
        .routes(routes!(stream::stream))
        .routes(routes!(export::export))
        .routes(routes!(logs::one))
        .routes(routes!(logs::around))
        .routes(routes!(insight::trace))
        .routes(routes!(insight::stats))
        .routes(routes!(insight::performance))
        .routes(routes!(insight::errors))
        .routes(routes!(insight::error))
        .routes(routes!(insight::incomplete))
        .routes(routes!(runs::workflows))
        .routes(routes!(runs::of_workflow))
        .routes(routes!(runs::list))
        .routes(routes!(runs::one))
        .routes(routes!(support::client_support))
        .routes(routes!(issues::list))
        .routes(routes!(issues::one, issues::change))
        .routes(routes!(alerts::list, alerts::make))
        .routes(routes!(alerts::put, alerts::remove))
        .routes(routes!(alerts::silence))
        .routes(routes!(accounts::tokens, accounts::new_token))
        .routes(routes!(accounts::revoke_token))
        .routes(routes!(accounts::users))
        .routes(routes!(accounts::put_user, accounts::remove_user))
        .routes(routes!(levels::levels, levels::change_levels))
        .routes(routes!(levels::override_level))
        .routes(routes!(levels::end_override))
        .routes(routes!(health::health))
        .routes(routes!(openapi))
}

/// The OpenAPI document as JSON.
#[must_use]
pub fn openapi_json() -> String {
    let (_, mut document) = described().split_for_parts();
    let paths = std::mem::take(&mut document.paths.paths);
    document.paths.paths = paths
        .into_iter()
        .map(|(path, item)| (format!("{BASE}{path}"), item))
        .collect();
    document.to_pretty_json().unwrap_or_default()
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "meta", responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
async fn openapi(AxumState(app): AxumState<App>, headers: HeaderMap) -> Response {
    let document = app.openapi.get_or_init(openapi_json).clone();
    layers::tagged(&headers, "application/json", document)
}

/// `/api/admin/*`, `/healthz`, `/readyz`, `/metrics`.
pub(crate) fn router(app: &App) -> Router {
    let (routes, _) = described().split_for_parts();
    let api = routes
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(middleware::from_fn_with_state(
            app.clone(),
            known::refuse_strangers,
        ))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            caller::authenticate,
        ));
    // An event stream must reach the browser event by event, so it is not compressed.
    let compressed = SizeAbove::new(256).and(NotForContentType::new("text/event-stream"));
    let open = Router::new()
        .route("/healthz", axum::routing::get(health::alive))
        .route("/readyz", axum::routing::get(health::ready))
        .route("/metrics", axum::routing::get(metrics::metrics));
    Router::new()
        .nest(BASE, api)
        .merge(open)
        .layer(CompressionLayer::new().gzip(true).compress_when(compressed))
        .layer(middleware::from_fn(layers::finish))
        .with_state(app.clone())
}

async fn no_such_route() -> ApiError {
    ApiError::NotFound("There is no such route; see openapi.json for those that are.".to_owned())
}

async fn no_such_method() -> ApiError {
    ApiError::MethodNotAllowed
}

/// A JSON body; what does not fit is a problem, not a page of text.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> axum::extract::FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, ApiError> {
        use axum::extract::rejection::JsonRejection;
        match Json::<T>::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(JsonRejection::BytesRejection(rejection)) if rejection.status() == 413 => {
                Err(ApiError::TooLarge("The body is too large.".to_owned()))
            }
            Err(rejection) => Err(ApiError::invalid("body", rejection.body_text())),
        }
    }
}
