//! Environment variables: read in one place, each checked, each error naming the variable.

use std::{fmt, path::PathBuf, str::FromStr};

use crate::Error;

/// Where the service runs: decides the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Environment {
    /// A person looks on: pretty output on the terminal, and log files.
    #[default]
    Development,
    /// A test looks on: DEBUG, no terminal output.
    Test,
    /// Log files only.
    Production,
}

impl Environment {
    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Test => "test",
            Self::Production => "production",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const ENVIRONMENTS: &str = "development, test, production";

impl FromStr for Environment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "development" => Ok(Self::Development),
            "test" => Ok(Self::Test),
            "production" => Ok(Self::Production),
            _ => Err("unknown environment".to_owned()),
        }
    }
}

/// What goes to the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Console {
    /// Nothing.
    Off,
    /// Coloured lines for a person, on standard error.
    Pretty,
    /// The JSON lines themselves, on standard output: for container platforms.
    Json,
}

impl FromStr for Console {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "pretty" => Ok(Self::Pretty),
            "json" => Ok(Self::Json),
            _ => Err("unknown kind of console output".to_owned()),
        }
    }
}

/// What the environment says; `None` where it is silent.
#[derive(Debug, Default)]
pub(crate) struct Variables {
    pub(crate) environment: Option<Environment>,
    pub(crate) filter: Option<super::Directives>,
    pub(crate) log_dir: Option<PathBuf>,
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) console: Option<Console>,
    pub(crate) service_name: Option<String>,
    pub(crate) service_version: Option<String>,
    pub(crate) instance: Option<String>,
}

impl Variables {
    /// Reads through `get`, so that tests need not change the process.
    pub(crate) fn read(
        get: impl Fn(&'static str) -> Option<std::ffi::OsString>,
    ) -> Result<Self, Error> {
        const LEVELS: &str = "`level` or `target=level`, with commas between, where level is off, error, warn, info, debug or trace";
        let filter = match parse(&get, "OMNIFY_LOG", LEVELS)? {
            Some(filter) => Some(filter),
            None => parse(&get, "RUST_LOG", LEVELS)?,
        };
        Ok(Self {
            environment: parse(&get, "OMNIFY_ENV", ENVIRONMENTS)?,
            filter,
            log_dir: directory(&get, "OMNIFY_LOG_DIR")?,
            data_dir: directory(&get, "OMNIFY_DATA_DIR")?,
            console: parse(&get, "OMNIFY_CONSOLE", "pretty, json, off")?,
            service_name: text(&get, "OMNIFY_SERVICE_NAME")?,
            service_version: text(&get, "OMNIFY_SERVICE_VERSION")?,
            instance: text(&get, "OMNIFY_INSTANCE")?,
        })
    }

    /// Where the log files are if the program does not say.
    pub(crate) fn default_directory(&self) -> PathBuf {
        self.log_dir.clone().unwrap_or_else(|| {
            let data = self.data_dir.clone().unwrap_or_else(|| "data".into());
            data.join("logs")
        })
    }

    pub(crate) fn from_process() -> Result<Self, Error> {
        Self::read(std::env::var_os)
    }
}

type Get<'a> = &'a dyn Fn(&'static str) -> Option<std::ffi::OsString>;

fn unicode(
    get: Get<'_>,
    variable: &'static str,
    allowed: &'static str,
) -> Result<Option<String>, Error> {
    let Some(value) = get(variable).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    value
        .into_string()
        .map(Some)
        .map_err(|value| Error::Environment {
            variable,
            value: value.to_string_lossy().into_owned(),
            reason: "it is not UTF-8".to_owned(),
            allowed,
        })
}

fn parse<T: FromStr<Err: fmt::Display>>(
    get: Get<'_>,
    variable: &'static str,
    allowed: &'static str,
) -> Result<Option<T>, Error> {
    let Some(value) = unicode(get, variable, allowed)? else {
        return Ok(None);
    };
    match value.trim().parse() {
        Ok(parsed) => Ok(Some(parsed)),
        Err(error) => Err(Error::Environment {
            variable,
            reason: T::Err::to_string(&error),
            value,
            allowed,
        }),
    }
}

fn text(get: Get<'_>, variable: &'static str) -> Result<Option<String>, Error> {
    const ALLOWED: &str = "text of up to 256 bytes without control characters";
    let Some(value) = unicode(get, variable, ALLOWED)? else {
        return Ok(None);
    };
    if value.len() > 256 || value.chars().any(char::is_control) {
        return Err(Error::Environment {
            variable,
            value,
            reason: "too long, or has control characters".to_owned(),
            allowed: ALLOWED,
        });
    }
    Ok(Some(value))
}

fn directory(get: Get<'_>, variable: &'static str) -> Result<Option<PathBuf>, Error> {
    let Some(value) = get(variable).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let path = PathBuf::from(&value);
    if path.exists() && !path.is_dir() {
        return Err(Error::Environment {
            variable,
            value: value.to_string_lossy().into_owned(),
            reason: "it is not a directory".to_owned(),
            allowed: "a directory, which is created if missing",
        });
    }
    Ok(Some(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Variables, Error> {
        Variables::read(|name| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.into())
        })
    }

    #[test]
    fn a_bad_value_names_variable_value_and_what_is_allowed() {
        let error = read(&[("OMNIFY_ENV", "prod")]).unwrap_err().to_string();
        assert_eq!(
            error,
            "OT0001: OMNIFY_ENV=\"prod\" is not valid: unknown environment. Allowed: development, test, production"
        );
        for (variable, value) in [
            ("OMNIFY_LOG", "info,shop=loud"),
            ("RUST_LOG", "[span]=debug"),
            ("OMNIFY_CONSOLE", "yes"),
            ("OMNIFY_SERVICE_NAME", "a\nb"),
            ("OMNIFY_LOG_DIR", "/dev/null"),
        ] {
            let error = read(&[(variable, value)]).unwrap_err().to_string();
            assert!(error.contains(variable), "{error}");
            assert!(error.contains("Allowed: "), "{error}");
        }
    }

    #[test]
    fn omnify_log_wins_over_rust_log_and_empty_is_unset() {
        let variables = read(&[("OMNIFY_LOG", "warn"), ("RUST_LOG", "not a filter!")]).unwrap();
        assert_eq!(variables.filter.unwrap().to_string(), "warn");
        assert!(read(&[("OMNIFY_ENV", "")]).unwrap().environment.is_none());
    }
}
