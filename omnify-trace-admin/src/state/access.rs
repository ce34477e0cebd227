//! Tokens, users and sessions. Secrets are kept as hashes only.

use super::{State, StateError, change, with_pool};

/// An API token without its secret.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TokenRow {
    /// Id, for revoking.
    pub id: String,
    /// What it is called in the audit.
    pub name: String,
    /// SHA-256 of the token, hexadecimal.
    pub hash: String,
    /// `viewer`, `support` or `admin`.
    pub role: String,
    /// The only organization it may see.
    pub organization_id: Option<String>,
    /// Unix nanoseconds.
    pub created_at: i64,
    /// Unix nanoseconds; `None` for ever.
    pub expires_at: Option<i64>,
    /// Unix nanoseconds.
    pub last_used_at: Option<i64>,
}

/// A user who logs in with a password.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct UserRow {
    /// Login name.
    pub username: String,
    /// argon2id, PHC string.
    pub password_hash: String,
    /// `viewer`, `support` or `admin`.
    pub role: String,
    /// The only organization they may see.
    pub organization_id: Option<String>,
    /// Unix nanoseconds.
    pub created_at: i64,
}

/// A session of a browser.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::FromRow)]
pub struct SessionRow {
    /// SHA-256 of the cookie's value, hexadecimal.
    pub hash: String,
    /// Who logged in.
    pub name: String,
    /// `viewer`, `support` or `admin`.
    pub role: String,
    /// The only organization it may see.
    pub organization_id: Option<String>,
    /// What a mutating call has to repeat in `X-CSRF-Token`.
    pub csrf_token: String,
    /// Unix nanoseconds.
    pub created_at: i64,
    /// Unix nanoseconds.
    pub expires_at: i64,
}

impl State {
    /// Keeps a token, replacing one of the same hash or id. Several instances may keep the same one
    /// at once.
    ///
    /// # Errors
    /// [`StateError::Database`].
    pub async fn put_token(&self, row: &TokenRow) -> Result<(), StateError> {
        // Two unique columns, and Postgres resolves a conflict with one of them only: so nothing is
        // inserted if there is any, and the one that is left is of the same hash.
        change!(
            self,
            "replace a token",
            sqlx::query("DELETE FROM tokens WHERE id = $1 AND hash <> $2")
                .bind(&row.id)
                .bind(&row.hash)
        )?;
        let inserted = change!(self, "keep a token", sqlx::query(
            "INSERT INTO tokens (id, name, hash, role, organization_id, created_at, expires_at, last_used_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING"
        )
        .bind(&row.id)
        .bind(&row.name)
        .bind(&row.hash)
        .bind(&row.role)
        .bind(&row.organization_id)
        .bind(row.created_at)
        .bind(row.expires_at)
        .bind(row.last_used_at))?;
        if inserted > 0 {
            return Ok(());
        }
        change!(
            self,
            "replace a token",
            sqlx::query(
                "UPDATE tokens SET name = $1, role = $2, organization_id = $3, expires_at = $4
                 WHERE hash = $5"
            )
            .bind(&row.name)
            .bind(&row.role)
            .bind(&row.organization_id)
            .bind(row.expires_at)
            .bind(&row.hash)
        )
        .map(|_| ())
    }

    /// The token with this hash.
    ///
    /// # Errors
    /// [`StateError::Database`].
    pub async fn token(&self, hash: &str) -> Result<Option<TokenRow>, StateError> {
        with_pool!(self, "look for a token", |pool| sqlx::query_as(
            "SELECT * FROM tokens WHERE hash = $1"
        )
        .bind(hash)
        .fetch_optional(pool))
    }

    /// Every token, newest first.
    ///
    /// # Errors
    /// [`StateError::Database`].
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, StateError> {
        with_pool!(self, "list the tokens", |pool| sqlx::query_as(
            "SELECT * FROM tokens ORDER BY created_at DESC, id LIMIT 1000"
        )
        .fetch_all(pool))
    }

    /// Forgets a token; whether there was one.
    ///
    /// # Errors
    /// [`StateError::Database`].
    pub async fn delete_token(&self, id: &str) -> Result<bool, StateError> {
        change!(
            self,
            "revoke a token",
            sqlx::query("DELETE FROM tokens WHERE id = $1").bind(id)
        )
        .map(|rows| rows > 0)
    }

