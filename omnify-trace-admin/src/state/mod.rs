//! The little that is not in the log files: tokens, users, sessions, issues, alert rules.
//!
//! SQLite beside the log files by default, Postgres by URL for several instances. Sessions are in
//! [`Redis`] instead where there is one.

mod access;
mod alerts;
mod issues;
mod leases;
mod migrations;

use std::{path::Path, str::FromStr, time::Duration};

use sqlx::{
    PgPool, SqlitePool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use access::{SessionRow, TokenRow, UserRow};
pub use alerts::{AlertRow, AlertStateRow};
pub use issues::{IssueRow, IssueState};

use crate::Redis;

/// How long a statement waits for a connection or a lock.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why the state could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The URL names a database that we do not speak.
    #[error(
        "OT0410: `{0}` is not a database URL that the admin state understands; use sqlite://path or postgres://…"
    )]
    Url(String),
    /// The database refused.
    #[error("OT0411: the state database could not {action}: {source}")]
    Database {
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: sqlx::Error,
    },
    /// Redis is not there, or refused.
    #[error("OT0413: Redis (REDIS_URL) could not {action}: {source}")]
    Redis {
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: redis::RedisError,
    },
    /// The URL does not name a Redis.
    #[error(
        "OT0414: `{0}` is not the address of a Redis; use redis://host:port, rediss://… for TLS, or unix:///path"
    )]
    RedisUrl(String),
    /// The schema could not be brought up to date.
    #[error("OT0412: the state database's schema could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

/// One database, whichever it is. Cheap to clone.
#[derive(Debug, Clone)]
pub struct State {
    pool: Pool,
    redis: Option<Redis>,
}

#[derive(Debug, Clone)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// The same statement for whichever database there is: `$1`, `$2` mean the same to both.
macro_rules! with_pool {
    ($state:expr, $action:literal, |$pool:ident| $statement:expr) => {
        match &$state.pool {
            $crate::state::Pool::Sqlite($pool) => $statement.await,
            $crate::state::Pool::Postgres($pool) => $statement.await,
        }
        .map_err(|source| $crate::state::StateError::Database {
            action: $action,
            source,
        })
    };
}

/// A statement that changes rows: how many.
macro_rules! change {
    ($state:expr, $action:literal, $query:expr) => {
        match &$state.pool {
            $crate::state::Pool::Sqlite(pool) => {
                $query.execute(pool).await.map(|done| done.rows_affected())
            }
            $crate::state::Pool::Postgres(pool) => {
                $query.execute(pool).await.map(|done| done.rows_affected())
            }
        }
        .map_err(|source| $crate::state::StateError::Database {
            action: $action,
            source,
        })
    };
}
use {change, with_pool};

impl State {
    /// Opens (and creates, for SQLite) the database and brings its schema up to date.
    ///
    /// # Errors
    /// [`StateError`]: an unknown URL, an unreachable database, a schema from the future.
    pub async fn open(url: &str) -> Result<Self, StateError> {
        let fail = |source| StateError::Database {
            action: "be opened",
            source,
        };
        let pool = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => {
                let options = SqliteConnectOptions::from_str(url)
                    .map_err(fail)?
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Normal)
                    .foreign_keys(true)
                    .busy_timeout(PATIENCE);
                let memory = url.contains(":memory:") || url.contains("mode=memory");
                let pool = SqlitePoolOptions::new()
                    // Each connection to memory is a database of its own.
                    .max_connections(if memory { 1 } else { 4 })
                    .acquire_timeout(PATIENCE)
                    .connect_with(options)
                    .await
                    .map_err(fail)?;
                Pool::Sqlite(pool)
            }
            Some("postgres" | "postgresql") => Pool::Postgres(
                PgPoolOptions::new()
                    .max_connections(8)
                    .acquire_timeout(PATIENCE)
                    .connect(url)
                    .await
                    .map_err(fail)?,
            ),
            _ => return Err(StateError::Url(without_password(url))),
        };
        match &pool {
            Pool::Sqlite(pool) => migrations::migrator().run(pool).await?,
            Pool::Postgres(pool) => migrations::migrator().run(pool).await?,
        }
        Ok(Self { pool, redis: None })
    }

    /// Keeps sessions in this Redis from now on.
    #[must_use]
    pub fn with_redis(mut self, redis: Redis) -> Self {
        self.redis = Some(redis);
        self
    }

    /// The Redis that the instances share, if there is one.
    pub(crate) const fn redis(&self) -> Option<&Redis> {
        self.redis.as_ref()
    }

    /// The URL of a SQLite file in this directory.
    #[must_use]
    pub fn sqlite_url(data_dir: &Path) -> String {
        format!("sqlite://{}", data_dir.join("admin.db").display())
    }

    /// `sqlite` or `postgres`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.pool {
            Pool::Sqlite(_) => "sqlite",
            Pool::Postgres(_) => "postgres",
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`StateError::Database`] if it does not.
    pub async fn ping(&self) -> Result<(), StateError> {
        change!(self, "answer", sqlx::query("SELECT 1")).map(|_| ())
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::Postgres(pool) => pool.close().await,
        }
    }
}

/// A URL fit for an error message.
pub(crate) fn without_password(url: &str) -> String {
    // A parameter may be a password too.
    let address = url.split('?').next().unwrap_or_default();
    match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => address.to_owned(),
    }
}
