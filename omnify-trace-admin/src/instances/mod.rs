//! What several instances behind one address share through Redis: sessions, counts of failed
//! logins, and the live tail.
//!
//! Nothing that is only in Redis is needed again once Redis has lost it: people log in again, counts
//! begin again, and the lines are in the log files.

mod failures;
mod relay;
mod sessions;

use std::{fmt, time::Duration};

use redis::{
    Client, FromRedisValue, Pipeline,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use crate::state::{StateError, without_password};

pub(crate) use relay::{Relay, Told};

/// How long an answer may take; Redis answers within a millisecond or is away.
const PATIENCE: Duration = Duration::from_secs(2);

/// A Redis that the instances share. Cheap to clone.
#[derive(Clone)]
pub struct Redis {
    client: Client,
    connection: ConnectionManager,
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client knows the password.
        f.write_str("Redis")
    }
}

impl Redis {
    /// Connects to `redis://host:port/db`, `rediss://…` (TLS) or `unix:///path`. A connection that is
    /// lost later is made again by itself.
    ///
    /// # Errors
    /// [`StateError::RedisUrl`] for another URL, [`StateError::Redis`] if it does not answer.
    pub async fn open(url: &str) -> Result<Self, StateError> {
        crate::tls::provide();
        let client = Client::open(url).map_err(|_| StateError::RedisUrl(without_password(url)))?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_number_of_retries(1);
        let connection = ConnectionManager::new_with_config(client.clone(), config)
            .await
            .map_err(failed("be reached"))?;
        Ok(Self { client, connection })
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// [`StateError::Redis`] if it does not.
    pub async fn ping(&self) -> Result<(), StateError> {
        let mut ping = redis::pipe();
        ping.cmd("PING").ignore();
        self.ask("answer", &ping).await
    }

    /// Sends the commands together, as one transaction where the pipeline is atomic.
    async fn ask<T: FromRedisValue>(
        &self,
        action: &'static str,
        commands: &Pipeline,
    ) -> Result<T, StateError> {
        // The manager is one connection for all: a clone of it is a handle.
        let mut connection = self.connection.clone();
        commands
            .query_async(&mut connection)
            .await
            .map_err(failed(action))
    }
}

/// What a failed command becomes.
fn failed(action: &'static str) -> impl FnOnce(redis::RedisError) -> StateError {
    move |source| StateError::Redis { action, source }
}