    /// Notes when a token was last used.
    ///
    /// # Errors
    /// [`StateError::Database`].
    pub async fn touch_token(&self, id: &str, at: i64) -> Result<(), StateError> {
        change!(
            self,
            "note a token's use",
            sqlx::query("UPDATE tokens SET last_used_at = $1 WHERE id = $2")
                .bind(at)
                .bind(id)
        )
        .map(|_| ())
    }

    /// Keeps a user, replacing one of the same name.
    ///
    /// # Errors
    /// [`StateError::Database`].
    pub async fn put_user(&self, row: &UserRow) -> Result<(), StateError> {
        change!(
            self,
            "keep a user",
            sqlx::query(
                "INSERT INTO users (username, password_hash, role, organization_id, created_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (username) DO UPDATE SET password_hash = excluded.password_hash,
                role = excluded.role, organization_id = excluded.organization_id"
            )
            .bind(&row.username)
            .bind(&row.password_hash)
            .bind(&row.role)
            .bind(&row.organization_id)
            .bind(row.created_at)
        )
        .map(|_| ())
    }

    /// The user of this name.
    ///
    /// # Errors
    /// [`StateError::Database`].
    pub async fn user(&self, username: &str) -> Result<Option<UserRow>, StateError> {
        with_pool!(self, "look for a user", |pool| sqlx::query_as(
            "SELECT * FROM users WHERE username = $1"
        )
        .bind(username)
        .fetch_optional(pool))
    }

    /// Every user, by name.
    ///
    /// # Errors
    /// [`StateError::Database`].
    pub async fn users(&self) -> Result<Vec<UserRow>, StateError> {
        with_pool!(self, "list the users", |pool| sqlx::query_as(
            "SELECT * FROM users ORDER BY username LIMIT 1000"
        )
        .fetch_all(pool))
    }

    /// Forgets a user and their sessions; whether there was one.
    ///
    /// # Errors
    /// [`StateError::Database`].
    pub async fn delete_user(&self, username: &str) -> Result<bool, StateError> {
        if let Some(redis) = &self.redis {
            redis.delete_sessions_of(username).await?;
        }
        change!(
            self,
            "remove a user's sessions",
            sqlx::query("DELETE FROM sessions WHERE name = $1").bind(username)
        )
        .map(|_| ())?;
        change!(
            self,
            "remove a user",
            sqlx::query("DELETE FROM users WHERE username = $1").bind(username)
        )
        .map(|rows| rows > 0)
    }

    /// Keeps a session.
    ///
    /// # Errors
    /// [`StateError::Database`] or [`StateError::Redis`].
    pub async fn put_session(&self, row: &SessionRow) -> Result<(), StateError> {
        if let Some(redis) = &self.redis {
            return redis.put_session(row).await;
        }
        change!(self, "keep a session", sqlx::query(
            "INSERT INTO sessions (hash, name, role, organization_id, csrf_token, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)"
        )
        .bind(&row.hash)
        .bind(&row.name)
        .bind(&row.role)
        .bind(&row.organization_id)
        .bind(&row.csrf_token)
        .bind(row.created_at)
        .bind(row.expires_at))
        .map(|_| ())
    }

    /// The session with this hash that has not expired.
    ///
    /// # Errors
    /// [`StateError::Database`] or [`StateError::Redis`].
    pub async fn session(&self, hash: &str, now: i64) -> Result<Option<SessionRow>, StateError> {
        if let Some(redis) = &self.redis {
            return redis.session(hash, now).await;
        }
        with_pool!(self, "look for a session", |pool| sqlx::query_as(
            "SELECT * FROM sessions WHERE hash = $1 AND expires_at > $2"
        )
        .bind(hash)
        .bind(now)
        .fetch_optional(pool))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`StateError::Database`] or [`StateError::Redis`].
    pub async fn delete_session(&self, hash: &str) -> Result<(), StateError> {
        if let Some(redis) = &self.redis {
            return redis.delete_session(hash).await;
        }
        change!(
            self,
            "end a session",
            sqlx::query("DELETE FROM sessions WHERE hash = $1").bind(hash)
        )
        .map(|_| ())
    }

    /// Forgets the sessions that expired before `now`.
    ///
    /// # Errors
    /// [`StateError::Database`] or [`StateError::Redis`].
    pub async fn expire_sessions(&self, now: i64) -> Result<(), StateError> {
        change!(
            self,
            "expire sessions",
            sqlx::query("DELETE FROM sessions WHERE expires_at <= $1").bind(now)
        )
        .map(|_| ())
    }
}
