//! Tokens and users: who else may ask.

use axum::{
    Json,
    extract::{Path, State as AxumState},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    App, Body,
    caller::Caller,
    params::end_of,
    problem::{ApiError, Problem},
};
use crate::{
    access::{Role, hash, hash_password, new_secret},
    state::{TokenRow, UserRow},
    time::{self, rfc3339},
};

/// Shortest password.
const SHORTEST_PASSWORD: usize = 12;

/// A token without its secret.
#[derive(Serialize, ToSchema)]
pub(super) struct Token {
    /// For revoking it.
    id: String,
    /// For the audit.
    name: String,
    role: String,
    /// The only organization it may see; null for all.
    organization_id: Option<String>,
    /// RFC 3339.
    created_at: String,
    /// RFC 3339; null for never.
    expires_at: Option<String>,
    /// RFC 3339, to about ten minutes.
    last_used_at: Option<String>,
}

impl From<TokenRow> for Token {
    fn from(row: TokenRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            role: row.role,
            organization_id: row.organization_id,
            created_at: rfc3339(row.created_at),
            expires_at: row.expires_at.map(rfc3339),
            last_used_at: row.last_used_at.map(rfc3339),
        }
    }
}

/// Every token.
#[derive(Serialize, ToSchema)]
pub(super) struct Tokens {
    /// Newest first.
    tokens: Vec<Token>,
    /// Always null: all tokens are on this page.
    next_cursor: Option<String>,
}

/// A new token's terms.
#[derive(Deserialize, ToSchema)]
pub(super) struct NewToken {
    /// For the audit.
    name: String,
    role: Role,
    /// The only organization it may see; absent for all.
    organization_id: Option<String>,
    /// Such as `90d`; absent for never.
    expires_in: Option<String>,
}

/// A token with its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct FreshToken {
    #[serde(flatten)]
    token: Token,
    /// To be sent as `Authorization: Bearer …`.
    secret: String,
}

fn named(parameter: &str, name: &str) -> Result<String, ApiError> {
    let name = name.trim();
    if name.is_empty() || name.len() > 128 || name.chars().any(char::is_control) {
        return Err(ApiError::invalid(
            parameter,
            "Send 1 to 128 bytes without control characters.",
        ));
    }
    Ok(name.to_owned())
}

/// Every API token, without secrets.
#[utoipa::path(get, path = "/tokens", tag = "access", responses(
    (status = 200, description = "The tokens", body = Tokens),
    (status = 403, description = "Needs the role admin", body = Problem),
))]
pub(super) async fn tokens(
    AxumState(app): AxumState<App>,
    caller: Caller,
) -> Result<Json<Tokens>, ApiError> {
    caller.needs_admin()?;
    let tokens = app.state.tokens().await?;
    Ok(Json(Tokens {
        tokens: tokens.into_iter().map(Token::from).collect(),
        next_cursor: None,
    }))
}

/// Make a token; its secret is in this answer only.
#[utoipa::path(post, path = "/tokens", tag = "access", request_body = NewToken, responses(
    (status = 201, description = "The token with its secret", body = FreshToken),
    (status = 400, description = "A value was not accepted", body = Problem),
    (status = 403, description = "Needs the role admin", body = Problem),
))]
pub(super) async fn new_token(
    AxumState(app): AxumState<App>,
    caller: Caller,
    Body(wanted): Body<NewToken>,
) -> Result<(StatusCode, Json<FreshToken>), ApiError> {
    caller.needs_admin()?;
    let now = time::now();
    let expires_at = end_of("expires_in", &wanted.expires_in, now)?;
    let secret = new_secret("omnify_");
    let row = TokenRow {
        id: uuid::Uuid::now_v7().to_string(),
        name: named("name", &wanted.name)?,
        hash: hash(&secret),
        role: wanted.role.as_str().to_owned(),
        organization_id: wanted
            .organization_id
            .map(|id| named("organization_id", &id))
            .transpose()?,
        created_at: now,
        expires_at,
        last_used_at: None,
    };
    app.state.put_token(&row).await?;
    caller.audit("make_token", &row.name);
    Ok((
        StatusCode::CREATED,
        Json(FreshToken {
            token: row.into(),
            secret,
        }),
    ))
}

