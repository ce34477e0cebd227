//! The builder that puts the rooms together.

use std::{path::PathBuf, sync::Arc, time::Duration};

use axum::Router;
use omnify_trace::{exposition::Exposition, setup::Levels};
use tokio::task::JoinHandle;

use crate::{
    Redis,
    access::{Role, hash, hash_password, new_secret},
    alerts::{Engine, defaults},
    api::{self, App, LostLines, MoreMetrics, Options},
    state::{AlertRow, State, StateError, TokenRow, UserRow},
    store::{EmbeddedStore, LogStore, StoreError, StoreOptions},
    time,
};

/// Why the admin API could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A directory could not be made.
    #[error("OT0420: the directory {path} could not be made: {source}")]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The state could not be opened.
    #[error(transparent)]
    State(#[from] StateError),
    /// The store could not be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A password could not be hashed.
    #[error("OT0421: the password of `{0}` could not be hashed: the system gave no randomness")]
    Password(String),
    /// The runtime ended while the store was being opened.
    #[error("OT0422: the log store was not opened, because the runtime is ending")]
    Aborted,
}

/// The running admin API.
pub struct Admin {
    app: App,
    first_token: Option<String>,
    alerts: Option<JoinHandle<()>>,
}

impl Admin {
    /// A builder with every default.
    pub fn builder() -> AdminBuilder {
        AdminBuilder::default()
    }

    /// The token that was made because there was none, to be shown to the operator once.
    #[must_use]
    pub fn first_token(&self) -> Option<String> {
        self.first_token.clone()
    }

    /// `/api/admin/*`, `/healthz`, `/readyz`, `/metrics`; no state left to provide.
    pub fn router(&self) -> Router {
        api::router(&self.app)
    }

    /// The store behind it.
    #[must_use]
    pub fn store(&self) -> Arc<dyn LogStore> {
        Arc::clone(&self.app.store)
    }

    /// The state behind it.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.app.state
    }

    /// Ends live streams, seals the store and closes the state.
    pub async fn shutdown(&self) {
        if let Some(alerts) = &self.alerts {
            alerts.abort();
        }
        self.app.store.close().await;
        self.app.state.close().await;
    }
}

/// Options of [`Admin`].
#[derive(Default)]
#[must_use]
pub struct AdminBuilder {
    log_dir: Option<PathBuf>,
    data_dir: Option<PathBuf>,
    database_url: Option<String>,
    redis_url: Option<String>,
    token: Option<String>,
    service_name: Option<String>,
    store: Option<Arc<dyn LogStore>>,
    #[cfg(feature = "object-store")]
    segments_url: Option<String>,
    users: Vec<(String, String, Role, Option<String>)>,
    session_length: Option<Duration>,
    secure_cookies: bool,
    levels: Option<Levels>,
    lost_lines: Option<LostLines>,
    more_metrics: Option<MoreMetrics>,
    alert_period: Option<Duration>,
}

