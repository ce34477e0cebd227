//! Who calls: from the bearer token or the session cookie, before any route runs.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State as AxumState},
    http::{HeaderMap, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{App, problem::ApiError, session};
use crate::{
    access::{Principal, Proof, Role, Scoped, hash},
    store::LogStore,
    time,
};

/// What a call with a cookie repeats the session's CSRF token in.
const CSRF_HEADER: &str = "x-csrf-token";
/// How often a token's last use is written down.
const TOUCH_EVERY: i64 = 10 * time::MINUTE;

/// The caller of a route, and the lines that they may see.
pub(super) struct Caller {
    pub(super) principal: Principal,
    /// The lines of the caller's organization, or all.
    pub(super) lines: Arc<dyn LogStore>,
    /// All lines: only for what tells whether a process died. Never shown.
    pub(super) whole: Arc<dyn LogStore>,
}

impl Caller {
    /// Refuses a caller of a lesser role.
    pub(super) fn needs(&self, role: Role) -> Result<(), ApiError> {
        if self.principal.role >= role {
            return Ok(());
        }
        let detail = format!(
            "This needs the role {}; you have {}.",
            role.as_str(),
            self.principal.role.as_str()
        );
        Err(ApiError::Forbidden(detail))
    }

    /// Refuses a caller who may see one organization only: the thing belongs to all.
    pub(super) fn needs_all_organizations(&self) -> Result<(), ApiError> {
        match self.principal.organization_id {
            None => Ok(()),
            Some(_) => Err(ApiError::Forbidden(
                "This concerns every organization; your access is to one.".to_owned(),
            )),
        }
    }

    /// Refuses whoever is not an administrator of everything.
    pub(super) fn needs_admin(&self) -> Result<(), ApiError> {
        self.needs(Role::Admin)?;
        self.needs_all_organizations()
    }

    /// Writes down what an administrator did.
    pub(super) fn audit(&self, action: &'static str, subject: &str) {
        audit(&self.principal, action, subject);
    }
}

/// Writes down what an administrator did.
pub(super) fn audit(principal: &Principal, action: &'static str, subject: &str) {
    tracing::info!(
        target: "omnify_trace_admin::audit",
        event_type = "admin_action",
        organization_id = principal.organization_id.as_deref(),
        action,
        subject,
        actor = principal.name.as_str(),
        role = principal.role.as_str(),
        "{} did {action}",
        principal.name,
    );
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let principal = parts
            .extensions
            .get::<Principal>()
            .cloned()
            .ok_or(ApiError::Unauthenticated)?;
        let whole = Arc::clone(&app.store);
        let lines: Arc<dyn LogStore> = match &principal.organization_id {
            None => Arc::clone(&whole),
            Some(organization) => Arc::new(Scoped::new(Arc::clone(&whole), organization.clone())),
        };
        Ok(Self {
            principal,
            lines,
            whole,
        })
    }
}

/// Lets nobody pass but a known caller; logging in is the only route without one.
pub(super) async fn authenticate(
    AxumState(app): AxumState<App>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let path = path.strip_prefix(super::BASE).unwrap_or(path);
    if path == "/session" && request.method() == Method::POST {
        return next.run(request).await;
    }
    let from = address(&request);
    let method = request.method().clone();
    match identify(&app, request.headers(), &method, &from).await {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

async fn identify(
    app: &App,
    headers: &HeaderMap,
    method: &Method,
    from: &str,
) -> Result<Principal, ApiError> {
    if let Some(token) = bearer(headers) {
        if let Some(wait) = app.tokens.must_wait(from, Instant::now()).await {
            return Err(ApiError::TooMany(wait.as_secs().max(1)));
        }
        let found = by_token(app, token).await?;
        if found.is_none() {
            app.tokens.failed(from, Instant::now()).await;
        }
        return found.ok_or(ApiError::Unauthenticated);
    }
    let cookie = session::cookie(headers).ok_or(ApiError::Unauthenticated)?;
    let row = session::find(app, &hash(cookie))
        .await?
        .ok_or(ApiError::Unauthenticated)?;
    let role = Role::from_wire(&row.role).ok_or(ApiError::Unauthenticated)?;
    let changes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if changes {
        let repeated = headers
            .get(CSRF_HEADER)
            .and_then(|value| value.to_str().ok());
        // Hashes are compared, so that the time taken tells nothing of the token.
        if repeated.map(hash) != Some(hash(&row.csrf_token)) {
            return Err(ApiError::Csrf);
        }
    }
    Ok(Principal {
        name: row.name,
        role,
        organization_id: row.organization_id,
        proof: Proof::Session {
            hash: row.hash,
            csrf_token: row.csrf_token,
            expires_at: row.expires_at,
        },
    })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The principal of a token, if it is known and has not expired.
pub(super) async fn by_token(app: &App, token: &str) -> Result<Option<Principal>, ApiError> {
    let now = time::now();
    let Some(row) = app.state.token(&hash(token)).await? else {
        return Ok(None);
    };
    if row.expires_at.is_some_and(|at| at <= now) {
        return Ok(None);
    }
    let Some(role) = Role::from_wire(&row.role) else {
        return Ok(None);
    };
    if row.last_used_at.is_none_or(|at| at < now - TOUCH_EVERY) {
        app.state.touch_token(&row.id, now).await?;
    }
    Ok(Some(Principal {
        name: row.name,
        role,
        organization_id: row.organization_id,
        proof: Proof::Token,
    }))
}

/// Where a request came from, for counting failures. Headers are not believed.
pub(super) fn address(request: &Request) -> String {
    request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or_else(
            || "unknown".to_owned(),
            |ConnectInfo(address)| address.ip().to_string(),
        )
}