/// Revoke a token.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "access",
    params(("id" = String, Path, description = "Of the token")), responses(
    (status = 204, description = "Revoked"),
    (status = 403, description = "Needs the role admin", body = Problem),
    (status = 404, description = "No such token", body = Problem),
))]
pub(super) async fn revoke_token(
    AxumState(app): AxumState<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.needs_admin()?;
    if !app.state.delete_token(&id).await? {
        return Err(ApiError::NotFound("There is no such token.".to_owned()));
    }
    caller.audit("revoke_token", &id);
    Ok(StatusCode::NO_CONTENT)
}

/// A user, without the password.
#[derive(Serialize, ToSchema)]
pub(super) struct User {
    username: String,
    role: String,
    /// The only organization they may see; null for all.
    organization_id: Option<String>,
    /// RFC 3339.
    created_at: String,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            username: row.username,
            role: row.role,
            organization_id: row.organization_id,
            created_at: rfc3339(row.created_at),
        }
    }
}

/// Every user.
#[derive(Serialize, ToSchema)]
pub(super) struct Users {
    /// By name.
    users: Vec<User>,
    /// Always null: all users are on this page.
    next_cursor: Option<String>,
}

/// What a user is to be.
#[derive(Deserialize, ToSchema)]
pub(super) struct UserChange {
    /// At least 12 characters.
    password: String,
    role: Role,
    /// The only organization they may see; absent for all.
    organization_id: Option<String>,
}

/// Every user who logs in with a password.
#[utoipa::path(get, path = "/users", tag = "access", responses(
    (status = 200, description = "The users", body = Users),
    (status = 403, description = "Needs the role admin", body = Problem),
))]
pub(super) async fn users(
    AxumState(app): AxumState<App>,
    caller: Caller,
) -> Result<Json<Users>, ApiError> {
    caller.needs_admin()?;
    let users = app.state.users().await?;
    Ok(Json(Users {
        users: users.into_iter().map(User::from).collect(),
        next_cursor: None,
    }))
}

/// Make a user, or change one; their sessions end.
#[utoipa::path(put, path = "/users/{username}", tag = "access",
    params(("username" = String, Path, description = "Login name")), request_body = UserChange, responses(
    (status = 200, description = "The user as they are now", body = User),
    (status = 400, description = "A value was not accepted", body = Problem),
    (status = 403, description = "Needs the role admin", body = Problem),
))]
pub(super) async fn put_user(
    AxumState(app): AxumState<App>,
    caller: Caller,
    Path(username): Path<String>,
    Body(change): Body<UserChange>,
) -> Result<Json<User>, ApiError> {
    caller.needs_admin()?;
    if change.password.chars().count() < SHORTEST_PASSWORD || change.password.len() > 1_024 {
        return Err(ApiError::invalid(
            "password",
            "A password has 12 to 1,024 characters.",
        ));
    }
    let password_hash = hash_password(&change.password)
        .await
        .ok_or(ApiError::Internal(
            "OT0419: the password could not be hashed",
        ))?;
    let row = UserRow {
        username: named("username", &username)?,
        password_hash,
        role: change.role.as_str().to_owned(),
        organization_id: change
            .organization_id
            .map(|id| named("organization_id", &id))
            .transpose()?,
        created_at: time::now(),
    };
    app.state.delete_user(&row.username).await?;
    app.state.put_user(&row).await?;
    caller.audit("change_user", &row.username);
    Ok(Json(row.into()))
}

/// Remove a user; their sessions end.
#[utoipa::path(delete, path = "/users/{username}", tag = "access",
    params(("username" = String, Path, description = "Login name")), responses(
    (status = 204, description = "Removed"),
    (status = 403, description = "Needs the role admin", body = Problem),
    (status = 404, description = "No such user", body = Problem),
))]
pub(super) async fn remove_user(
    AxumState(app): AxumState<App>,
    caller: Caller,
    Path(username): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.needs_admin()?;
    if !app.state.delete_user(&username).await? {
        return Err(ApiError::NotFound("There is no such user.".to_owned()));
    }
    caller.audit("remove_user", &username);
    Ok(StatusCode::NO_CONTENT)
}