impl AdminBuilder {
    /// Directory of the log files. Defaults to `logs` in the data directory.
    pub fn log_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.log_dir = Some(directory.into());
        self
    }

    /// Directory of the store and the SQLite state. Defaults to `data`.
    pub fn data_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(directory.into());
        self
    }

    /// `sqlite://path` or `postgres://…`. Defaults to `admin.db` in the data directory.
    pub fn database_url(mut self, url: impl Into<String>) -> Self {
        self.database_url = Some(url.into());
        self
    }

    /// `redis://host:port`, `rediss://…` or `unix:///path`, for several instances behind one address:
    /// they share sessions, counts of failed logins and the live tail. Defaults to `None`.
    pub fn redis_url(mut self, url: Option<String>) -> Self {
        self.redis_url = url;
        self
    }

    /// The administrator's token. Without one, and with none in the state, a new one is made.
    /// Defaults to `None`.
    pub fn token(mut self, token: Option<String>) -> Self {
        self.token = token.filter(|token| !token.trim().is_empty());
        self
    }

    /// Adds a user who logs in with a password, or changes the one of that name. Defaults to none.
    pub fn user(
        mut self,
        username: impl Into<String>,
        password: impl Into<String>,
        role: Role,
        organization_id: Option<String>,
    ) -> Self {
        self.users
            .push((username.into(), password.into(), role, organization_id));
        self
    }

    /// What `health` calls the service. Defaults to `omnify`.
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.service_name = Some(name.into());
        self
    }

    /// Another engine than the embedded one. Defaults to the embedded one over the log directory.
    pub fn store(mut self, store: Arc<dyn LogStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// Also keeps the embedded store's segments on an object store:
    /// [`StoreOptions::segments_url`]. Defaults to `None`.
    #[cfg(feature = "object-store")]
    pub fn segments_url(mut self, url: Option<String>) -> Self {
        self.segments_url = url;
        self
    }

    /// How long a login lasts. Defaults to 12 hours.
    pub fn session_length(mut self, length: Duration) -> Self {
        self.session_length = Some(length);
        self
    }

    /// Marks the cookie `Secure` always, not only behind a proxy that says `https`. Defaults to
    /// off, so that plain loopback works.
    pub fn secure_cookies(mut self) -> Self {
        self.secure_cookies = true;
        self
    }

    /// The levels that `PUT levels` changes: `telemetry.levels().clone()`. Defaults to those of the
    /// process's own telemetry; where there is none, the route answers 404.
    pub fn levels(mut self, levels: Levels) -> Self {
        self.levels = Some(levels);
        self
    }

    /// How often the alert rules are evaluated; zero for never. Defaults to 15 seconds.
    pub fn alert_period(mut self, period: Duration) -> Self {
        self.alert_period = Some(period);
        self
    }

    /// How many lines the journal lost so far, for `health` and `metrics`. Defaults to unknown.
    pub fn lost_lines(mut self, count: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.lost_lines = Some(Arc::new(count));
        self
    }

    /// Other figures that `/metrics` tells too, in the format asked for, without an end mark:
    /// `omnify-trace-axum`'s `Metrics::text`. Defaults to none.
    pub fn more_metrics(
        mut self,
        text: impl Fn(Exposition) -> String + Send + Sync + 'static,
    ) -> Self {
        self.more_metrics = Some(Arc::new(text));
        self
    }

    /// Opens the state and the store, and starts following the log files.
    ///
    /// # Errors
    /// [`BuildError`], which names the directory, database or option at fault.
    pub async fn build(self) -> Result<Admin, BuildError> {
        let data_dir = self.data_dir.unwrap_or_else(|| PathBuf::from("data"));
        std::fs::create_dir_all(&data_dir).map_err(|source| BuildError::Directory {
            path: data_dir.clone(),
            source,
        })?;
        let url = self
            .database_url
            .unwrap_or_else(|| State::sqlite_url(&data_dir));
        let mut state = State::open(&url).await?;
        if let Some(url) = &self.redis_url {
            state = state.with_redis(Redis::open(url).await?);
        }
        let first_token = provide_token(&state, self.token.as_deref()).await?;
        for (username, password, role, organization_id) in self.users {
            let password_hash = hash_password(&password)
                .await
                .ok_or_else(|| BuildError::Password(username.clone()))?;
            let created_at = time::now();
            let role = role.as_str().to_owned();
            state
                .put_user(&UserRow {
                    username,
                    password_hash,
                    role,
                    organization_id,
                    created_at,
                })
                .await?;
        }
        let mut followed = None;
        let store = match self.store {
            Some(store) => store,
            None => {
                let log_dir = self.log_dir.unwrap_or_else(|| data_dir.join("logs"));
                std::fs::create_dir_all(&log_dir).map_err(|source| BuildError::Directory {
                    path: log_dir.clone(),
                    source,
                })?;
                followed = Some(log_dir.clone());
                let options = StoreOptions::new(log_dir, data_dir.join("store"));
                #[cfg(feature = "object-store")]
                let options = match &self.segments_url {
                    Some(url) => options.segments_url(url)?,
                    None => options,
                };
                let opened = tokio::task::spawn_blocking(|| EmbeddedStore::open(options)).await;
                Arc::new(opened.map_err(|_| BuildError::Aborted)??) as Arc<dyn LogStore>
            }
        };
        let alerts = match self.alert_period.unwrap_or(Duration::from_secs(15)) {
            Duration::ZERO => None,
            period => {
                provide_rules(&state).await?;
                Some(Engine::new(state.clone(), Arc::clone(&store)).start(period))
            }
        };
        let options = Options {
            followed,
            session_length: self
                .session_length
                .unwrap_or(Duration::from_secs(12 * 60 * 60)),
            secure_cookies: self.secure_cookies,
            service_name: self.service_name.unwrap_or_else(|| "omnify".to_owned()),
            levels: self
                .levels
                .or_else(|| omnify_trace::setup::levels().cloned()),
            lost_lines: self.lost_lines,
            more_metrics: self.more_metrics,
        };
        Ok(Admin {
            app: App::new(store, state, options),
            first_token,
            alerts,
        })
    }
}

/// Makes the configured token valid, or a new one if there is none at all. The configured token
/// takes the place of the one configured before.
async fn provide_token(
    state: &State,
    configured: Option<&str>,
) -> Result<Option<String>, StateError> {
    const CONFIGURED: &str = "configured";
    let (id, secret, first) = match configured {
        Some(token) => (CONFIGURED.to_owned(), token.trim().to_owned(), None),
        None if state.tokens().await?.is_empty() => {
            let secret = new_secret("omnify_");
            (
                uuid::Uuid::now_v7().to_string(),
                secret.clone(),
                Some(secret),
            )
        }
        None => return Ok(None),
    };
    state
        .put_token(&TokenRow {
            id,
            name: if first.is_some() {
                "first token"
            } else {
                "configured token"
            }
            .to_owned(),
            hash: hash(&secret),
            role: Role::Admin.as_str().to_owned(),
            organization_id: None,
            created_at: time::now(),
            expires_at: None,
            last_used_at: None,
        })
        .await?;
    Ok(first)
}

/// A new installation begins with the default rules; one whose rules were all removed keeps none
/// of them only until its next start.
async fn provide_rules(state: &State) -> Result<(), StateError> {
    if !state.alerts().await?.is_empty() {
        return Ok(());
    }
    for (id, rule) in defaults() {
        let Ok(definition) = serde_json::to_string(&rule) else {
            continue;
        };
        let row = AlertRow {
            id: id.to_owned(),
            definition,
            updated_at: time::now(),
            updated_by: "default".to_owned(),
        };
        state.put_alert(&row).await?;
    }
    Ok(())
}
