//! The server's settings, all from the environment, each checked at the start.

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr};

use crate::agent::{Endpoint, Endpoints};

/// A setting that cannot be used. The message names the variable, its value and what is allowed.
#[derive(Debug, thiserror::Error)]
#[error("OT0731: {variable}={value:?} cannot be used: {allowed}")]
pub(crate) struct ConfigError {
    variable: &'static str,
    value: String,
    allowed: String,
}

/// Everything that the environment says.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// `OMNIFY_LISTEN`
    pub(crate) listen: SocketAddr,
    /// `OMNIFY_DATA_DIR`
    pub(crate) data_dir: PathBuf,
    /// `OMNIFY_LOG_DIR`
    pub(crate) log_dir: PathBuf,
    /// `OMNIFY_WORKFLOW_DIR`
    pub(crate) workflow_dir: Option<PathBuf>,
    /// `OMNIFY_ADMIN_TOKEN`
    pub(crate) admin_token: Option<String>,
    /// `DATABASE_URL`
    pub(crate) database_url: String,
    /// `REDIS_URL`
    pub(crate) redis_url: Option<String>,
    /// `OMNIFY_SEGMENTS_URL`
    pub(crate) segments_url: Option<String>,
    /// `LOKI_URL`, `LOKI_TENANT`, `LOKI_SHIP`
    pub(crate) loki: Option<Loki>,
    /// `OMNIFY_JWT_SECRET`
    pub(crate) jwt_secret: Option<String>,
    /// `OMNIFY_AGENTKIT_URL`, `OMNIFY_GOHIGHLEVEL_URL`, `OMNIFY_OPENAI_URL` and their `…_KEY`
    pub(crate) endpoints: Endpoints,
}

/// A Loki to keep and search the lines in.
#[derive(Debug, Clone)]
pub(crate) struct Loki {
    pub(crate) url: String,
    pub(crate) tenant: Option<String>,
    /// Whether the server ships the lines itself.
    pub(crate) ship: bool,
}

/// Reads a variable; empty counts as absent.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The process's own environment.
pub(crate) fn process_environment(name: &str) -> Option<String> {
    std::env::var_os(name)
        .map(|value| value.to_string_lossy().into_owned())
        .filter(|value| !value.is_empty())
}

impl Config {
    /// Reads and checks every setting.
    pub(crate) fn read(environment: Environment<'_>) -> Result<Self, ConfigError> {
        let data_dir =
            environment("OMNIFY_DATA_DIR").map_or_else(|| PathBuf::from("data"), PathBuf::from);
        let log_dir =
            environment("OMNIFY_LOG_DIR").map_or_else(|| data_dir.join("logs"), PathBuf::from);
        let listen = parsed(
            environment,
            "OMNIFY_LISTEN",
            "an address and port, such as 127.0.0.1:8000 or [::]:8000",
        )?
        .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8000)));
        let database_url = environment("DATABASE_URL").unwrap_or_else(|| {
            format!("sqlite://{}?mode=rwc", data_dir.join("server.db").display())
        });
        if !["sqlite:", "postgres:", "postgresql:"]
            .iter()
            .any(|scheme| database_url.starts_with(scheme))
        {
            return Err(wrong(
                "DATABASE_URL",
                database_url.split(':').next().unwrap_or_default(),
                "a URL that begins with sqlite: or postgres:",
            ));
        }
        for variable in ["SENTRY_DSN", "OTEL_EXPORTER_OTLP_ENDPOINT"] {
            if let Some(value) = environment(variable) {
                return Err(wrong(
                    variable,
                    &value,
                    "this build has no exporter for it yet; unset it (ship the log files with Alloy or Promtail instead: see deploy/)",
                ));
            }
        }
        Ok(Self {
            listen,
            log_dir,
            workflow_dir: existing_dir(environment, "OMNIFY_WORKFLOW_DIR")?,
            admin_token: secret(environment, "OMNIFY_ADMIN_TOKEN", 16)?,
            database_url,
            redis_url: redis_url(environment)?,
            segments_url: environment("OMNIFY_SEGMENTS_URL"),
            loki: loki(environment)?,
            jwt_secret: secret(environment, "OMNIFY_JWT_SECRET", 32)?,
            endpoints: Endpoints {
                agentkit: endpoint(environment, "OMNIFY_AGENTKIT_URL", "OMNIFY_AGENTKIT_KEY")?,
                gohighlevel: endpoint(
                    environment,
                    "OMNIFY_GOHIGHLEVEL_URL",
                    "OMNIFY_GOHIGHLEVEL_KEY",
                )?,
                openai: endpoint(environment, "OMNIFY_OPENAI_URL", "OMNIFY_OPENAI_KEY")?,
            },
            data_dir,
        })
    }
}

fn wrong(variable: &'static str, value: &str, allowed: impl fmt::Display) -> ConfigError {
    ConfigError {
        variable,
        value: value.to_owned(),
        allowed: allowed.to_string(),
    }
}

