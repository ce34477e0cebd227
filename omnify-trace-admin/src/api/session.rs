//! Logging in and out.

use std::time::Instant;

use axum::{
    Json,
    extract::{FromRequest, Request, State as AxumState},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    App, Body,
    caller::{Caller, address, audit, by_token},
    problem::{ApiError, Problem},
};
use crate::{
    access::{Principal, Proof, Role, hash, new_secret, verify_password},
    state::SessionRow,
    time::{self, rfc3339},
};

/// Name of the session's cookie.
pub(super) const COOKIE: &str = "omnify_session";

/// Either a token, or a name and a password.
#[derive(Deserialize, ToSchema)]
pub(super) struct Login {
    /// An API token.
    token: Option<String>,
    /// A user's name.
    username: Option<String>,
    /// That user's password.
    password: Option<String>,
}

/// Who is logged in.
#[derive(Serialize, ToSchema)]
pub(super) struct Session {
    /// Of the user or token.
    name: String,
    /// What they may do.
    role: Role,
    /// The only organization they may see; null for all.
    organization_id: Option<String>,
    /// What calls that change something repeat in `X-CSRF-Token`; null for a bearer token.
    csrf_token: Option<String>,
    /// RFC 3339; null for a bearer token.
    expires_at: Option<String>,
}

impl From<Principal> for Session {
    fn from(principal: Principal) -> Self {
        let (csrf_token, expires_at) = match principal.proof {
            Proof::Token => (None, None),
            Proof::Session {
                csrf_token,
                expires_at,
                ..
            } => (Some(csrf_token), Some(rfc3339(expires_at))),
        };
        Self {
            name: principal.name,
            role: principal.role,
            organization_id: principal.organization_id,
            csrf_token,
            expires_at,
        }
    }
}

/// Log in with a token, or with a name and a password.
#[utoipa::path(post, path = "/session", tag = "session", request_body = Login, security(()), responses(
    (status = 200, description = "Logged in; the cookie is set", body = Session),
    (status = 401, description = "Not right", body = Problem),
    (status = 429, description = "Too many failures", body = Problem),
))]
pub(super) async fn log_in(
    AxumState(app): AxumState<App>,
    request: Request,
) -> Result<Response, ApiError> {
    let from = address(&request);
    let https = request
        .headers()
        .get("x-forwarded-proto")
        .is_some_and(|proto| proto == "https");
    let Body(login) = Body::<Login>::from_request(request, &app).await?;
    let key = format!("{from} {}", login.username.as_deref().unwrap_or_default());
    if let Some(wait) = app.logins.must_wait(&key, Instant::now()).await {
        return Err(ApiError::TooMany(wait.as_secs().max(1)));
    }
    let Some(principal) = prove(&app, &login).await? else {
        app.logins.failed(&key, Instant::now()).await;
        tracing::warn!(
            target: "omnify_trace_admin::audit",
            event_type = "authentication_failed",
            reason = "admin login",
            client_address = from.as_str(),
            "A login to the admin API failed"
        );
        return Err(ApiError::BadCredentials);
    };
    app.logins.succeeded(&key).await;
    start(&app, principal, https).await
}

async fn prove(app: &App, login: &Login) -> Result<Option<Principal>, ApiError> {
    match (&login.token, &login.username, &login.password) {
        (Some(token), None, None) => by_token(app, token.trim()).await,
        (None, Some(username), Some(password)) => {
            let user = app.state.user(username).await?;
            let hash = user.as_ref().map(|user| user.password_hash.as_str());
            let right = verify_password(password, hash).await;
            Ok(user.filter(|_| right).and_then(|user| {
                Some(Principal {
                    name: user.username,
                    role: Role::from_wire(&user.role)?,
                    organization_id: user.organization_id,
                    proof: Proof::Token,
                })
            }))
        }
        _ => Err(ApiError::invalid(
            "body",
            "Send either `token`, or `username` and `password`.",
        )),
    }
}

async fn start(app: &App, principal: Principal, https: bool) -> Result<Response, ApiError> {
    let now = time::now();
    app.state.expire_sessions(now).await?;
    let secret = new_secret("");
    let length = i64::try_from(app.session_length.as_nanos()).unwrap_or(time::DAY);
    let row = SessionRow {
        hash: hash(&secret),
        name: principal.name.clone(),
        role: principal.role.as_str().to_owned(),
        organization_id: principal.organization_id.clone(),
        csrf_token: new_secret(""),
        created_at: now,
        expires_at: now.saturating_add(length),
    };
    app.state.put_session(&row).await?;
    audit(&principal, "log_in", "");
    let principal = Principal {
        proof: Proof::Session {
            hash: row.hash,
            csrf_token: row.csrf_token,
            expires_at: row.expires_at,
        },
        ..principal
    };
    let mut response = Json(Session::from(principal)).into_response();
    let secure = app.secure_cookies || https;
    set_cookie(&mut response, &secret, app.session_length.as_secs(), secure)?;
    Ok(response)
}

fn set_cookie(
    response: &mut Response,
    value: &str,
    seconds: u64,
    secure: bool,
) -> Result<(), ApiError> {
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!(
        "{COOKIE}={value}; Path={}; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}",
        super::BASE
    );
    let value = HeaderValue::from_str(&cookie)
        .map_err(|_| ApiError::Internal("OT0419: the cookie could not be written"))?;
    response.headers_mut().append(header::SET_COOKIE, value);
    Ok(())
}

/// The session's secret in the request's cookies.
pub(super) fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// The session of this hash, if it goes on.
pub(super) async fn find(app: &App, hash: &str) -> Result<Option<SessionRow>, ApiError> {
    Ok(app.state.session(hash, time::now()).await?)
}

/// Who is logged in.
#[utoipa::path(get, path = "/session", tag = "session", responses(
    (status = 200, description = "The caller", body = Session),
    (status = 401, description = "Nobody is logged in", body = Problem),
))]
pub(super) async fn who_am_i(caller: Caller) -> Json<Session> {
    Json(caller.principal.into())
}

/// Log out.
#[utoipa::path(delete, path = "/session", tag = "session", responses(
    (status = 204, description = "Logged out; the cookie is gone"),
))]
pub(super) async fn log_out(
    AxumState(app): AxumState<App>,
    caller: Caller,
) -> Result<Response, ApiError> {
    if let Proof::Session { hash, .. } = &caller.principal.proof {
        app.state.delete_session(hash).await?;
        caller.audit("log_out", "");
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&mut response, "", 0, app.secure_cookies)?;
    Ok(response)
}