fn parsed<T: FromStr>(
    environment: Environment<'_>,
    variable: &'static str,
    allowed: &str,
) -> Result<Option<T>, ConfigError> {
    let Some(value) = environment(variable) else {
        return Ok(None);
    };
    value
        .parse()
        .map(Some)
        .map_err(|_| wrong(variable, &value, allowed))
}

fn existing_dir(
    environment: Environment<'_>,
    variable: &'static str,
) -> Result<Option<PathBuf>, ConfigError> {
    let Some(value) = environment(variable) else {
        return Ok(None);
    };
    let path = PathBuf::from(&value);
    if !path.is_dir() {
        return Err(wrong(variable, &value, "a folder that exists"));
    }
    Ok(Some(path))
}

/// A secret is never shown, not even when it is wrong.
fn secret(
    environment: Environment<'_>,
    variable: &'static str,
    least: usize,
) -> Result<Option<String>, ConfigError> {
    match environment(variable) {
        Some(value) if value.len() < least => Err(wrong(
            variable,
            "(hidden)",
            format!("a secret of at least {least} characters"),
        )),
        value => Ok(value),
    }
}

fn endpoint(
    environment: Environment<'_>,
    url: &'static str,
    key: &'static str,
) -> Result<Option<Endpoint>, ConfigError> {
    let base = address(environment, url, "https://agents.example.com")?;
    Ok(base.map(|base| Endpoint {
        base,
        key: environment(key),
    }))
}

/// Only its kind is looked at here, and the rest not shown: it may hold a password.
fn redis_url(environment: Environment<'_>) -> Result<Option<String>, ConfigError> {
    let url = environment("REDIS_URL");
    let kind = url
        .as_deref()
        .map(|url| url.split(':').next().unwrap_or_default());
    match kind {
        None | Some("redis" | "rediss" | "unix") => Ok(url),
        Some(kind) => {
            let allowed = "redis://host:port, rediss://host:port for TLS, or unix:///path";
            Err(wrong("REDIS_URL", kind, allowed))
        }
    }
}

fn loki(environment: Environment<'_>) -> Result<Option<Loki>, ConfigError> {
    let ship = match environment("LOKI_SHIP").as_deref() {
        None | Some("on") => true,
        Some("off") => false,
        Some(other) => {
            let allowed =
                "on (the server ships its log files) or off (Alloy or another shipper does)";
            return Err(wrong("LOKI_SHIP", other, allowed));
        }
    };
    let url = address(environment, "LOKI_URL", "http://127.0.0.1:3100")?;
    Ok(url.map(|url| Loki {
        url,
        tenant: environment("LOKI_TENANT"),
        ship,
    }))
}

/// An address to which paths are added. What it may hold of a password is not shown.
fn address(
    environment: Environment<'_>,
    variable: &'static str,
    example: &str,
) -> Result<Option<String>, ConfigError> {
    let Some(value) = environment(variable) else {
        return Ok(None);
    };
    match reqwest::Url::parse(&value) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => {
            Ok(Some(value.trim_end_matches('/').to_owned()))
        }
        parsed => {
            let hides_password = parsed.is_ok_and(|url| url.password().is_some());
            let shown = if hides_password { "(hidden)" } else { &value };
            let allowed = format!("an http:// or https:// address, such as {example}");
            Err(wrong(variable, shown, allowed))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::read(&|name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_set_is_a_working_default() {
        let config = read(&[]).expect("valid");
        assert_eq!(config.listen.to_string(), "127.0.0.1:8000");
        assert_eq!(config.log_dir, PathBuf::from("data/logs"));
    }

    #[test]
    fn a_wrong_value_is_named_with_what_is_allowed() {
        let message = read(&[("OMNIFY_LISTEN", "everywhere")])
            .expect_err("refused")
            .to_string();
        assert!(
            message.contains("OMNIFY_LISTEN")
                && message.contains("everywhere")
                && message.contains("127.0.0.1:8000"),
            "{message}"
        );
        let message = read(&[("OMNIFY_AGENTKIT_URL", "ftp://x")])
            .expect_err("refused")
            .to_string();
        assert!(
            message.contains("OMNIFY_AGENTKIT_URL") && message.contains("https://"),
            "{message}"
        );
        let message = read(&[("DATABASE_URL", "mysql://u:p@h/db")])
            .expect_err("refused")
            .to_string();
        assert!(
            message.contains("DATABASE_URL") && !message.contains("u:p"),
            "{message}"
        );
    }

    #[test]
    fn a_short_secret_is_refused_and_not_shown() {
        let message = read(&[("OMNIFY_ADMIN_TOKEN", "hunter2")])
            .expect_err("refused")
            .to_string();
        assert!(
            message.contains("OMNIFY_ADMIN_TOKEN") && !message.contains("hunter2"),
            "{message}"
        );
    }
}
